package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chancery/chaincode/exchange"
)

// flights records what a batcher applies. A flight takes a second of the
// bubble's time, unless apply says otherwise.
type flights struct {
	mu      sync.Mutex
	batches [][]string // commands, in the order of take-off
	open    int
	most    int // in flight at once
	answer  func(n int, e *entry) exchange.Outcome
	fail    func(n int, entries []*entry) error
}

func (f *flights) apply(ctx context.Context, p *progress, entries []*entry) ([]exchange.Outcome, error) {
	f.mu.Lock()
	var commands []string
	for _, e := range entries {
		commands = append(commands, e.op.Command)
	}
	f.batches = append(f.batches, commands)
	n := len(f.batches)
	f.open++
	f.most = max(f.most, f.open)
	f.mu.Unlock()
	err := rest(ctx, time.Second)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open--
	if err != nil {
		return nil, p.stopped(err)
	}
	if f.fail != nil {
		if err := f.fail(n, entries); err != nil {
			return nil, err
		}
	}
	outcomes := make([]exchange.Outcome, len(entries))
	for i, e := range entries {
		outcomes[i] = exchange.Outcome{Command: e.op.Command, Code: exchange.OK}
		if f.answer != nil {
			outcomes[i] = f.answer(n, e)
		}
	}
	return outcomes, nil
}

func (f *flights) taken() [][]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.batches)
}

func (f *flights) batcher(ctx context.Context) *batcher {
	return &batcher{
		ctx: ctx, apply: f.apply, busy: make(map[string]struct{}),
		most: 10, bytes: exchange.MaxBatch, wait: 2 * time.Millisecond, inFlight: 3,
	}
}

// open is an operation with a record of its own, redeem one on a grant's slot.
func open(command string) exchange.Operation {
	return exchange.Operation{Command: command, Op: exchange.OpRequestOpen, Body: json.RawMessage(`{}`)}
}

func redeem(command string, slot int) exchange.Operation {
	return exchange.Operation{Command: command, Op: exchange.OpGrantRedeem, Body: fmt.Appendf(nil, `{"grant":"g","slot":%d}`, slot)}
}

// submitAll submits at one instant, in order, and returns the channel of
// answers of each.
func submitAll(t *testing.T, ctx context.Context, b *batcher, ops ...exchange.Operation) []chan answer {
	answers := make([]chan answer, len(ops))
	for i, op := range ops {
		answers[i] = make(chan answer, 1)
		encoded, err := encode(op)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			outcome, err := b.submit(ctx, op, encoded)
			answers[i] <- answer{outcome, err}
		}()
		synctest.Wait()
	}
	return answers
}

func ops(n int) []exchange.Operation {
	list := make([]exchange.Operation, n)
	for i := range list {
		list[i] = open(fmt.Sprintf("c%02d", i))
	}
	return list
}

func TestBatcherGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flights{}
		began := time.Now()
		for _, c := range submitAll(t, t.Context(), f.batcher(t.Context()), ops(45)...) {
			if a := <-c; a.err != nil || a.outcome.Code != exchange.OK {
				t.Errorf("answer %+v", a)
			}
		}
		// Batches that take off at one instant are recorded in any order.
		slices.SortFunc(f.batches, slices.Compare)
		var sizes []int
		var order []string
		for _, b := range f.batches {
			sizes, order = append(sizes, len(b)), append(order, b...)
		}
		// A lone operation goes at once, full batches follow, what is left
		// goes when a place is free.
		if want := []int{1, 10, 10, 10, 10, 4}; !slices.Equal(sizes, want) || f.most != 3 || !slices.IsSorted(order) {
			t.Errorf("batches of %v, want %v; %d at once; order %v", sizes, want, f.most, order)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestBatcherWaitsForCompany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flights{}
		b := f.batcher(t.Context())
		first := submitAll(t, t.Context(), b, open("a"))
		began := time.Now()
		rest := submitAll(t, t.Context(), b, open("b"), open("c"))
		for len(f.taken()) < 2 {
			<-time.After(time.Millisecond)
			synctest.Wait()
		}
		if waited := time.Since(began); waited != 2*time.Millisecond || len(f.taken()[1]) != 2 {
			t.Errorf("batches %v after %s", f.taken(), waited)
		}
		for _, c := range append(first, rest...) {
			<-c
		}
	})
}

// TestBatcherWaitsWhereBatchesAreSlow expects company to be waited for in
// proportion to what the last batch took.
func TestBatcherWaitsWhereBatchesAreSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flights{}
		b := f.batcher(t.Context())
		for _, c := range submitAll(t, t.Context(), b, open("a")) {
			<-c // after a second
		}
		alone := submitAll(t, t.Context(), b, open("b"))
		began := time.Now()
		rest := submitAll(t, t.Context(), b, open("c"), open("d"))
		for len(f.taken()) < 3 {
			<-time.After(time.Millisecond / 2)
			synctest.Wait()
		}
		if waited := time.Since(began); waited != time.Second/patience || len(f.taken()[1]) != 1 || len(f.taken()[2]) != 2 {
			t.Errorf("batches %v after %s", f.taken(), waited)
		}
		for _, c := range append(alone, rest...) {
			<-c
		}
	})
}

func TestBatcherBoundsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flights{}
		b := f.batcher(t.Context())
		one, _ := encode(open("c00"))
		b.bytes = len("[]") + 3*(len(one)+1)
		for _, c := range submitAll(t, t.Context(), b, ops(8)...) {
			<-c
		}
		for i, batch := range f.batches {
			if len(batch) > 3 {
				t.Errorf("batch %d: %v", i, batch)
			}
		}
		if len(f.batches) != 4 {
			t.Errorf("batches %v", f.batches)
		}
	})
}

// TestBatcherKeepsOrderOfARecord submits operations on two slots of one grant
// and expects no two on the same slot in flight, and each slot's in order.
func TestBatcherKeepsOrderOfARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flights{}
		answers := submitAll(t, t.Context(), f.batcher(t.Context()),
			redeem("a0", 0), redeem("a1", 0), redeem("b0", 1), redeem("a2", 0), redeem("b1", 1), open("z"))
		for _, c := range answers {
			<-c
		}
		want := [][]string{{"a0"}, {"b0", "z"}, {"a1"}, {"b1"}, {"a2"}}
		if !slices.EqualFunc(f.batches, want, slices.Equal) {
			t.Errorf("batches %v, want %v", f.batches, want)
		}
	})
}

func TestBatcherResubmitsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flights{answer: func(n int, e *entry) exchange.Outcome {
			if e.op.Command == "stuck" || (e.op.Command == "late" && n == 1) {
				return exchange.Outcome{Code: exchange.Again}
			}
			return exchange.Outcome{Code: exchange.OK}
		}}
		answers := submitAll(t, t.Context(), f.batcher(t.Context()), open("late"), open("stuck"))
		if a := <-answers[0]; a.err != nil || a.outcome.Code != exchange.OK {
			t.Errorf("late: %+v", a)
		}
		if a := <-answers[1]; a.err != nil || !errors.Is(a.outcome.Err(), exchange.ErrAgain) {
			t.Errorf("stuck: %+v", a)
		}
		tries := 0
		for _, b := range f.batches {
			if slices.Contains(b, "stuck") {
				tries++
			}
		}
		if tries != maxAgains+1 {
			t.Errorf("%d tries", tries)
		}
	})
}

// TestBatcherIsolatesAFault has one operation that breaks every batch it is
// in: it alone gets the fault.
func TestBatcherIsolatesAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flights{fail: func(_ int, entries []*entry) error {
			for _, e := range entries {
				if e.op.Command == "c05" {
					return fmt.Errorf("%w: c05 again", ErrFault)
				}
			}
			return nil
		}}
		for i, c := range submitAll(t, t.Context(), f.batcher(t.Context()), ops(11)...) {
			a := <-c
			if bad := i == 5; errors.Is(a.err, ErrFault) != bad || (a.outcome.Code == exchange.OK) == bad {
				t.Errorf("c%02d: %+v", i, a)
			}
		}
	})
}

func TestBatcherCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flights{}
		b := f.batcher(t.Context())
		first := submitAll(t, t.Context(), b, open("a"))
		leaving, leave := context.WithCancel(t.Context())
		queued := submitAll(t, leaving, b, open("b"))
		leave()
		if a := <-queued[0]; !errors.Is(a.err, context.Canceled) || !errors.Is(a.err, ErrUnreachable) {
			t.Errorf("left the queue: %+v", a)
		}
		if a := <-first[0]; a.err != nil {
			t.Errorf("stayed: %+v", a)
		}
		if len(f.batches) != 1 {
			t.Errorf("batches %v", f.batches)
		}

		leaving, leave = context.WithCancel(t.Context())
		gone := submitAll(t, leaving, b, open("c"))
		together := submitAll(t, leaving, b, open("d"))
		stays := submitAll(t, t.Context(), b, open("e"))
		<-time.After(10 * time.Millisecond) // d and e take off together
		leave()
		if a := <-gone[0]; !errors.Is(a.err, context.Canceled) {
			t.Errorf("left alone: %+v", a)
		}
		if a := <-together[0]; !errors.Is(a.err, context.Canceled) {
			t.Errorf("left company: %+v", a)
		}
		if a := <-stays[0]; a.err != nil || a.outcome.Code != exchange.OK {
			t.Errorf("stayed: %+v", a)
		}
		synctest.Wait()
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(f.batches) != 3 || len(b.busy) != 0 || b.flying != 0 || b.queued != 0 {
			t.Errorf("batches %v, %d keys, %d flying, %d bytes", f.batches, len(b.busy), b.flying, b.queued)
		}
	})
}

func TestBatcherEndsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flights{}
		ctx, end := context.WithCancelCause(t.Context())
		b := f.batcher(ctx)
		answers := submitAll(t, t.Context(), b, open("a"), open("b"))
		end(ErrClosed)
		for _, c := range answers {
			if a := <-c; !errors.Is(a.err, ErrClosed) {
				t.Errorf("answer %+v", a)
			}
		}
		synctest.Wait()
	})
}

func TestKeysOf(t *testing.T) {
	tests := []struct {
		op   exchange.Op
		body string
		want string
	}{
		{exchange.OpRequestOpen, `{"dataset":"d-1"}`, "command c"},
		{exchange.OpRequestWithdraw, `{"request":"r-1"}`, "command c, request r-1"},
		{exchange.OpDatasetRegister, `{"name":"population"}`, "command c, dataset population"},
		{exchange.OpObjectRegister, `{"dataset":"d-1","command":"x"}`, "command c, object d-1"},
		{exchange.OpObjectAttest, `{"object":"o-1"}`, "command c, attestation o-1"},
		{exchange.OpGrantRedeem, `{"grant":"g-1","slot":3}`, "command c, redemption g-1/3"},
		{exchange.OpKeyRelease, `{"grant":"g-1","slot":3,"wrapCid":"b"}`, "command c, redemption g-1/3"},
		{exchange.OpGrantRedeem, `[]`, "command c"},
		{"no.such", `{}`, "command c"},
	}
	for _, tt := range tests {
		op := exchange.Operation{Command: "c", Op: tt.op, Body: json.RawMessage(tt.body)}
		if got := strings.Join(keysOf(op), ", "); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.op, tt.body, got, tt.want)
		}
	}
	for _, row := range exchange.Transitions {
		if _, ok := subjects[row.Noun]; row.Apply && !ok {
			t.Errorf("%s: a batch does not know which record a %s is", row.Op, row.Noun)
		}
	}
}
