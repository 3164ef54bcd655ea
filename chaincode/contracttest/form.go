package contracttest

import (
	"crypto/elliptic"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// OtherForm returns a certificate that was signed with ECDSA over P-256, as DER,
// with the other of the two forms of its signature: (r, n−s) is as good as
// (r, s). Fabric shows every certificate with the smaller s, whatever its file
// holds.
func OtherForm(der []byte) ([]byte, error) {
	var certificate struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	var signature struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &certificate); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if _, err := asn1.Unmarshal(certificate.Signature.Bytes, &signature); err != nil {
		return nil, fmt.Errorf("signature of the certificate: %w", err)
	}
	signature.S.Sub(elliptic.P256().Params().N, signature.S)
	other, err := asn1.Marshal(signature)
	if err != nil {
		return nil, fmt.Errorf("signature of the certificate: %w", err)
	}
	certificate.Signature = asn1.BitString{Bytes: other, BitLength: 8 * len(other)}
	return asn1.Marshal(certificate)
}
