package ledger

import (
	"crypto/x509"
	"slices"
	"time"

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
// endorser's over the result, which binds Channel, Function, Args, Outcome
// and Events.
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

// EndorsedBy reports whether the transaction is valid and the holder of
// exactly this certificate endorsed it.
func (t *Transaction) EndorsedBy(cert *x509.Certificate) bool {
	return t.Code == Valid && slices.ContainsFunc(t.Endorsers, func(e Identity) bool { return e.Cert.Equal(cert) })
}
