package native

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func newDepartment(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := makeDepartment(dir, name); err != nil {
		t.Fatal(err)
	}
	return dir
}

func certificateOf(t *testing.T, path ...string) *x509.Certificate {
	t.Helper()
	cert, err := readCertificate(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestDepartmentIdentities(t *testing.T) {
	dir := newDepartment(t, "census")
	roots := x509.NewCertPool()
	roots.AddCert(certificateOf(t, dir, "msp", "ca.pem"))
	for place, unit := range map[string]string{
		"msp/peer":           "peer",
		"identities/admin":   "admin",
		"identities/officer": "client",
		"identities/worker":  "client",
		"identities/policy":  "client",
		"identities/auditor": "client",
	} {
		cert := certificateOf(t, dir, place, "msp", "signcerts", "cert.pem")
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
			t.Errorf("%s: %v", place, err)
		}
		if got := cert.Subject.OrganizationalUnit; len(got) != 1 || got[0] != unit {
			t.Errorf("%s: unit %v, want %s", place, got, unit)
		}
		if _, err := tls.LoadX509KeyPair(filepath.Join(dir, place, "cert.pem"), filepath.Join(dir, place, "msp/keystore/key.pem")); err != nil {
			t.Errorf("%s: %v", place, err)
		}
		if same := certificateOf(t, dir, place, "msp", "cacerts", "ca.pem"); !same.Equal(certificateOf(t, dir, "msp", "ca.pem")) {
			t.Errorf("%s: another CA in its MSP", place)
		}
	}
}

func TestTLSCertificatesVerify(t *testing.T) {
	dir := newDepartment(t, "census")
	roots := x509.NewCertPool()
	roots.AddCert(certificateOf(t, dir, "msp", "tlsca.pem"))
	for place, want := range map[string]struct {
		name           string
		server, client bool
	}{
		"tls/peer":             {"peer.census", true, true},
		"tls/chaincode":        {"chaincode.census", true, false},
		"tls/chaincode-client": {"peer.census", false, true},
		"bus":                  {"127.0.0.1", true, false},
	} {
		cert := certificateOf(t, dir, place, "cert.pem")
		for use, allowed := range map[x509.ExtKeyUsage]bool{
			x509.ExtKeyUsageServerAuth: want.server,
			x509.ExtKeyUsageClientAuth: want.client,
		} {
			_, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: want.name, KeyUsages: []x509.ExtKeyUsage{use}})
			if (err == nil) != allowed {
				t.Errorf("%s as use %d: %v, allowed %v", place, use, err, allowed)
			}
		}
	}
}

func TestSecretsAreForTheirOwner(t *testing.T) {
	dir := newDepartment(t, "census")
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		secret := filepath.Ext(path) == ".key" || entry.Name() == "key.pem"
		if entry.IsDir() && info.Mode().Perm() != 0o700 || secret && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestIssueIdentity(t *testing.T) {
	dir := newDepartment(t, "census")
	if err := IssueIdentity(dir, "jane-roe"); err != nil {
		t.Fatal(err)
	}
	cert := certificateOf(t, dir, "identities", "jane-roe", "cert.pem")
	if got, want := cert.Subject.CommonName, "jane-roe@census"; got != want {
		t.Errorf("common name %s, want %s", got, want)
	}
	if err := IssueIdentity(dir, "jane-roe"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second identity of the same name: %v", err)
	}
	for _, name := range []string{"", "..", "../x", "Jane", "a/b", "-a", "a b"} {
		if err := IssueIdentity(dir, name); err == nil {
			t.Errorf("issued an identity named %q", name)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(dir, "identities")); err != nil || len(entries) != len(departmentIdentities)+1 {
		t.Errorf("identities hold %v (%v)", entries, err)
	}
}
