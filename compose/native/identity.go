package native

import (
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// Fabric's organisational units: what an identity's certificate says it is.
const (
	unitAdmin   = "admin"
	unitClient  = "client"
	unitPeer    = "peer"
	unitOrderer = "orderer"
)

// departmentIdentities are made with the department. The contract's roles of
// the same names are given when they are enrolled.
var departmentIdentities = []struct{ name, unit string }{
	{"admin", unitAdmin},
	{"officer", unitClient},
	{"worker", unitClient},
	{"policy", unitClient},
	{"auditor", unitClient},
}

var identityName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// nodeUnits tells Fabric to read roles from certificates.
const nodeUnits = `NodeOUs:
  Enable: true
  ClientOUIdentifier:
    Certificate: cacerts/ca.pem
    OrganizationalUnitIdentifier: client
  PeerOUIdentifier:
    Certificate: cacerts/ca.pem
    OrganizationalUnitIdentifier: peer
  AdminOUIdentifier:
    Certificate: cacerts/ca.pem
    OrganizationalUnitIdentifier: admin
  OrdererOUIdentifier:
    Certificate: cacerts/ca.pem
    OrganizationalUnitIdentifier: orderer
`

// IssueIdentity makes a new Fabric identity of a department, signed by the CA
// in departmentDir/msp: identities/<name> with cert.pem, key.pem and an MSP
// directory msp. The name is 1 to 32 of [a-z0-9-], beginning with a letter. An
// identity that is there already is fs.ErrExist.
func IssueIdentity(departmentDir, name string) error {
	return issueIdentity(departmentDir, filepath.Join("identities", name), name, unitClient)
}

// issueIdentity makes departmentDir/<place>, all of it or nothing.
func issueIdentity(departmentDir, place, name, unit string) error {
	if !identityName.MatchString(name) {
		return fmt.Errorf("identity name %q does not match %s", name, identityName)
	}
	dir := filepath.Join(departmentDir, place)
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("identity %s: %w", dir, fs.ErrExist)
	}
	ca, err := loadAuthority(filepath.Join(departmentDir, "msp"), "ca")
	if err != nil {
		return fmt.Errorf("identity %s: %w", name, err)
	}
	p, err := ca.signer(name+"@"+ca.cert.Subject.Organization[0], unit)
	if err != nil {
		return fmt.Errorf("identity %s: %w", name, err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return fmt.Errorf("identity %s: %w", name, err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "."+name+"-")
	if err != nil {
		return fmt.Errorf("identity %s: %w", name, err)
	}
	defer os.RemoveAll(temp)
	if err := writeIdentity(departmentDir, temp, p); err != nil {
		return fmt.Errorf("identity %s: %w", name, err)
	}
	if err := os.Rename(temp, dir); err != nil {
		return fmt.Errorf("identity %s: %w", name, err)
	}
	return nil
}

// writeIdentity fills dir, which lies two levels below departmentDir. The MSP
// directory refers to the files above it, so that each secret is there once.
func writeIdentity(departmentDir, dir string, p pair) error {
	if err := p.save(dir); err != nil {
		return err
	}
	msp := filepath.Join(dir, "msp")
	for link, target := range map[string]string{
		"signcerts/cert.pem":   "../../cert.pem",
		"keystore/key.pem":     "../../key.pem",
		"cacerts/ca.pem":       "../../../../msp/ca.pem",
		"tlscacerts/tlsca.pem": "../../../../msp/tlsca.pem",
	} {
		file := filepath.Join(msp, link)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.Symlink(target, file); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(msp, "config.yaml"), []byte(nodeUnits), 0o644)
}

// makeOrderer makes the ordering organisation: CAs, the orderer's identity and
// its administrator's, and TLS certificates for both.
func makeOrderer(dir string) error {
	tlsCA, err := makeAuthorities(dir, "orderer")
	if err != nil {
		return err
	}
	if err := issueIdentity(dir, "msp/orderer", "orderer", unitOrderer); err != nil {
		return err
	}
	if err := issueIdentity(dir, "identities/admin", "admin", unitAdmin); err != nil {
		return err
	}
	return saveTLS(tlsCA, dir, map[string]certificate{
		"tls/orderer": {"orderer", []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}},
		"tls/admin":   {"admin.orderer", []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}},
	})
}

// makeDepartment makes a department's CAs, its peer's identity, those of
// departmentIdentities, and the TLS certificates of its servers. Only the
// chaincode's client (the peer) and the peer itself may act as TLS clients.
func makeDepartment(dir, name string) error {
	tlsCA, err := makeAuthorities(dir, name)
	if err != nil {
		return err
	}
	if err := issueIdentity(dir, "msp/peer", "peer", unitPeer); err != nil {
		return err
	}
	for _, id := range departmentIdentities {
		if err := issueIdentity(dir, filepath.Join("identities", id.name), id.name, id.unit); err != nil {
			return err
		}
	}
	err = saveTLS(tlsCA, dir, map[string]certificate{
		"tls/peer":             {"peer." + name, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}},
		"tls/chaincode":        {"chaincode." + name, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}},
		"tls/chaincode-client": {"peer." + name, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}},
		"bus":                  {"bus." + name, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}},
	})
	if err != nil {
		return err
	}
	ca, err := os.ReadFile(filepath.Join(dir, "msp", "tlsca.pem"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "bus", "ca.pem"), ca, 0o644)
}

// certificate is one TLS certificate to issue.
type certificate struct {
	serverName string
	uses       []x509.ExtKeyUsage
}

func saveTLS(ca authority, dir string, certificates map[string]certificate) error {
	for place, c := range certificates {
		p, err := ca.tls(c.serverName, c.uses...)
		if err != nil {
			return fmt.Errorf("certificate %s: %w", place, err)
		}
		if err := p.save(filepath.Join(dir, place)); err != nil {
			return fmt.Errorf("certificate %s: %w", place, err)
		}
	}
	return nil
}

// makeAuthorities makes dir/msp with the signing CA and the TLS CA, in place of
// what an interrupted attempt left, and returns the TLS CA.
func makeAuthorities(dir, organization string) (authority, error) {
	for _, made := range []string{"msp", "tls", "identities"} {
		if err := os.RemoveAll(filepath.Join(dir, made)); err != nil {
			return authority{}, err
		}
	}
	msp := filepath.Join(dir, "msp")
	if err := os.MkdirAll(msp, 0o700); err != nil {
		return authority{}, err
	}
	ca, err := newAuthority("ca."+organization, organization)
	if err != nil {
		return authority{}, err
	}
	if err := ca.save(msp, "ca"); err != nil {
		return authority{}, err
	}
	tlsCA, err := newAuthority("tlsca."+organization, organization)
	if err != nil {
		return authority{}, err
	}
	return tlsCA, tlsCA.save(msp, "tlsca")
}
