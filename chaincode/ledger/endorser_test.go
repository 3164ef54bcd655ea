package ledger

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"
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
	var cert struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &cert); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(cert.Signature.Bytes, &sig); err != nil {
		t.Fatal(err)
	}
	sig.S.Sub(elliptic.P256().Params().N, sig.S)
	signature, err := asn1.Marshal(sig)
	if err != nil {
		t.Fatal(err)
	}
	cert.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	other, err := asn1.Marshal(cert)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(other)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
