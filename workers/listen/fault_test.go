package listen

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

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

// TestDeletedBeforeACommit deletes the stream there, and makes it anew: its
// sequences begin again, at a number that a commit could meet.
func TestDeletedBeforeACommit(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(3500)
	f.listen(c, &spoiled{Bus: f.Connect(t, "listen"), before: func(n int) error {
		if n != 2 && n != 4 {
			return nil
		}
		if err := f.plain("admin").DeleteStream(t.Context(), events.StreamLedger); err != nil {
			return err
		}
		return f.Connect(t, "admin").EnsureStreams(t.Context())
	}})
	f.holds(c)
}

// TestForeignPublisherBetweenBatches has somebody with listen's key write while
// a backlog is on its way, where no look at the stream's end is due.
func TestForeignPublisherBetweenBatches(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(3500)
	err := f.fails(c, &spoiled{Bus: f.Connect(t, "listen"), before: func(n int) error {
		if n != 3 {
			return nil
		}
		_, err := f.plain("listen").Publish(t.Context(), "chancery.ledger.made.up", []byte("{}"))
		return err
	}})
	if !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "message 2001 on chancery.ledger.made.up") {
		t.Errorf("error %v", err)
	}
	if n := f.messages(); n != 2001 {
		t.Errorf("%d messages: what follows a foreign one must not be written", n)
	}
}

// TestForgedMessageID has somebody with listen's key publish under the ids that
// the next events have, so that the stream would take these for said already.
// Events carry no message id, so that nothing is lost once the forgery is purged
// and named meanwhile.
func TestForgedMessageID(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(3)
	for i := range 3 {
		m := nats.NewMsg("chancery.ledger.made.up")
		m.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("a-0-0.%d", i))
		if _, err := f.plain("listen").PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.fails(c, f.Connect(t, "listen")); !errors.Is(err, ErrForeign) {
		t.Errorf("error %v", err)
	}
	f.purge()
	f.listen(c, f.Connect(t, "listen"))
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

// TestLoneEventGoesOutAtOnce adds events one by one, each when the one before is
// stored: nothing but the event itself moves the listener.
func TestLoneEventGoesOutAtOnce(t *testing.T) {
	f := start(t)
	c := newChain("a")
	b := &spoiled{Bus: f.Connect(t, "listen")}
	stored := make(chan int, 1)
	b.stored = func(n int) { stored <- n }
	w := New(Config{Channel: "chancery", Ledger: c, Bus: b, Check: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	for i := range 30 {
		for range i % 3 {
			c.add() // a block that says nothing
		}
		c.add(1)
		select {
		case n := <-stored:
			if n != 1 {
				t.Errorf("%d events at once", n)
			}
		case <-time.After(within):
			t.Fatalf("event %d did not go out", i)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestReadsNoFurtherAheadThanThereIsRoom holds the bus while a ledger is read
// that is much longer.
func TestReadsNoFurtherAheadThanThereIsRoom(t *testing.T) {
	f := start(t)
	c := newChain("a")
	const blocks, each = 120, 100
	for range blocks {
		c.add(each)
	}
	read := &counted{chain: c}
	b := &spoiled{Bus: f.Connect(t, "listen")}
	held := make(chan struct{})
	b.before = func(n int) error {
		if n == 1 {
			<-held
		}
		return nil
	}
	w := New(Config{Channel: "chancery", Ledger: read, Bus: b})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	before := int64(-1)
	deadline := time.Now().Add(within)
	for poll := time.NewTicker(300 * time.Millisecond); before != read.blocks.Load() || before == 0; <-poll.C {
		if before = read.blocks.Load(); time.Now().After(deadline) {
			t.Fatal("reading does not end")
		}
	}
	if most := int64(roomEvents/each + blocksAhead + 3); before > most {
		t.Errorf("%d blocks of %d events are read ahead, at most %d should be", before, each, most)
	}
	close(held)
	f.holds(c)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// counted is a ledger that counts the blocks that it gave.
type counted struct {
	*chain
	blocks atomic.Int64
}

func (c *counted) Blocks(ctx context.Context, from uint64, yield func(ledger.Block) error) error {
	return c.chain.Blocks(ctx, from, func(b ledger.Block) error {
		c.blocks.Add(1)
		return yield(b)
	})
}

func (f fixture) messages() uint64 {
	f.t.Helper()
	tail, err := f.reader.Tail(f.t.Context(), events.StreamLedger)
	if err != nil {
		f.t.Fatal(err)
	}
	return tail.Messages
}
