// Package workertest holds what the tests of the workers share: a ledger and a
// kubo node in memory, and ways to hand a worker a message. The bus of these
// tests is a real one, of package bustest.
package workertest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

// Ledger is a ledger in memory: it holds what a test put there and writes down
// what it is told. Its methods may be called at once; Answer and Away are set
// before.
type Ledger struct {
	// Answer is the outcome of an operation. Default: ok.
	Answer func(op exchange.Operation) (exchange.Outcome, error)
	// Away is the error of every call, where it is set.
	Away error

	mu           sync.Mutex
	records      map[string]json.RawMessage
	histories    map[string][]exchange.HistoryEntry
	transactions map[string]ledger.Transaction
	told         []exchange.Operation
}

// NewLedger is an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{
		records:      make(map[string]json.RawMessage),
		histories:    make(map[string][]exchange.HistoryEntry),
		transactions: make(map[string]ledger.Transaction),
	}
}

func key(noun exchange.Noun, id string) string { return string(noun) + " " + id }

// Put puts a record there, as its newest version.
func (l *Ledger) Put(t testing.TB, noun exchange.Noun, id string, record any) {
	t.Helper()
	data := encode(t, record)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records[key(noun, id)] = data
	l.histories[key(noun, id)] = append(l.histories[key(noun, id)], exchange.HistoryEntry{Tx: fmt.Sprint("tx-", len(l.histories)), Record: data})
}

// PutTransaction puts a transaction there.
func (l *Ledger) PutTransaction(tx ledger.Transaction) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.transactions[tx.ID] = tx
}

// Told is every operation that was submitted, in order.
func (l *Ledger) Told() []exchange.Operation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.told)
}

// Submit writes the operation down and answers it.
func (l *Ledger) Submit(_ context.Context, op exchange.Operation) (exchange.Outcome, error) {
	l.mu.Lock()
	l.told = append(l.told, op)
	l.mu.Unlock()
	switch {
	case l.Away != nil:
		return exchange.Outcome{}, l.Away
	case l.Answer != nil:
		return l.Answer(op)
	}
	return exchange.Outcome{Command: op.Command, Op: op.Op, Code: exchange.OK, Tx: "tx"}, nil
}

// Get reads a record.
func (l *Ledger) Get(_ context.Context, noun exchange.Noun, id string, v any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Away != nil {
		return l.Away
	}
	data, there := l.records[key(noun, id)]
	if !there {
		return exchange.Errorf(exchange.NotFound, "there is no %s %s", noun, id)
	}
	return json.Unmarshal(data, v)
}

// History is every version of a record.
func (l *Ledger) History(_ context.Context, noun exchange.Noun, id string) ([]exchange.HistoryEntry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.histories[key(noun, id)]), l.Away
}

// Transaction reads a transaction.
func (l *Ledger) Transaction(_ context.Context, id string) (ledger.Transaction, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Away != nil {
		return ledger.Transaction{}, l.Away
	}
	tx, there := l.transactions[id]
	if !there {
		return ledger.Transaction{}, exchange.Errorf(exchange.NotFound, "transaction %s is not on the ledger", id)
	}
	return tx, nil
}

// Event is what a transaction tells of a record.
func Event(t testing.TB, kind exchange.EventType, from, to, id string, record any) exchange.Event {
	t.Helper()
	return exchange.Event{Type: kind, From: from, To: to, ID: id, Data: encode(t, record)}
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	data, err := exchange.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Body decodes an operation's body.
func Body[T any](t testing.TB, op exchange.Operation) T {
	t.Helper()
	var v T
	if err := exchange.Decode(op.Body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
