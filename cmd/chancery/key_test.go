package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
)

// TestOfficerKey shows an officer's certificate by the id under which it is
// enrolled, and nothing of its key.
func TestOfficerKey(t *testing.T) {
	o := newOffice(t)
	dir := filepath.Join(o.data, "health", "identities", "ada")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	certificate, err := os.ReadFile(filepath.Join(o.bus.Dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"cert.pem": certificate, "key.pem": []byte("the secret")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := o.run("key", "show", "officer/ada", "--json")
	var key shownKey
	if err := json.Unmarshal([]byte(stdout), &key); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, stderr)
	}
	if !exchange.ValidID(exchange.NounOfficer, key.Officer) || !exchange.ValidDigest(key.Fingerprint) || key.Until.IsZero() || strings.Contains(stdout, "the secret") {
		t.Errorf("shown: %s", stdout)
	}
	code, stdout, _ = o.run("key", "show")
	if code != 0 || !strings.Contains(stdout, "officer/ada  "+key.Officer) {
		t.Errorf("all keys: exit code %d, %s", code, stdout)
	}
	code, _, stderr = o.run("key", "new", "officer/ada")
	if code != exitConflict || !strings.Contains(stderr, "has the key officer/ada") {
		t.Errorf("made again: exit code %d, %s", code, stderr)
	}
}
