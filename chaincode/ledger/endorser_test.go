package ledger

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"testing"

	"chancery/chaincode/contracttest"
)

// TestEndorsedByEitherForm: a signature (r, s) of ECDSA is as good as (r, n−s),
// and Fabric shows a certificate with the smaller s whatever its file holds.
func TestEndorsedByEitherForm(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	shown := otherForm(t, der)
	if shown.Equal(file) {
		t.Fatal("the forms do not differ")
	}
	tx := Transaction{Code: Valid, Endorsers: []Identity{{MSP: "CensusMSP", Cert: shown}}}
	if !tx.EndorsedBy(file) {
		t.Error("the other form of the signature makes another endorser")
	}
}

func otherForm(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	other, err := contracttest.OtherForm(der)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(other)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
