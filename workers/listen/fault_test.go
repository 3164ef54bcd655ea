package listen

import (
	"errors"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
)

func TestRebuildsAPurgedStream(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(10)
	c.add(10)
	f.listen(c, f.Connect(t, "listen"))
	f.holds(c)
	f.purge() // while all is quiet
	f.holds(c)
	f.purge()
	c.add(3) // while something happens
	f.holds(c)
	tail, err := f.Connect(t, "listen").Tail(t.Context(), events.StreamLedger)
	if err != nil || tail.Sequence <= tail.Messages {
		t.Errorf("sequences must keep rising: %+v, %v", tail, err)
	}
}

func TestRebuildsADeletedStream(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(10)
	f.listen(c, f.Connect(t, "listen"))
	f.holds(c)
	if err := f.plain("admin").DeleteStream(t.Context(), events.StreamLedger); err != nil {
		t.Fatal(err)
	}
	c.add(1)
	if err := f.Connect(t, "admin").EnsureStreams(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.holds(c)
}

// TestPurgedBeforeACommit purges between the listener's look at the stream's
// end and its commit: what it then would store has lost what comes before it.
func TestPurgedBeforeACommit(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(1500)
	f.listen(c, &spoiled{Bus: f.Connect(t, "listen"), before: func(n int) error {
		if n == 2 {
			f.purge()
		}
		return nil
	}})
	f.holds(c)
}

// TestRefillsALostTail puts the stream back to an earlier end, as a disk does
// that lost the newest, while the listener runs.
func TestRefillsALostTail(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(3, 4)
	c.add(5)
	conn := f.Connect(t, "listen")
	b := &spoiled{Bus: conn}
	f.listen(c, b)
	f.holds(c)

	b.mu.Lock()
	f.purge()
	var rest []events.Envelope
	for i, e := range c.blocks[0].Txs[0].Events[:2] {
		p := events.Position{Channel: "chancery", Tx: c.blocks[0].Txs[0].ID, EventIndex: i, Code: ledger.Valid}
		envelope, err := events.NewLedger(e, p, c.blocks[0].Txs[0].Time)
		if err != nil {
			t.Fatal(err)
		}
		rest = append(rest, envelope)
	}
	tail, err := conn.Tail(t.Context(), events.StreamLedger)
	if err == nil {
		_, err = conn.PublishBatch(t.Context(), rest, tail)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Unlock()
	f.holds(c)
}

func TestSurvivesTheBus(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(10)
	f.listen(c, f.Connect(t, "listen"))
	f.holds(c)
	f.Stop()
	c.add(20)
	f.Resume(t)
	f.holds(c)
}

// TestRefusesWhatDoesNotFit holds that a stream and a ledger that do not
// belong together are named and left alone.
func TestRefusesWhatDoesNotFit(t *testing.T) {
	a := newChain("a")
	a.add(3)
	a.add(3, 0, 3)
	short, other, fewer := newChain("a"), newChain("b"), newChain("a")
	short.add(3)
	for range 3 {
		other.add(3, 0, 3)
	}
	fewer.add(3)
	fewer.add(3, 0, 2)
	fewer.add(9)
	tests := []struct {
		name   string
		ledger *chain
		is     error
		says   string
	}{
		{"ledger shorter than the stream", short, ErrShortLedger, "ends in block 1, the peer has 1 blocks"},
		{"another transaction at the place", other, ErrOtherLedger, "a-1-2.2"},
		{"fewer events at the place", fewer, ErrOtherLedger, "a-1-2.2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t)
			stop := f.listen(a, f.Connect(t, "listen"))
			f.holds(a)
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			err := f.fails(tt.ledger, f.Connect(t, "listen"))
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want %v with %q", err, tt.is, tt.says)
			}
			f.holds(a)
		})
	}
}

func TestRefusesAnotherChannel(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(1)
	conn := f.Connect(t, "listen")
	e, err := events.NewLedger(c.blocks[0].Txs[0].Events[0], events.Position{Channel: "other", Tx: "x", Code: ledger.Valid}, c.blocks[0].Txs[0].Time)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.PublishBatch(t.Context(), []events.Envelope{e}, bus.Tail{}); err != nil {
		t.Fatal(err)
	}
	if err := f.fails(c, conn); !errors.Is(err, ErrOtherLedger) || !strings.Contains(err.Error(), `"other"`) {
		t.Errorf("error %v", err)
	}
}

// TestNamesAForeignPublisher has somebody with listen's key write, first what
// is no event, then an event at places where the ledger has none.
func TestNamesAForeignPublisher(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(3)
	conn := f.Connect(t, "listen")
	stop := f.listen(c, conn)
	f.holds(c)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	places := []struct {
		p  events.Position
		is error
	}{
		{events.Position{Channel: "chancery", Block: 0, TxIndex: 0, EventIndex: 3, Tx: "a-0-0", Code: ledger.Valid}, ErrOtherLedger},
		{events.Position{Channel: "chancery", Block: 9, Tx: "forged", Code: ledger.Valid}, ErrShortLedger},
	}
	for _, place := range places {
		e, err := events.NewLedger(c.blocks[0].Txs[0].Events[0], place.p, c.blocks[0].Txs[0].Time)
		if err != nil {
			t.Fatal(err)
		}
		tail, err := conn.Tail(t.Context(), events.StreamLedger)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.PublishBatch(t.Context(), []events.Envelope{e}, tail); err != nil {
			t.Fatal(err)
		}
		if err := f.fails(c, conn); !errors.Is(err, place.is) {
			t.Errorf("forged place %+v: %v, want %v", place.p, err, place.is)
		}
	}
	if _, err := f.plain("listen").Publish(t.Context(), "chancery.ledger.made.up", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := f.fails(c, conn); !errors.Is(err, ErrForeign) {
		t.Errorf("no event: %v", err)
	}
}

// TestNoticesAForeignPublisher is the same while the listener runs.
func TestNoticesAForeignPublisher(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(3)
	ended := make(chan error)
	go func() { ended <- f.fails(c, f.Connect(t, "listen")) }()
	f.holds(c)
	if _, err := f.plain("listen").Publish(t.Context(), "chancery.ledger.made.up", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ErrForeign) {
		t.Errorf("error %v", err)
	}
}

func TestRefusesAnEventThatHasNoSubject(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(2)
	c.blocks[0].Txs[0].Events[1].From = "Health > *"
	err := f.fails(c, f.Connect(t, "listen"))
	if !errors.Is(err, exchange.ErrInvalid) || !strings.Contains(err.Error(), "event 1 of transaction a-0-0 in block 0") {
		t.Errorf("error %v", err)
	}
}
