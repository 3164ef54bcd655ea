package contracttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
)

// authority is a department's certificate authority and the identities that it
// has issued, as a Fabric MSP with node classification knows them. One goroutine
// at a time may use it.
type authority struct {
	msp         string
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate

	creators map[string][]byte // serialized identities, by name
}

// validity of what an authority issues, from the moment of issue.
const validity = 365 * 24 * time.Hour

func newAuthority(department, mspID string, now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make authority of %s: %w", department, err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "ca." + department, Organization: []string{department}},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(10 * validity),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make authority of %s: %w", department, err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make authority of %s: %w", department, err)
	}
	return &authority{msp: mspID, key: key, certificate: certificate, creators: make(map[string][]byte)}, nil
}

// issue makes an identity of an organisational unit and returns its certificate
// as PEM.
func (a *authority) issue(identity, unit string, now time.Time) (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("issue %s: %w", identity, err)
	}
	if a.creators[identity] != nil {
		return "", fmt.Errorf("issue %s: %s has one of that name", identity, a.msp)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(2 + len(a.creators))),
		Subject:      pkix.Name{CommonName: identity, OrganizationalUnit: []string{unit}},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(validity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return "", fmt.Errorf("issue %s: %w", identity, err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	creator, err := proto.Marshal(&msp.SerializedIdentity{Mspid: a.msp, IdBytes: text})
	if err != nil {
		return "", fmt.Errorf("issue %s: %w", identity, err)
	}
	a.creators[identity] = creator
	return string(text), nil
}
