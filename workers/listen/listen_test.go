package listen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
)

const within = time.Minute // bounds every wait of these tests

// chain is a ledger in memory. Every transaction of a block is "valid" but
// those with an odd index in a block with an odd number.
type chain struct {
	mu     sync.Mutex
	name   string
	blocks []ledger.Block
	grown  chan struct{} // closed and replaced with each block
}

func newChain(name string) *chain { return &chain{name: name, grown: make(chan struct{})} }

// add appends a block with as many events in each transaction as said.
func (c *chain) add(transactions ...int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	number := uint64(len(c.blocks))
	b := ledger.Block{Number: number}
	for i, n := range transactions {
		tx := ledger.Tx{
			ID: fmt.Sprintf("%s-%d-%d", c.name, number, i), Index: i, Code: ledger.Valid,
			Time: time.Date(2026, 1, 1, 0, 0, int(number), 0, time.UTC),
		}
		if number%2 == 1 && i%2 == 1 {
			tx.Code, n = "MVCC_READ_CONFLICT", 0
		}
		for k := range n {
			tx.Events = append(tx.Events, exchange.Event{
				Type: exchange.RequestOpened, From: "health", To: "census",
				ID: exchange.NewID(exchange.NounRequest, tx.ID, fmt.Sprint(k)), Data: fmt.Appendf(nil, `{"n":%d}`, k),
			})
		}
		b.Txs = append(b.Txs, tx)
	}
	c.blocks = append(c.blocks, b)
	close(c.grown)
	c.grown = make(chan struct{})
}

func (c *chain) Height(context.Context) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return uint64(len(c.blocks)), nil
}

func (c *chain) Blocks(ctx context.Context, from uint64, yield func(ledger.Block) error) error {
	for n := from; ; n++ {
		c.mu.Lock()
		for n >= uint64(len(c.blocks)) {
			grown := c.grown
			c.mu.Unlock()
			select {
			case <-grown:
			case <-ctx.Done():
				return ctx.Err()
			}
			c.mu.Lock()
		}
		b := c.blocks[n]
		c.mu.Unlock()
		if err := yield(b); err != nil {
			return err
		}
	}
}

// want is the ce-id of every event of the ledger, in its order.
func (c *chain) want() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []string
	for _, b := range c.blocks {
		for _, tx := range b.Txs {
			for i := range tx.Events {
				ids = append(ids, fmt.Sprintf("%s.%d", tx.ID, i))
			}
		}
	}
	return ids
}

// fixture is one department's bus and what listens on it.
type fixture struct {
	*bustest.Bus
	t      *testing.T
	reader *bus.Conn
}

func start(t *testing.T) fixture {
	b := bustest.Start(t, "census")
	return fixture{b, t, b.Connect(t, "admin")}
}

// listen runs a listener until the test ends or stop is called, which returns
// its error.
func (f fixture) listen(c *chain, b Bus) (stop func() error) {
	w := New(Config{Channel: "chancery", Ledger: c, Bus: b, Check: 20 * time.Millisecond, Standby: 100 * time.Millisecond})
	ctx, cancel := context.WithCancel(f.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	f.t.Cleanup(func() { stop() }) //nolint:errcheck // the test looked at it, if it wanted to
	return stop
}

// fails runs a listener until it fails by itself.
func (f fixture) fails(c *chain, b Bus) error {
	w := New(Config{Channel: "chancery", Ledger: c, Bus: b, Check: 20 * time.Millisecond})
	ctx, cancel := context.WithTimeout(f.t.Context(), within)
	defer cancel()
	return w.Run(ctx)
}

// holds waits until the stream holds exactly what the ledger said.
func (f fixture) holds(c *chain) {
	f.t.Helper()
	want := c.want()
	deadline := time.After(within)
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		tail, err := f.reader.Tail(f.t.Context(), events.StreamLedger)
		if err == nil && tail.Last != nil && tail.Last.ID == want[len(want)-1] {
			break
		}
		select {
		case <-poll.C:
		case <-deadline:
			f.t.Fatalf("the stream ends with %+v, %v; want %s", tail, err, want[len(want)-1])
		}
	}
	if got := f.stored(); !slices.Equal(got, want) {
		f.t.Fatalf("stream holds %d events, the ledger %d; they differ from %d on", len(got), len(want), difference(got, want))
	}
}

func difference(a, b []string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// stored is the ce-id of everything on the stream.
func (f fixture) stored() []string {
	f.t.Helper()
	tail, err := f.reader.Tail(f.t.Context(), events.StreamLedger)
	if err != nil {
		f.t.Fatal(err)
	}
	var ids []string
	if tail.Messages == 0 {
		return nil
	}
	enough := errors.New("enough")
	err = f.reader.Follow(f.t.Context(), events.All(events.StreamLedger), 0, func(m *bus.Message) error {
		if m.Err != nil {
			return m.Err
		}
		if ids = append(ids, m.ID); m.Sequence == tail.Sequence {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		f.t.Fatal(err)
	}
	return ids
}

// plain is the NATS library itself, as a user.
func (f fixture) plain(user string) jetstream.JetStream {
	f.t.Helper()
	js, err := jetstream.New(f.Plain(f.t, user, nats.CustomInboxPrefix("_INBOX_"+user)))
	if err != nil {
		f.t.Fatal(err)
	}
	return js
}

func (f fixture) purge() {
	f.t.Helper()
	s, err := f.plain("admin").Stream(f.t.Context(), events.StreamLedger)
	if err == nil {
		err = s.Purge(f.t.Context())
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

func TestTellsWhatTheLedgerSays(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add()     // no transaction
	c.add(2, 3) // the second is invalid
	c.add(0, 1, 4)
	stop := f.listen(c, f.Connect(t, "listen"))
	f.holds(c)
	if n := len(f.stored()); n != 7 {
		t.Errorf("%d events", n)
	}
	for range 5 {
		c.add(1)
		f.holds(c)
	}
	tail, err := f.Connect(t, "listen").Tail(t.Context(), events.StreamLedger)
	if err != nil {
		t.Fatal(err)
	}
	m := tail.Last
	if p := m.Position; p.Channel != "chancery" || p.Block != 7 || p.TxIndex != 0 || p.EventIndex != 0 || p.Tx != "a-7-0" || p.Code != "VALID" {
		t.Errorf("position %+v", p)
	}
	if m.Address.To != "census" || m.Source != "health" || m.Time.Second() != 7 || string(m.Data) != `{"n":0}` {
		t.Errorf("event %+v", m.Envelope)
	}
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func TestManyBlocksMakeFewBatches(t *testing.T) {
	f := start(t)
	c := newChain("a")
	for range 600 {
		c.add(5)
	}
	b := &spoiled{Bus: f.Connect(t, "listen")}
	f.listen(c, b)
	f.holds(c)
	if b.mu.Lock(); b.published > 60 {
		t.Errorf("%d batches for 600 blocks", b.published)
	}
	b.mu.Unlock()
}

// spoiled is a bus whose publishing or reading goes wrong in a way.
type spoiled struct {
	Bus
	mu        sync.Mutex
	published int
	// before and after are called around publish number n, from 1; an error
	// stands in for its own.
	before, after func(n int) error
	stored        func(events int) // is told of each batch
}

func (s *spoiled) Tail(ctx context.Context, stream string) (bus.Tail, error) {
	s.mu.Lock() // a test that holds the lock holds the listener
	defer s.mu.Unlock()
	return s.Bus.Tail(ctx, stream)
}

func (s *spoiled) PublishReady(ctx context.Context, batch []bus.Ready, after bus.Tail) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published++
	if s.before != nil {
		if err := s.before(s.published); err != nil {
			return 0, err
		}
	}
	seq, err := s.Bus.PublishReady(ctx, batch, after)
	if err == nil && s.stored != nil {
		s.stored(len(batch))
	}
	if err == nil && s.after != nil {
		err = s.after(s.published)
	}
	return seq, err
}

// TestResumesInABlock stops in the middle of a block of 2500 events, at every
// place around a publish, and goes on with another listener.
func TestResumesInABlock(t *testing.T) {
	for _, kill := range []string{"before", "after"} {
		for n := 1; n <= 3; n++ {
			if kill == "after" && n == 3 {
				continue // all is said then
			}
			t.Run(fmt.Sprintf("%s batch %d", kill, n), func(t *testing.T) {
				t.Parallel()
				f := start(t)
				c := newChain("a")
				c.add(3)
				c.add(700, 0, 1800)
				c.add(2)
				ctx, cancel := context.WithCancel(t.Context())
				hook := func(m int) error {
					if m == n {
						cancel()
						return ctx.Err()
					}
					return nil
				}
				b := &spoiled{Bus: f.Connect(t, "listen")}
				if kill == "before" {
					b.before = hook
				} else {
					b.after = hook
				}
				if err := New(Config{Channel: "chancery", Ledger: c, Bus: b}).Run(ctx); err != nil {
					t.Fatal(err)
				}
				f.listen(c, f.Connect(t, "listen"))
				f.holds(c)
			})
		}
	}
}

// TestAmbiguousCommit loses the answer to a batch that was stored, and to one
// that was not.
func TestAmbiguousCommit(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(1500)
	lost := func(m int) func(int) error {
		return func(n int) error {
			if n == m {
				return fmt.Errorf("%w: on purpose", bus.ErrUnreachable)
			}
			return nil
		}
	}
	f.listen(c, &spoiled{Bus: f.Connect(t, "listen"), before: lost(2), after: lost(1)})
	f.holds(c)
}

func TestTwoListeners(t *testing.T) {
	f := start(t)
	c := newChain("a")
	c.add(1200)
	stopFirst := f.listen(c, f.Connect(t, "listen"))
	stopSecond := f.listen(c, f.Connect(t, "listen"))
	for range 20 {
		c.add(7)
	}
	f.holds(c)
	if err := stopFirst(); err != nil {
		t.Error(err)
	}
	c.add(5, 6)
	f.holds(c)
	stopThird := f.listen(c, f.Connect(t, "listen"))
	if err := stopSecond(); err != nil {
		t.Error(err)
	}
	c.add(1, 2)
	f.holds(c)
	if err := stopThird(); err != nil {
		t.Error(err)
	}
}
