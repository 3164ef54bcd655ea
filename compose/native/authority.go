package native

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	// authorityYears and leafYears bound what is issued. Nothing renews a
	// certificate by itself: a network older than leafYears needs new ones.
	authorityYears = 20
	leafYears      = 10
	// clockSkew is how far a certificate's validity begins in the past.
	clockSkew = 5 * time.Minute
)

// authority is a certificate authority on P-256: a department's signing CA or
// its TLS CA.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// pair is a certificate with its private key, both PEM; the key is PKCS #8.
type pair struct {
	cert, key []byte
}

// newAuthority makes a self-signed CA.
func newAuthority(commonName, organization string) (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	template, err := newTemplate(pkix.Name{CommonName: commonName, Organization: []string{organization}}, authorityYears)
	if err != nil {
		return authority{}, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return authority{}, err
	}
	return authority{cert: cert, key: key}, nil
}

func newTemplate(subject pkix.Name, years int) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Second)
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     now.AddDate(years, 0, 0),
	}, nil
}

// signer issues a Fabric identity. unit is its organisational unit, from which
// the MSP reads the role: admin, client, peer or orderer.
func (a authority) signer(commonName, unit string) (pair, error) {
	subject := pkix.Name{
		CommonName:         commonName,
		Organization:       a.cert.Subject.Organization,
		OrganizationalUnit: []string{unit},
	}
	template, err := newTemplate(subject, leafYears)
	if err != nil {
		return pair{}, err
	}
	return a.issue(template)
}

// tls issues a TLS certificate for loopback and serverName, for the given uses.
func (a authority) tls(serverName string, uses ...x509.ExtKeyUsage) (pair, error) {
	subject := pkix.Name{CommonName: serverName, Organization: a.cert.Subject.Organization}
	template, err := newTemplate(subject, leafYears)
	if err != nil {
		return pair{}, err
	}
	template.ExtKeyUsage = uses
	template.DNSNames = []string{serverName, "localhost"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	return a.issue(template)
}

func (a authority) issue(template *x509.Certificate) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return pair{}, err
	}
	return encodePair(der, key)
}

func encodePair(der []byte, key *ecdsa.PrivateKey) (pair, error) {
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return pair{}, err
	}
	return pair{
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}, nil
}

// save writes dir/<name>.pem and dir/<name>.key.
func (a authority) save(dir, name string) error {
	p, err := encodePair(a.cert.Raw, a.key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, name+".pem"), p.cert, 0o644),
		os.WriteFile(filepath.Join(dir, name+".key"), p.key, 0o600),
	)
}

// loadAuthority reads what save wrote.
func loadAuthority(dir, name string) (authority, error) {
	cert, err := readCertificate(filepath.Join(dir, name+".pem"))
	if err != nil {
		return authority{}, err
	}
	file := filepath.Join(dir, name+".key")
	data, err := os.ReadFile(file)
	if err != nil {
		return authority{}, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return authority{}, fmt.Errorf("%s holds no PEM block", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return authority{}, fmt.Errorf("%s: %w", file, err)
	}
	ecKey, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return authority{}, fmt.Errorf("%s holds a %T, not an ECDSA key", file, key)
	}
	return authority{cert: cert, key: ecKey}, nil
}

func readCertificate(file string) (*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return cert, nil
}

// save writes dir/cert.pem and dir/key.pem; dir is made if need be.
func (p pair) save(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "cert.pem"), p.cert, 0o644),
		os.WriteFile(filepath.Join(dir, "key.pem"), p.key, 0o600),
	)
}
