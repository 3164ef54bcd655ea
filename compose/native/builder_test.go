package native

import (
	"os"
	"path/filepath"
	"testing"
)

func TestBuilderHandsTheConnectionOn(t *testing.T) {
	source, metadata, output, release := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	for file, text := range map[string]string{
		filepath.Join(source, "connection.json"): `{"address":"127.0.0.1:1"}`,
		filepath.Join(metadata, "metadata.json"): `{"type":"chancery","label":"chancery-1"}`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name string
		args []string
	}{
		{"detect", []string{source, metadata}},
		{"build", []string{source, metadata, output}},
		{"release", []string{output, release}},
	} {
		if got := BuilderStep("/data/bin/builder/bin/" + step.name); got != step.name {
			t.Errorf("step %q of %s", got, step.name)
		}
		if err := RunBuilder(step.name, step.args); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
	}
	data, err := os.ReadFile(filepath.Join(release, "chaincode", "server", "connection.json"))
	if err != nil || string(data) != `{"address":"127.0.0.1:1"}` {
		t.Errorf("released %s (%v)", data, err)
	}
}

func TestBuilderRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "metadata.json"), []byte(`{"type":"golang","label":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string][]string{
		"another type":     {"detect", dir, dir},
		"no metadata":      {"detect", dir, t.TempDir()},
		"no connection":    {"build", dir, dir, t.TempDir()},
		"nothing built":    {"release", dir, t.TempDir()},
		"too few argument": {"build", dir},
		"unknown step":     {"run", dir, dir},
	} {
		if err := RunBuilder(call[0], call[1:]); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if step := BuilderStep("/usr/bin/chancery"); step != "" {
		t.Errorf("chancery is step %q", step)
	}
}
