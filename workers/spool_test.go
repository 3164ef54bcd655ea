package workers_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/workers"
)

func TestOpenSpool(t *testing.T) {
	spool, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	inside := func(name string) string { return filepath.Join(spool, name) }
	socket, err := net.Listen("unix", inside("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := errors.Join(
		os.WriteFile(outside, []byte("secret"), 0o600),
		os.WriteFile(inside("good.csv"), []byte("table"), 0o600),
		os.WriteFile(inside("ünïcode 1.csv"), []byte("table"), 0o600),
		os.WriteFile(inside("empty"), nil, 0o600),
		os.WriteFile(inside(".hidden"), []byte("table"), 0o600),
		os.Mkdir(inside("folder"), 0o700),
		os.WriteFile(inside("folder/below"), []byte("table"), 0o600),
		os.Symlink(outside, inside("link-out")),
		os.Symlink("good.csv", inside("link-in")),
		os.Symlink("nowhere", inside("link-nowhere")),
		syscall.Mkfifo(inside("pipe"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		"good.csv":      nil,
		"ünïcode 1.csv": nil,
		"missing":       exchange.ErrNotFound,
		"empty":         exchange.ErrInvalid,
		"folder":        exchange.ErrInvalid,
		"pipe":          exchange.ErrInvalid,
		"socket":        exchange.ErrInvalid,
		"link-out":      exchange.ErrInvalid,
		"link-in":       exchange.ErrInvalid,
		"link-nowhere":  exchange.ErrInvalid,
		".hidden":       exchange.ErrInvalid,
		"folder/below":  exchange.ErrInvalid,
		"../good.csv":   exchange.ErrInvalid,
		outside:         exchange.ErrInvalid,
		"..":            exchange.ErrInvalid,
		".":             exchange.ErrInvalid,
		"":              exchange.ErrInvalid,
		"a\x00b":        exchange.ErrInvalid,
		`a\b`:           exchange.ErrInvalid,
	} {
		f, err := workers.OpenSpool(spool, name)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
		if err != nil {
			continue
		}
		if data, err := io.ReadAll(f); err != nil || string(data) != "table" {
			t.Errorf("%q: read %q, %v", name, data, err)
		}
		f.Close()
	}
}

// TestNoSpool is nobody's fault who names a file.
func TestNoSpool(t *testing.T) {
	_, err := workers.OpenSpool(filepath.Join(t.TempDir(), "gone"), "good.csv")
	if _, refusal := errors.AsType[*exchange.Error](err); err == nil || refusal {
		t.Errorf("got %v", err)
	}
}
