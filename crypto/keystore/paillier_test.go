package keystore_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"chancery/crypto/keystore"
	"chancery/crypto/paillier"
)

const keyring = "k-abc234"

// small keys are enough here; whoever makes a keyring takes the default.
var small = paillier.KeyOptions{Bits: paillier.MinBits}

func TestPaillierKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keystore")
	s := open(t, dir)
	if _, err := s.PaillierKey(keyring); !errors.Is(err, keystore.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in an empty store: %v, want ErrNotFound", err)
	}
	made, err := s.CreatePaillierKey(t.Context(), keyring, small)
	if err != nil {
		t.Fatal(err)
	}
	again, err := open(t, dir).CreatePaillierKey(t.Context(), keyring, small)
	if err != nil || !again.Equal(made) {
		t.Errorf("made twice: %v", err)
	}
	file, err := s.PaillierPath(keyring)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v: want %04o", name, info, err, want)
		}
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), made.Fingerprint().String()) {
		t.Errorf("the file does not say whose key it is: %v", err)
	}
	create(t, s, keystore.Department)
	if names, err := s.Names(); err != nil || !slices.Equal(names, []string{"department"}) {
		t.Errorf("identities are %q, %v", names, err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreatePaillierKey(t.Context(), keyring, small); !errors.Is(err, keystore.ErrPermissions) {
		t.Errorf("readable by others: %v, want ErrPermissions", err)
	}
}

func TestPaillierKeyDamaged(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keystore"))
	key, err := s.CreatePaillierKey(t.Context(), keyring, small)
	if err != nil {
		t.Fatal(err)
	}
	file, err := s.PaillierPath(keyring)
	if err != nil {
		t.Fatal(err)
	}
	text := string(key.ExportText())
	public, err := key.Public().MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	swapped := []byte(text)
	i := len(swapped) / 2
	swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
	if swapped[i] == swapped[i+1] {
		swapped[i] ^= 1
	}
	for name, content := range map[string]string{
		"empty": "", "cut": text[:len(text)-9], "two": text + "\n" + text, "altered": string(swapped), "the public half": string(public),
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := s.CreatePaillierKey(t.Context(), keyring, small)
		if !errors.Is(err, keystore.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
		if err != nil && strings.Contains(err.Error(), text[30:60]) {
			t.Errorf("%s: the error prints the secret", name)
		}
		if left, err := os.ReadFile(file); err != nil || string(left) != content {
			t.Errorf("%s: replaced", name)
		}
	}
}

func TestPaillierNamesThatAreNone(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keystore"))
	for _, id := range []string{"", ".", "..", "../department", "a/b", "A", "k-1.paillier", "k\x00", strings.Repeat("k", 65)} {
		_, pathErr := s.PaillierPath(id)
		_, readErr := s.PaillierKey(id)
		_, createErr := s.CreatePaillierKey(t.Context(), id, small)
		for _, err := range []error{pathErr, readErr, createErr} {
			if !errors.Is(err, keystore.ErrName) {
				t.Errorf("%q: %v, want ErrName", id, err)
			}
		}
	}
}

func TestPaillierKeyInterrupted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keystore")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := open(t, dir).CreatePaillierKey(ctx, keyring, small); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "keyring")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key that was not made left something: %v", err)
	}
}

func TestPaillierKeyAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keystore")
	var keys [3]*paillier.PrivateKey
	var wait sync.WaitGroup
	for i := range keys {
		s := open(t, dir)
		wait.Go(func() {
			key, err := s.CreatePaillierKey(t.Context(), keyring, small)
			if err != nil {
				t.Error(err)
			}
			keys[i] = key
		})
	}
	wait.Wait()
	if t.Failed() {
		return
	}
	if !keys[0].Equal(keys[1]) || !keys[0].Equal(keys[2]) {
		t.Error("three at once got different keys")
	}
	if entries, err := os.ReadDir(filepath.Join(dir, "keyring")); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v, want one file", entries, err)
	}
}
