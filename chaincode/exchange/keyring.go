package exchange

import (
	"time"

	"chancery/crypto/paillier"
)

// KeyringState is where a keyring stands.
type KeyringState string

const (
	KeyringActive  KeyringState = "active"
	KeyringRetired KeyringState = "retired" // for new jobs; those that are open go on
)

// Keyring is a Paillier key that jobs compute under. Its one keyholder has the
// private half: it can open every contribution to a job under the keyring, of
// which it must open none but the masked result.
type Keyring struct {
	ID          string       `json:"id"` // [KeyringID]
	Name        string       `json:"name"`
	Keyholder   string       `json:"keyholder"`
	PublicKey   string       `json:"publicKey"`   // text form of a [paillier.PublicKey]
	Fingerprint string       `json:"fingerprint"` // of the public key, hexadecimal
	Bits        int          `json:"bits"`        // of the modulus
	State       KeyringState `json:"state"`
	Since       time.Time    `json:"since"`
	Change      Change       `json:"change"`
}

// Key decodes and checks the public key: at least [paillier.DefaultBits], and
// all that [paillier.ParsePublicKeyText] demands. Errors have the code [Invalid].
func (k *Keyring) Key() (*paillier.PublicKey, error) {
	pk, err := paillier.ParsePublicKeyText([]byte(k.PublicKey))
	if err != nil {
		return nil, Errorf(Invalid, "publicKey: %v", err)
	}
	if pk.Bits() < paillier.DefaultBits {
		return nil, Errorf(Invalid, "publicKey has %d bits: a keyring takes %d or more", pk.Bits(), paillier.DefaultBits)
	}
	return pk, nil
}

// CreateKeyring is the body of [OpKeyringCreate]. The id follows from the name:
// another key takes another name.
type CreateKeyring struct {
	Name      string `json:"name"`
	PublicKey string `json:"publicKey"` // text form, [paillier.DefaultBits] or more
}

// Validate checks the body by itself; the contract also checks the key, which
// takes longer than all else.
func (b *CreateKeyring) Validate() error {
	return first(checkName("name", b.Name), checkForm("publicKey", b.PublicKey, publicKeyPattern))
}

// RetireKeyring is the body of [OpKeyringRetire].
type RetireKeyring struct {
	Keyring string `json:"keyring"`
	Reason  string `json:"reason"`
}

// Validate checks the body by itself.
func (b *RetireKeyring) Validate() error {
	return first(checkID("keyring", NounKeyring, b.Keyring), CheckReason(b.Reason))
}
