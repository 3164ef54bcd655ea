package ledger

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"

	"chancery/chaincode/exchange"
)

// Valid is the validation code of a transaction that changed the ledger.
const Valid = "VALID"

// Identity is who signed: a department's MSP and the certificate. That the
// certificate belongs to the MSP is the word of the own peer, which checked
// it before it called the transaction valid.
type Identity struct {
	MSP  string
	Cert *x509.Certificate
}

// Transaction is a committed transaction as the own peer holds it. Every
// signature in it was checked: the creator's over the whole, and each
// endorser's over the result, which binds Channel, Chaincode, Function, Args,
// Result and Events.
type Transaction struct {
	ID        string
	Code      string // validation code by Fabric's name, [Valid] or why not
	Block     uint64
	Channel   string
	Chaincode string
	Time      time.Time // as the creator set it
	Function  string
	Args      []string
	Result    []byte           // what the function returned
	Events    []exchange.Event // what it said happened
	Creator   Identity
	Endorsers []Identity
}

// CreatedBy reports whether a member of the MSP created the transaction and
// it is valid.
func (t *Transaction) CreatedBy(msp string) bool {
	return t.Code == Valid && t.Creator.MSP == msp
}

// EndorsedBy reports whether the transaction is valid and the holder of this
// certificate endorsed it. What its issuer signed is compared, and not the
// issuer's signature: Fabric writes that one anew where it is not in its
// low-S form, so that a peer shows another certificate than its file holds.
func (t *Transaction) EndorsedBy(cert *x509.Certificate) bool {
	return cert != nil && t.Code == Valid && slices.ContainsFunc(t.Endorsers, func(e Identity) bool {
		return bytes.Equal(e.Cert.RawTBSCertificate, cert.RawTBSCertificate)
	})
}

// find reads a transaction out of its block and checks it. Where a block holds
// copies, the first is the one that counts.
func (l layout) find(raw *common.Block, id string) (Transaction, error) {
	codes, err := validationCodes(raw)
	if err != nil {
		return Transaction{}, err
	}
	for i, data := range raw.GetData().GetData() {
		e, err := readEnvelope(data)
		if err != nil || e.channel.GetTxId() != id {
			continue
		}
		tx := Transaction{ID: id, Code: codes[i].String(), Block: raw.GetHeader().GetNumber()}
		if err := l.verify(e, &tx); err != nil {
			return Transaction{}, err
		}
		return tx, nil
	}
	return Transaction{}, malformed("block %d does not hold it", raw.GetHeader().GetNumber())
}

// verify checks everything that is signed and fills in what it says.
func (l layout) verify(e *envelope, tx *Transaction) error {
	if !e.invokes() || e.channel.GetChannelId() != l.channel {
		return malformed("it is no call of a chaincode on channel %q", l.channel)
	}
	own := sha256.Sum256(slices.Concat(e.signed.GetNonce(), e.signed.GetCreator()))
	if hex.EncodeToString(own[:]) != tx.ID {
		return malformed("its id is not that of its creator and nonce")
	}
	in, err := e.invocation()
	if err != nil {
		return err
	}
	if err := in.readCall(); err != nil {
		return err
	}
	asked := sha256.Sum256(slices.Concat(e.header.GetChannelHeader(), e.header.GetSignatureHeader(), in.proposal))
	if !bytes.Equal(asked[:], in.hash) {
		return malformed("the endorsers answered another proposal")
	}
	if tx.Creator, err = signer(e.creator, e.payload, e.signature); err != nil {
		return fmt.Errorf("creator: %w", err)
	}
	for i, endorsement := range in.endorsements {
		id, err := decode[msp.SerializedIdentity]("endorser", endorsement.GetEndorser())
		if err != nil {
			return err
		}
		by, err := signer(id, slices.Concat(in.response, endorsement.GetEndorser()), endorsement.GetSignature())
		if err != nil {
			return fmt.Errorf("endorsement %d: %w", i, err)
		}
		tx.Endorsers = append(tx.Endorsers, by)
	}
	tx.Channel, tx.Chaincode, tx.Time = e.channel.GetChannelId(), in.chaincode, e.time()
	tx.Function = string(in.args[0])
	for _, arg := range in.args[1:] {
		tx.Args = append(tx.Args, string(arg))
	}
	tx.Result = in.action.GetResponse().GetPayload()
	tx.Events, err = readEvents(in, l.chaincode, tx.ID)
	return err
}

// signer checks a signature and returns who made it.
func signer(id *msp.SerializedIdentity, message, signature []byte) (Identity, error) {
	block, rest := pem.Decode(id.GetIdBytes())
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return Identity{}, malformed("identity of %s is not one certificate in PEM", id.GetMspid())
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return Identity{}, malformed("certificate of %s: %s", id.GetMspid(), err)
	}
	if !signed(cert.PublicKey, message, signature) {
		return Identity{}, malformed("signature of %s is wrong", id.GetMspid())
	}
	return Identity{MSP: id.GetMspid(), Cert: cert}, nil
}

// signed reports whether a signature by one of the keys that Fabric knows is
// right: ECDSA over the SHA-256, Ed25519 over the message itself.
func signed(key crypto.PublicKey, message, signature []byte) bool {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(message)
		return ecdsa.VerifyASN1(key, digest[:], signature)
	case ed25519.PublicKey:
		return ed25519.Verify(key, message, signature)
	}
	return false
}
