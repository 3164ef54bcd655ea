package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"

	"chancery/chaincode/exchange"
)

var (
	chaincodeOverdue = grpcError(codes.Aborted, "failed to endorse transaction, see attached details for more info",
		"error in simulation: failed to execute transaction: timeout expired while executing transaction")
	conflicted = exchange.Errorf(exchange.Again, "8 transactions in a row met another on the same records")
)

// without fails each flight that holds a command, for a reason of the whole.
func without(command string, reason error) func(int, []*entry) error {
	return func(_ int, entries []*entry) error {
		if slices.ContainsFunc(entries, func(e *entry) bool { return e.op.Command == command }) {
			return reason
		}
		return nil
	}
}

// TestBatcherDividesAConflict has one operation that meets others whenever it is
// tried: it alone is told so, its neighbours are done.
func TestBatcherDividesAConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flights{fail: without("c05", conflicted)}
		for i, c := range submitAll(t, t.Context(), f.batcher(t.Context()), ops(11)...) {
			a := <-c
			if bad := i == 5; a.err != nil || errors.Is(a.outcome.Err(), exchange.ErrAgain) != bad || (a.outcome.Code == exchange.OK) == bad {
				t.Errorf("c%02d: %+v", i, a)
			}
		}
	})
}

// TestBatcherDividesWhatIsTooMuch has endorsers that get through three
// operations at most in their time.
func TestBatcherDividesWhatIsTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flights{fail: func(_ int, entries []*entry) error {
			if len(entries) > 3 {
				return fmt.Errorf("%w: %w", ErrUnreachable, errTooMuch)
			}
			return nil
		}}
		for i, c := range submitAll(t, t.Context(), f.batcher(t.Context()), ops(25)...) {
			if a := <-c; a.err != nil || a.outcome.Code != exchange.OK {
				t.Errorf("c%02d: %+v", i, a)
			}
		}
	})
}

// TestEndorsementsOverdue: what can be divided is given back to its caller, and
// nothing else is; either way nothing was submitted.
func TestEndorsementsOverdue(t *testing.T) {
	for _, c := range []struct {
		name      string
		divisible bool
		endorses  []error
		gives     bool
	}{
		{"the client's time", true, []error{overdue, overdue}, true},
		{"the chaincode's time", true, []error{chaincodeOverdue, chaincodeOverdue}, true},
		{"once", true, []error{overdue}, false},
		{"not in a row", true, []error{overdue, unavailable, overdue}, false},
		{"away, however often", true, repeated(20, unavailable), false},
		{"alone", false, repeated(20, overdue), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{endorses: c.endorses}
			e := engine{net: s, rest: func(context.Context, time.Duration) error { return nil }}
			_, _, err := e.transact(t.Context(), &progress{divisible: c.divisible}, "Apply", "[]")
			if errors.Is(err, errTooMuch) != c.gives || (err == nil) == c.gives {
				t.Errorf("error %v", err)
			}
			if c.gives && (!errors.Is(err, ErrUnreachable) || slices.Contains(s.stages, "submit 1")) {
				t.Errorf("error %v after %v", err, s.stages)
			}
		})
	}
}

// TestUnknownStatusOfABatch: the status of a batch is lost, its bytes go again,
// and each caller has one outcome of the one transaction.
func TestUnknownStatusOfABatch(t *testing.T) {
	s := &script{commits: []any{unavailable, overdue, cancelled, peer.TxValidationCode_VALID}}
	e := engine{net: s, rest: func(context.Context, time.Duration) error { return nil }}
	_, tx, err := e.transact(t.Context(), &progress{divisible: true}, "Apply", "[]")
	want := []string{"endorse 1", "submit 1", "commit 1", "commit 1", "submit 1", "commit 1", "commit 1"}
	if err != nil || tx != "tx1" || !slices.Equal(s.stages, want) {
		t.Errorf("%s, %v after %v, want %v", tx, err, s.stages, want)
	}
}
