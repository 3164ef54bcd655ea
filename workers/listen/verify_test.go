package listen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
)

// says is what the stream should hold of a ledger.
func (c *chain) says(t *testing.T) (list []events.Envelope) {
	t.Helper()
	for _, b := range c.blocks {
		for e, err := range envelopes("chancery", b) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, e)
		}
	}
	return list
}

// put stores messages as whoever has listen's key may.
func (f fixture) put(list []events.Envelope) {
	f.t.Helper()
	conn := f.Connect(f.t, "listen")
	for len(list) > 0 {
		tail, err := conn.Tail(f.t.Context(), events.StreamLedger)
		if err != nil {
			f.t.Fatal(err)
		}
		n := min(len(list), bus.MaxBatch)
		if _, err := conn.PublishBatch(f.t.Context(), list[:n], tail); err != nil {
			f.t.Fatal(err)
		}
		list = list[n:]
	}
}

func (f fixture) verify(c *chain, settle time.Duration) (Report, error) {
	return Verify(f.t.Context(), VerifyConfig{
		Channel: "chancery", Ledger: c, Stream: f.Connect(f.t, bus.UserDashboard), Settle: settle, Stall: within,
	})
}

// moved takes the element from a place and puts it at another.
func moved(list []events.Envelope, from, to int) []events.Envelope {
	e := list[from]
	return slices.Insert(slices.Delete(list, from, from+1), to, e)
}

// TestVerifyNames holds that each way in which a stream can be wrong is named,
// and nothing else.
func TestVerifyNames(t *testing.T) {
	at := func(list []events.Envelope, i int, change func(*events.Envelope)) []events.Envelope {
		change(&list[i])
		return list
	}
	// Ten events: five in block 0, five in block 2, the last of them in a
	// transaction of their own.
	tests := []struct {
		name   string
		spoil  func([]events.Envelope) []events.Envelope
		want   []string // findings, by how they begin or what they hold
		behind bool
	}{
		{"right", func(l []events.Envelope) []events.Envelope { return l }, nil, false},
		{"empty", func([]events.Envelope) []events.Envelope { return nil },
			[]string{"missing: 10 events from block 0, transaction 0, event 0 (a-0-0) to block 2, transaction 1, event 1 (a-2-1)"}, true},
		{"end lost", func(l []events.Envelope) []events.Envelope { return l[:9] },
			[]string{"missing: the event of block 2, transaction 1, event 1 (a-2-1)"}, true},
		{"beginning lost", func(l []events.Envelope) []events.Envelope { return l[2:] },
			[]string{"missing: 2 events from block 0, transaction 0, event 0 (a-0-0) to block 0, transaction 0, event 1 (a-0-0)"}, false},
		{"two gaps", func(l []events.Envelope) []events.Envelope { return slices.Delete(slices.Delete(l, 7, 8), 3, 5) },
			[]string{"missing: 2 events from block 0, transaction 0, event 3", "missing: the event of block 2, transaction 0, event 2"}, false},
		{"gap and lost end", func(l []events.Envelope) []events.Envelope { return slices.Delete(l[:8], 3, 4) },
			[]string{"missing: the event of block 0, transaction 0, event 3", "missing: 2 events from block 2, transaction 1, event 0"}, false},
		{"said twice", func(l []events.Envelope) []events.Envelope { return slices.Insert(l, 4, l[3]) },
			[]string{"repeated: message 5, block 0, transaction 0, event 3"}, false},
		{"said again at the end", func(l []events.Envelope) []events.Envelope { return append(l, l[0]) },
			[]string{"repeated: message 11, block 0, transaction 0, event 0"}, false},
		{"two changed places", func(l []events.Envelope) []events.Envelope { return moved(l, 4, 3) },
			[]string{"misplaced: message 4, block 0, transaction 0, event 4"}, false},
		{"too late", func(l []events.Envelope) []events.Envelope { return moved(l, 1, 6) },
			[]string{"misplaced: message 7, block 0, transaction 0, event 1"}, false},
		{"last first", func(l []events.Envelope) []events.Envelope { return moved(l, 9, 0) },
			[]string{"misplaced: message 1, block 2, transaction 1, event 1"}, false},
		{"another body", func(l []events.Envelope) []events.Envelope {
			return at(l, 5, func(e *events.Envelope) { e.Data = []byte(`{"n":9}`) })
		}, []string{"altered: message 6, block 2, transaction 0, event 0 (a-2-0): differs from the ledger in body"}, false},
		{"another counterpart and time", func(l []events.Envelope) []events.Envelope {
			return at(l, 0, func(e *events.Envelope) { e.Address.To, e.Time = "labor", e.Time.Add(time.Second) })
		}, []string{"altered: message 1, block 0, transaction 0, event 0 (a-0-0): differs from the ledger in ce-time, subject"}, false},
		{"another transaction", func(l []events.Envelope) []events.Envelope {
			return at(l, 2, func(e *events.Envelope) {
				p := *e.Position
				p.Tx = "forged"
				e.Position, e.ID = &p, p.EventID()
			})
		}, []string{"altered: message 3, block 0, transaction 0, event 2 (forged): differs from the ledger in ce-id, ce-tx"}, false},
		{"another channel", func(l []events.Envelope) []events.Envelope {
			return at(l, 2, func(e *events.Envelope) {
				p := *e.Position
				p.Channel = "other"
				e.Position = &p
			})
		}, []string{"foreign: message 3: it is of channel \"other\"", "missing: the event of block 0, transaction 0, event 2"}, false},
		{"an event where the ledger has none", func(l []events.Envelope) []events.Envelope {
			e := l[4]
			p := *e.Position
			p.EventIndex = 77
			e.Position, e.ID = &p, p.EventID()
			return slices.Insert(l, 5, e)
		}, []string{"foreign: message 6, block 0, transaction 0, event 77 (a-0-0): the ledger has no event there"}, false},
		{"a block that is not there", func(l []events.Envelope) []events.Envelope {
			e := l[4]
			p := *e.Position
			p.Block = 9
			e.Position, e.ID = &p, p.EventID()
			return slices.Insert(append(l, e), 5, e)
		}, []string{"beyond: message 6, block 9, transaction 0, event 4 (a-0-0): the ledger has 4 blocks", "beyond: message 12, block 9"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			c := newChain("a")
			c.add(5)
			c.add(0, 2)
			c.add(3, 2)
			c.add()
			f.put(tt.spoil(c.says(t)))
			r, err := f.verify(c, 200*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Findings) != len(tt.want) {
				t.Fatalf("found %q, want %q", r.Findings, tt.want)
			}
			for i, want := range tt.want {
				if got := r.Findings[i].String(); !strings.HasPrefix(got, want) {
					t.Errorf("found %q, want %q", got, want)
				}
			}
			if r.Behind != tt.behind || r.Cut || r.Height != 4 || r.Blocks != 4 || r.Events != 10 || r.Complete() != (len(tt.want) == 0) {
				t.Errorf("report %+v", r)
			}
		})
	}
}

// TestVerifyNamesWhatIsNoEvent has somebody with listen's key write what is no
// envelope at all.
func TestVerifyNamesWhatIsNoEvent(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(2)
	f.put(c.says(t))
	if _, err := f.plain("listen").Publish(t.Context(), "chancery.ledger.made.up", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	r, err := f.verify(c, time.Millisecond)
	if err != nil || len(r.Findings) != 1 || r.Findings[0].Fault != Foreign || r.Findings[0].Sequence != 3 || r.Findings[0].Place != nil ||
		!strings.HasPrefix(r.Findings[0].String(), "foreign: message 3: on chancery.ledger.made.up: ") {
		t.Errorf("report %+v, %v", r, err)
	}
}

// TestVerifyAnotherLedger compares a stream with ledgers that it does not
// belong to: one made anew, and one that is shorter.
func TestVerifyAnotherLedger(t *testing.T) {
	f := start(t)
	a, b, short := newChain("a"), newChain("b"), newChain("a")
	for range 30 {
		a.add(5)
		b.add(5)
	}
	for range 10 {
		short.add(5)
	}
	f.put(a.says(t))
	for name, tt := range map[string]struct {
		chain *chain
		fault Fault
		count int
		cut   bool
	}{
		"another": {b, Altered, MaxFindings, true},
		"shorter": {short, Beyond, MaxFindings, false},
	} {
		r, err := f.verify(tt.chain, time.Millisecond)
		if err != nil || len(r.Findings) != tt.count || r.Cut != tt.cut {
			t.Errorf("%s: %d findings, cut %t, %v", name, len(r.Findings), r.Cut, err)
		}
		for _, finding := range r.Findings {
			if finding.Fault != tt.fault {
				t.Errorf("%s: %s", name, finding)
			}
		}
	}
}

// TestVerifyWhileItGrows judges a stream that a listener is filling, and one
// that grows meanwhile.
func TestVerifyWhileItGrows(t *testing.T) {
	f := start(t)
	c := newChain("a")
	for range 300 {
		c.add(10)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			c.add(3, 2)
			if rest(ctx, 5*time.Millisecond) != nil {
				return
			}
		}
	}()
	f.listen(c, f.Connect(t, "listen"))
	for range 3 {
		r, err := f.verify(c, within)
		if err != nil || !r.Complete() || r.Events < 3000 {
			t.Errorf("report %+v, %v", r, err)
		}
	}
}

// TestVerifyAfterAPurge is how a rebuild ends: the stream fills while it is
// compared.
func TestVerifyAfterAPurge(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(1500)
	f.listen(c, f.Connect(t, "listen"))
	f.holds(c)
	if err := f.reader.Purge(t.Context(), events.StreamLedger); err != nil {
		t.Fatal(err)
	}
	if r, err := f.verify(c, within); err != nil || !r.Complete() || r.Messages != 1500 {
		t.Errorf("report %+v, %v", r, err)
	}
}

func TestVerifyWithoutAPart(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(1)
	f.put(c.says(t))
	cfg := VerifyConfig{Channel: "chancery", Ledger: stalled{c}, Stream: f.Connect(t, bus.UserDashboard), Stall: 50 * time.Millisecond}
	if _, err := Verify(t.Context(), cfg); !errors.Is(err, ledger.ErrUnreachable) {
		t.Errorf("a ledger without blocks: %v", err)
	}
	f.Stop()
	cfg.Ledger = c
	if _, err := Verify(t.Context(), cfg); !errors.Is(err, bus.ErrUnreachable) {
		t.Errorf("without a bus: %v", err)
	}
}

// stalled is a ledger that has blocks and gives none.
type stalled struct{ *chain }

func (stalled) Blocks(ctx context.Context, _ uint64, _ func(ledger.Block) error) error {
	<-ctx.Done()
	return fmt.Errorf("blocks: %w", ctx.Err())
}
