package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"chancery/chaincode/exchange"
)

func TestSpool(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	write := func(name, content string) string {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	inside := write(filepath.Join(dir, "here.csv"), "a\n1\n")
	same := write(filepath.Join(out, "here.csv"), "a\n1\n")
	fresh := write(filepath.Join(out, "new.csv"), "a\n2\n")
	empty := write(filepath.Join(out, "empty.csv"), "")
	hidden := write(filepath.Join(out, ".hidden"), "a")
	link := filepath.Join(out, "link.csv")
	if err := os.Symlink(inside, link); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, file string
		copied     bool
		err        error
	}{
		{"in the spool already", inside, false, nil},
		{"the same content", same, false, nil},
		{"a link to a file in the spool", link, true, nil},
		{"a new file", fresh, true, nil},
		{"the new file again", fresh, false, nil},
		{"a directory", out, false, errUsage},
		{"an empty file", empty, false, errUsage},
		{"no file", filepath.Join(out, "none.csv"), false, errNotFound},
		{"a hidden file", hidden, false, exchange.ErrInvalid},
	} {
		name, copied, err := spool(t.Context(), dir, test.file, false)
		if !errors.Is(err, test.err) || copied != test.copied {
			t.Errorf("%s: %q, %t, %v", test.name, name, copied, err)
		}
	}
}

func TestSpoolReplacesOnlyWhenTold(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	target, file := filepath.Join(dir, "a.csv"), filepath.Join(out, "a.csv")
	os.WriteFile(target, []byte("old"), 0o600)
	os.WriteFile(file, []byte("new"), 0o600)
	if _, _, err := spool(t.Context(), dir, file, false); !errors.Is(err, exchange.ErrConflict) {
		t.Errorf("another file of that name: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := spool(ctx, dir, file, true); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if got, _ := os.ReadFile(target); string(got) != "old" {
		t.Errorf("an interrupted copy left %q", got)
	}
	if _, copied, err := spool(t.Context(), dir, file, true); err != nil || !copied {
		t.Errorf("told to replace: %t, %v", copied, err)
	}
	if got, _ := os.ReadFile(target); string(got) != "new" {
		t.Errorf("replaced by %q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".copy-*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
