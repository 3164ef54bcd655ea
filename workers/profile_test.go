package workers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const profileYAML = `department: census
msp: CensusMSP
channel: chancery
chaincode: chancery
peer: {address: "127.0.0.1:7051", tlsCA: msp/tlsca.pem, serverName: peer.census}
peerCertificate: msp/peer/cert.pem
identities: identities
keystore: /elsewhere/keystore
bus: {url: "tls://127.0.0.1:4222", ca: bus/ca.pem, nkeys: bus/nkeys}
ipfs: {api: "127.0.0.1:5001", auth: secret}
spool: spool
inbox: inbox
journal: journal
`

func TestProfileRoundTrip(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, ProfileName)
	if err := os.WriteFile(file, []byte(profileYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := LoadProfile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := first.Peer.TLSCA, filepath.Join(dir, "msp", "tlsca.pem"); got != want {
		t.Errorf("tlsCA %s, want %s", got, want)
	}
	if got, want := first.Keystore, "/elsewhere/keystore"; got != want {
		t.Errorf("keystore %s, want %s", got, want)
	}
	if first.Policy != "" {
		t.Errorf("policy %s, want none", first.Policy)
	}
	first.Policy = filepath.Join(dir, "policy.yaml")
	if err := first.Save(dir); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(written), dir) {
		t.Errorf("saved profile holds an absolute path:\n%s", written)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("profile's mode is %v (%v), want 0600", info.Mode(), err)
	}
	second, err := LoadProfile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Errorf("profile changed:\n%+v\n%+v", first, second)
	}
}

func TestProfileRefuses(t *testing.T) {
	for name, edit := range map[string]struct{ old, new, want string }{
		"unknown key":     {"spool: spool", "spool: spool\nspoool: x", "spoool"},
		"duplicate key":   {"spool: spool", "spool: spool\nspool: x", "spool"},
		"missing value":   {"msp: CensusMSP", "msp:", "msp is missing"},
		"missing key":     {"inbox: inbox\n", "", "inbox is missing"},
		"second document": {"journal: journal\n", "journal: journal\n---\n{}\n", "more than one document"},
		"not YAML":        {"department: census", "department: [", "yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			data := strings.Replace(profileYAML, edit.old, edit.new, 1)
			if err := os.WriteFile(filepath.Join(dir, ProfileName), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := LoadProfile(dir); err == nil || !strings.Contains(err.Error(), edit.want) {
				t.Errorf("error %v, want one with %q", err, edit.want)
			}
		})
	}
	if _, err := LoadProfile(t.TempDir()); err == nil {
		t.Error("loaded a profile that does not exist")
	}
}

func FuzzProfile(f *testing.F) {
	f.Add([]byte(profileYAML))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseProfile(data)
		if err == nil && p.complete() != nil {
			t.Error("accepted a profile that is not complete")
		}
	})
}
