package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	gatewaypb "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"chancery/chaincode/exchange"
)

// script is a [network] that answers each stage from a list, in order, and
// succeeds when the list is used up.
type script struct {
	endorses []error
	submits  []error
	commits  []any // error or peer.TxValidationCode

	stages []string // what was asked, as "endorse 1", "submit 1", "commit 1", the number of the transaction
	txs    int
}

func next[T any](list *[]T, none T) T {
	if len(*list) == 0 {
		return none
	}
	first := (*list)[0]
	*list = (*list)[1:]
	return first
}

func (s *script) endorse(context.Context, string, []string) (endorsed, error) {
	s.txs++
	s.stages = append(s.stages, fmt.Sprintf("endorse %d", s.txs))
	if err := next(&s.endorses, nil); err != nil {
		return nil, err
	}
	return &scriptTx{s, s.txs}, nil
}

func (s *script) evaluate(ctx context.Context, _, function string, args []string) ([]byte, error) {
	tx, err := s.endorse(ctx, function, args)
	if err != nil {
		return nil, err
	}
	return tx.result(), nil
}

type scriptTx struct {
	s *script
	n int
}

func (t *scriptTx) id() string     { return fmt.Sprintf("tx%d", t.n) }
func (t *scriptTx) result() []byte { return fmt.Appendf(nil, "result %d", t.n) }

func (t *scriptTx) submit(context.Context) error {
	t.s.stages = append(t.s.stages, fmt.Sprintf("submit %d", t.n))
	return next(&t.s.submits, nil)
}

func (t *scriptTx) commit(context.Context) (peer.TxValidationCode, error) {
	t.s.stages = append(t.s.stages, fmt.Sprintf("commit %d", t.n))
	switch answer := next(&t.s.commits, any(peer.TxValidationCode_VALID)).(type) {
	case error:
		return 0, answer
	case peer.TxValidationCode:
		return answer, nil
	}
	return 0, errors.New("a script holds errors and validation codes")
}

func grpcError(code codes.Code, message string, details ...string) error {
	st := status.New(code, message)
	for _, d := range details {
		st, _ = st.WithDetails(&gatewaypb.ErrorDetail{Address: "peer.test:7051", MspId: "CensusMSP", Message: d})
	}
	return st.Err()
}

func repeated[T any](n int, v T) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = v
	}
	return list
}

var (
	unavailable = grpcError(codes.Unavailable, "connection refused")
	overdue     = grpcError(codes.DeadlineExceeded, "too late")
	cancelled   = grpcError(codes.Canceled, "stream reset")
	refusedHere = grpcError(codes.Aborted, "failed to endorse transaction, see attached details for more info",
		"chaincode response 500, denied: not an officer")
	refusedElsewhere = grpcError(codes.Aborted, "failed to collect enough transaction endorsements, see attached details for more info",
		"chaincode response 500, not-found: there is no grant g-1")
	mismatch = grpcError(codes.Aborted, "failed to collect enough transaction endorsements, see attached details for more info",
		"ProposalResponsePayloads do not match")
	noPlan   = grpcError(codes.FailedPrecondition, "no combination of peers can be derived which satisfy the endorsement policy")
	starting = grpcError(codes.Aborted, "failed to endorse transaction, see attached details for more info", "connection to chaincode: EOF")
	denied   = grpcError(codes.Aborted, "failed to endorse transaction", "access denied: channel [chancery] creator org [CensusMSP]")
	noCode   = grpcError(codes.Aborted, "failed to endorse transaction", "chaincode response 500, something broke")
	badBytes = grpcError(codes.Aborted, "received unsuccessful response from orderer: status=BAD_REQUEST")
)

const (
	valid     = peer.TxValidationCode_VALID
	mvcc      = peer.TxValidationCode_MVCC_READ_CONFLICT
	phantom   = peer.TxValidationCode_PHANTOM_READ_CONFLICT
	policy    = peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE
	duplicate = peer.TxValidationCode_DUPLICATE_TXID
	badSign   = peer.TxValidationCode_BAD_CREATOR_SIGNATURE
)

// TestRetryTable holds every row of the table: what follows on what.
func TestRetryTable(t *testing.T) {
	one := "endorse 1, submit 1, commit 1"
	tests := []struct {
		name   string
		script script
		stages string // what was asked, in order
		result string
		is     error // sentinel of the error; nil: none
	}{
		{"all well", script{}, one, "result 1", nil},
		{"endorse: unavailable, late, no plan yet, chaincode starting", script{endorses: []error{unavailable, overdue, noPlan, starting}},
			"endorse 1, endorse 2, endorse 3, endorse 4, endorse 5, submit 5, commit 5", "result 5", nil},
		{"endorse: the own peer's contract refuses", script{endorses: []error{refusedHere}}, "endorse 1", "", exchange.ErrDenied},
		{"endorse: the peer refuses the identity", script{endorses: []error{denied}}, "endorse 1", "", exchange.ErrDenied},
		{"endorse: an error of the contract without a code", script{endorses: []error{noCode}}, "endorse 1", "", ErrFault},
		{"endorse: malformed request", script{endorses: []error{grpcError(codes.InvalidArgument, "no")}}, "endorse 1", "", ErrFault},
		{"endorse: a mismatch passes", script{endorses: []error{mismatch, mismatch}}, "endorse 1, endorse 2, endorse 3, submit 3, commit 3", "result 3", nil},
		{"endorse: three mismatches", script{endorses: repeated(3, mismatch)}, "endorse 1, endorse 2, endorse 3", "", ErrFault},
		{"endorse: another peer lags", script{endorses: []error{refusedElsewhere}}, "endorse 1, endorse 2, submit 2, commit 2", "result 2", nil},
		{"endorse: another peer keeps refusing", script{endorses: repeated(3, refusedElsewhere)}, "endorse 1, endorse 2, endorse 3", "", exchange.ErrNotFound},
		{"submit: unknown, so the same bytes", script{submits: []error{unavailable, overdue, cancelled}},
			"endorse 1, submit 1, submit 1, submit 1, submit 1, commit 1", "result 1", nil},
		{"submit: the orderer calls the bytes wrong", script{submits: []error{badBytes}}, "endorse 1, submit 1", "", ErrFault},
		{"submit: unknown, then wrong", script{submits: []error{overdue, badBytes}}, "endorse 1, submit 1, submit 1", "", ErrUnknownOutcome},
		{"status: ask again, never propose", script{commits: []any{unavailable, grpcError(codes.Aborted, "closed"), valid}},
			"endorse 1, submit 1, commit 1, commit 1, commit 1", "result 1", nil},
		{"status: overdue, so the same bytes once more", script{commits: []any{overdue, valid}},
			"endorse 1, submit 1, commit 1, submit 1, commit 1", "result 1", nil},
		{"status: may not be asked", script{commits: []any{grpcError(codes.PermissionDenied, "no")}}, one, "", ErrUnknownOutcome},
		{"commit: the copy is a duplicate, the first counts", script{commits: []any{duplicate, valid}}, one + ", commit 1", "result 1", nil},
		{"commit: only duplicates", script{commits: repeated(4, any(duplicate))}, one + ", commit 1, commit 1, commit 1", "", ErrUnknownOutcome},
		{"commit: conflicts, so a new transaction", script{commits: []any{mvcc, phantom, valid}},
			one + ", endorse 2, submit 2, commit 2, endorse 3, submit 3, commit 3", "result 3", nil},
		{"commit: policy failure once", script{commits: []any{policy, valid}}, one + ", endorse 2, submit 2, commit 2", "result 2", nil},
		{"commit: policy failure twice", script{commits: []any{policy, policy}}, one + ", endorse 2, submit 2, commit 2", "", ErrFault},
		{"commit: final code", script{commits: []any{badSign}}, one, "", ErrFault},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := &engine{net: &tt.script, rest: func(context.Context, time.Duration) error { return nil }}
			result, _, err := e.transact(t.Context(), &progress{}, "Apply", "[]")
			if got := strings.Join(tt.script.stages, ", "); got != tt.stages {
				t.Errorf("stages %s\n  want %s", got, tt.stages)
			}
			if string(result) != tt.result || !errors.Is(err, tt.is) {
				t.Errorf("result %q, error %v; want %q, %v", result, err, tt.result, tt.is)
			}
		})
	}
}

func TestConflictsAreBounded(t *testing.T) {
	s := &script{commits: repeated(20, any(mvcc))}
	e := &engine{net: s, rest: func(context.Context, time.Duration) error { return nil }}
	_, _, err := e.transact(t.Context(), &progress{}, "Apply", "[]")
	if !errors.Is(err, exchange.ErrAgain) || s.txs != maxRenewals {
		t.Errorf("%d transactions, error %v", s.txs, err)
	}
}

// TestStopped holds what is said when the context ends in a stage.
func TestStopped(t *testing.T) {
	tests := []struct {
		name   string
		script script
		pauses int // before the context ends
		is     error
		says   string
	}{
		{"before anything was ordered", script{endorses: repeated(9, unavailable)}, 3, ErrUnreachable, "connection refused"},
		{"while submitting", script{submits: repeated(9, overdue)}, 2, ErrUnknownOutcome, "too late"},
		{"while waiting", script{commits: repeated(9, any(unavailable))}, 2, ErrUnknownOutcome, "connection refused"},
		{"after a conflict nothing is in doubt", script{commits: repeated(9, any(mvcc))}, 1, ErrUnreachable, "MVCC_READ_CONFLICT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			enough := errors.New("enough")
			e := &engine{net: &tt.script, rest: func(ctx context.Context, _ time.Duration) error {
				if tt.pauses--; tt.pauses <= 0 {
					cancel(enough)
				}
				return context.Cause(ctx)
			}}
			_, _, err := e.transact(ctx, &progress{}, "Apply", "[]")
			if !errors.Is(err, tt.is) || !errors.Is(err, enough) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want %v because %v, with %q", err, tt.is, enough, tt.says)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	for n := range 20 {
		if d := backoff(n); d < firstPause/2 || d > longPause {
			t.Errorf("backoff(%d) is %s", n, d)
		}
	}
}
