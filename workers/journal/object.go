package journal

import (
	"encoding/base64"
	"fmt"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
)

// Object is what the journal keeps of a sealed object.
type Object struct {
	ID           string
	Registration exchange.RegisterObject // what pin says to the ledger
	Key          envelope.FileKey
	Salt         envelope.Salt
}

// objectJSON is an object inside its sealed record.
type objectJSON struct {
	ID           string                  `json:"id"`
	Registration exchange.RegisterObject `json:"registration"`
	Key          string                  `json:"key"`  // standard base64
	Salt         string                  `json:"salt"` // standard base64
}

func (o Object) encode() ([]byte, error) {
	return exchange.Encode(objectJSON{
		ID:           o.ID,
		Registration: o.Registration,
		Key:          base64.StdEncoding.EncodeToString(o.Key.Bytes()),
		Salt:         base64.StdEncoding.EncodeToString(o.Salt.Bytes()),
	})
}

func decodeObject(plain []byte) (Object, error) {
	var r objectJSON
	if err := exchange.Decode(plain, &r); err != nil {
		return Object{}, err
	}
	rawKey, err := base64.StdEncoding.DecodeString(r.Key)
	if err != nil {
		return Object{}, err
	}
	rawSalt, err := base64.StdEncoding.DecodeString(r.Salt)
	if err != nil {
		return Object{}, err
	}
	key, err := envelope.NewFileKey(rawKey)
	if err != nil {
		return Object{}, err
	}
	salt, err := envelope.NewSalt(rawSalt)
	if err != nil {
		return Object{}, err
	}
	return Object{ID: r.ID, Registration: r.Registration, Key: key, Salt: salt}, r.Registration.Validate()
}

// CommitmentOf is what the ledger says about an object's bytes, as it is opened by.
func CommitmentOf(o exchange.Object) (envelope.Commitment, error) {
	sealed, err := envelope.ParseDigest(o.SealedDigest)
	if err != nil {
		return envelope.Commitment{}, fmt.Errorf("object %s: %w", o.ID, err)
	}
	salted, err := envelope.ParseDigest(o.ContentDigest)
	if err != nil {
		return envelope.Commitment{}, fmt.Errorf("object %s: %w", o.ID, err)
	}
	return envelope.Commitment{SealedDigest: sealed, SealedSize: o.Size, SaltedDigest: salted}, nil
}
