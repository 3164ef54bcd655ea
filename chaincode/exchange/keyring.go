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

// Key decodes and checks the public key. Errors have the code [Invalid].
func (k *Keyring) Key() (*paillier.PublicKey, error) { return parseKey(k.PublicKey) }

// CreateKeyring is the body of [OpKeyringCreate]. The id follows from the name:
// another key takes another name.
type CreateKeyring struct {
	Name      string `json:"name"`
	PublicKey string `json:"publicKey"` // text form, [paillier.DefaultBits] or more
}

// Validate checks the body by itself, the key included.
func (b *CreateKeyring) Validate() error {
	if err := first(checkName("name", b.Name), checkSize("publicKey", b.PublicKey, 1, 4096)); err != nil {
		return err
	}
	_, err := b.Key()
	return err
}

// Key decodes and checks the public key. Errors have the code [Invalid].
func (b *CreateKeyring) Key() (*paillier.PublicKey, error) {
	pk, err := parseKey(b.PublicKey)
	if err == nil && pk.Bits() < paillier.DefaultBits {
		return nil, Errorf(Invalid, "publicKey has %d bits: a keyring takes %d or more", pk.Bits(), paillier.DefaultBits)
	}
	return pk, err
}

func parseKey(text string) (*paillier.PublicKey, error) {
	pk, err := paillier.ParsePublicKeyText([]byte(text))
	if err != nil {
		return nil, Errorf(Invalid, "publicKey: %v", err)
	}
	return pk, nil
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
