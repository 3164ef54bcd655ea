// Package provenance asks where a record comes from, before a worker acts on it.
//
// Peers validate endorsements, not the contract's logic, so a majority of other
// departments could put any record on the ledger. What they cannot do is sign as
// another department, or take back what a transaction said. So this package
// reads the transactions that made a record and its every version, and compares:
// who signed, what was asked, what has changed since.
//
// It trusts what the own peer holds, whose signatures the ledger client checked,
// and the own peer's certificate. A finding is a [*Refusal]; any other error says
// that it cannot tell yet.
package provenance

import (
	"context"
	"crypto/x509"
	"fmt"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
)

// Refusal is why a record is not acted on: final.
type Refusal struct{ reason string }

func (r *Refusal) Error() string { return r.reason }

// Refusef makes a refusal.
func Refusef(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// Ledger is the own peer, as this package reads it.
type Ledger interface {
	Get(ctx context.Context, noun exchange.Noun, id string, v any) error
	History(ctx context.Context, noun exchange.Noun, id string) ([]exchange.HistoryEntry, error)
	Transaction(ctx context.Context, id string) (ledger.Transaction, error)
}

// Reader reads as one department. Any number of goroutines may use it at once.
type Reader struct {
	Department string            // own name
	MSP        string            // own Fabric MSP
	Peer       *x509.Certificate // own peer's: it must have endorsed what the own department decided
	Chaincode  string            // name of the contract
	Ledger     Ledger
}

// Transaction reads a transaction. What says names it in refusals.
func (r Reader) Transaction(ctx context.Context, id, what string) (ledger.Transaction, error) {
	tx, err := r.Ledger.Transaction(ctx, id)
	if err != nil {
		return tx, fmt.Errorf("transaction of %s: %w", what, err)
	}
	return tx, nil
}

// CheckOwn refuses a transaction that the own department did not sign or the own
// peer did not endorse.
func (r Reader) CheckOwn(tx ledger.Transaction, what string) error {
	switch {
	case tx.Chaincode != r.Chaincode:
		return Refusef("%s was not given by the contract", what)
	case !tx.CreatedBy(r.MSP):
		return Refusef("%s was not signed by %s but by a member of %s", what, r.Department, tx.Creator.MSP)
	case !tx.EndorsedBy(r.Peer):
		return Refusef("%s was not endorsed by the peer of %s", what, r.Department)
	}
	return nil
}

// EveryVersion tests all versions of a record, oldest first. Where there are more
// than one answer holds, the record is refused: others could have written the
// rest to hide its beginning.
func EveryVersion[T any](ctx context.Context, l Ledger, noun exchange.Noun, id string, test func(was T, tx string) error) error {
	versions, err := l.History(ctx, noun, id)
	if err != nil {
		return fmt.Errorf("history of %s %s: %w", noun, id, err)
	}
	if len(versions) >= exchange.MaxHistory {
		return Refusef("%s %s was written so often that its beginning cannot be read", noun, id)
	}
	for _, v := range versions {
		if v.Deleted {
			return Refusef("%s %s was deleted in transaction %s", noun, id, v.Tx)
		}
		was, err := Record[T](v.Record)
		if err == nil {
			err = test(was, v.Tx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// CheckNeverRevoked reads every version of a grant: a revocation that others took
// back holds.
func CheckNeverRevoked(ctx context.Context, l Ledger, grant string) error {
	return EveryVersion(ctx, l, exchange.NounGrant, grant, func(was exchange.Grant, tx string) error {
		if was.State != exchange.GrantGiven {
			return Refusef("grant %s was %s in transaction %s", grant, was.State, tx)
		}
		return nil
	})
}

// Same refuses a record that is not what its transaction said any more.
func Same(said, now any, what string) error {
	was, err := exchange.BodyDigest(said)
	if err != nil {
		return err
	}
	is, err := exchange.BodyDigest(now)
	if err != nil {
		return err
	}
	if was != is {
		return Refusef("%s was altered since its transaction", what)
	}
	return nil
}

// Record decodes a record as the ledger holds it.
func Record[T any](data []byte) (T, error) { return events.Record[T](events.Envelope{Data: data}) }
