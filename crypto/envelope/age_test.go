package envelope_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"chancery/crypto/envelope"
)

// TestAgeCommandLine opens a sealed object and a wrap with the age command
// itself, built from the module in testdata/age.
func TestAgeCommandLine(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the age command")
	}
	dir := t.TempDir()
	command := filepath.Join(dir, "age")
	build := exec.Command("go", "build", "-o", command, "filippo.io/age/cmd/age")
	build.Dir = filepath.Join("testdata", "age")
	build.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build age: %v\n%s", err, out)
	}

	id := newIdentity(t)
	keys := filepath.Join(dir, "identity")
	if err := os.WriteFile(keys, []byte(id.Secret()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	content := contentOf(t, chunk+1)
	var object bytes.Buffer
	s, err := envelope.Seal(&object, bytes.NewReader(content), id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if got := decryptWith(t, command, keys, object.Bytes()); !bytes.Equal(got, content) {
		t.Error("age opens the object to other content")
	}
	wrap, err := envelope.SealWrap(envelope.Wrap{FileKey: s.Key, Salt: s.Salt, Object: "o-1", Grant: "g-1"}, id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if got := decryptWith(t, command, keys, wrap); !bytes.HasPrefix(got, []byte(`{"v":1,"object":"o-1","grant":"g-1","slot":0,`)) {
		t.Errorf("age opens the wrap to %q", got[:min(len(got), 45)])
	}
}

func decryptWith(t *testing.T, command, identities string, sealed []byte) []byte {
	t.Helper()
	decrypt := exec.Command(command, "-d", "-i", identities)
	decrypt.Stdin = bytes.NewReader(sealed)
	var stderr bytes.Buffer
	decrypt.Stderr = &stderr
	out, err := decrypt.Output()
	if err != nil {
		t.Fatalf("age -d: %v\n%s", err, &stderr)
	}
	return out
}
