package chaos

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/workers"
)

// fate is what becomes of a call to the peer.
type fate int

const (
	arrives       fate = iota
	requestLost        // nobody heard it
	answerLost         // it was done, and the caller does not hear so
	answerOverdue      // the same, and the caller is told that its time is over
)

// error is what the caller hears.
func (f fate) error() error {
	if f == answerOverdue {
		return status.Error(codes.DeadlineExceeded, "on purpose: too late")
	}
	return status.Error(codes.Unavailable, "on purpose: connection lost")
}

// losses decides the fate of the calls of each kind, in turns.
type losses struct {
	mu    sync.Mutex
	turns map[string][]fate
	calls map[string]int
}

func (l *losses) of(method string) fate {
	l.mu.Lock()
	defer l.mu.Unlock()
	turns := l.turns[method]
	if len(turns) == 0 {
		return arrives
	}
	l.calls[method]++
	return turns[l.calls[method]%len(turns)]
}

// worker opens a peer as a department's worker, with few operations in each
// transaction.
func worker(t *testing.T, p workers.Profile) *ledger.Client {
	t.Helper()
	cfg := dialing(p, exchange.Worker)
	cfg.BatchOperations = 4
	c, err := ledger.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// dialing is how to reach a department's peer as one of its identities.
func dialing(p workers.Profile, role exchange.Role) ledger.Config {
	dir := filepath.Join(p.Identities, string(role))
	return ledger.Config{
		Department: p.Department, MSP: p.MSP, Channel: p.Channel, Chaincode: p.Chaincode,
		Address: p.Peer.Address, TLSCA: p.Peer.TLSCA, ServerName: p.Peer.ServerName,
		Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"),
	}
}

// register submits registrations of as many new datasets, all at once, each by
// every client, and demands that all are told that they are there.
func register(t *testing.T, word string, count int, clients ...*ledger.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all sync.WaitGroup
	for i := range count {
		name := fmt.Sprintf("%s-%d", word, i)
		op, err := exchange.NewOperation(name, exchange.OpDatasetRegister, &exchange.RegisterDataset{
			Name:        name,
			Description: exchange.Description{Title: name, Licence: "CC0-1.0", MediaType: "text/csv"},
			Terms:       exchange.Terms{Actions: []exchange.Action{exchange.Read}, MaxUses: 1, MaxDuration: 3600},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range clients {
			all.Go(func() {
				outcome, err := c.Submit(ctx, op)
				if err := errors.Join(err, outcome.Err()); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	all.Wait()
}

// since reads the blocks of a peer from a number on: how often each dataset was
// registered, and how many transactions have each validation code.
func (n *network) since(t *testing.T, department string, from uint64) (registered, codes map[string]int) {
	t.Helper()
	registered, codes = make(map[string]int), make(map[string]int)
	n.read(t, department, from, func(tx ledger.Tx) {
		codes[tx.Code]++
		for _, e := range tx.Events {
			if e.Type == exchange.DatasetRegistered {
				registered[e.ID]++
			}
		}
	})
	return registered, codes
}

func (n *network) height(t *testing.T, department string) uint64 {
	t.Helper()
	c, err := ledger.Dial(t.Context(), dialing(n.profiles[department], exchange.Auditor))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	height, err := c.Height(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return height
}

// each demands that every dataset of a kind was registered once.
func each(t *testing.T, registered map[string]int, msp, word string, count int) {
	t.Helper()
	for i := range count {
		name := fmt.Sprintf("%s-%d", word, i)
		if got := registered[exchange.DatasetID(msp, name)]; got != 1 {
			t.Errorf("%s was registered %d times", name, got)
		}
	}
}

// answersLost submits through a peer whose endorsements come too late, whose
// answers to submissions are lost, before the orderer heard of them and after,
// and which cannot say what was committed.
func answersLost(t *testing.T, n *network) {
	const count = 120
	p := n.profiles["health"]
	from := n.height(t, "health")
	wire := &peerWire{site: "lossy", faults: &n.faults, owner: make(map[string]string), losses: losses{
		calls: make(map[string]int),
		turns: map[string][]fate{
			gateway.Gateway_Endorse_FullMethodName:      {arrives, answerOverdue, arrives, requestLost},
			gateway.Gateway_Submit_FullMethodName:       {arrives, answerLost, requestLost, answerOverdue},
			gateway.Gateway_CommitStatus_FullMethodName: {arrives, answerLost, arrives, answerOverdue, requestLost},
		},
	}}
	through := wire.through(t, p)
	began := time.Now()
	register(t, "lossy", count, worker(t, through))
	registered, codes := n.since(t, "health", from)
	each(t, registered, p.MSP, "lossy", count)
	if codes["DUPLICATE_TXID"] == 0 {
		t.Errorf("no transaction was submitted twice: %v", codes)
	}
	t.Logf("%s: %d operations, calls %v, transactions %v", since(began), count, wire.losses.calls, codes)
	t.Log(n.must(t, n.Dir(), "ledger", "verify", "-d", "health"))
}

// conflicts has four clients say the same at the same time, so that all but one
// read what the one writes.
func conflicts(t *testing.T, n *network) {
	const count = 60
	p := n.profiles["labor"]
	from := n.height(t, "labor")
	began := time.Now()
	register(t, "contended", count, worker(t, p), worker(t, p), worker(t, p), worker(t, p))
	registered, codes := n.since(t, "labor", from)
	each(t, registered, p.MSP, "contended", count)
	if codes["MVCC_READ_CONFLICT"] == 0 {
		t.Errorf("no transaction met another: %v", codes)
	}
	t.Logf("%s: %d operations by four, transactions %v", since(began), count, codes)
	t.Log(n.must(t, n.Dir(), "ledger", "verify", "-d", "labor"))
}
