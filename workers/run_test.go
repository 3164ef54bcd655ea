package workers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
	"chancery/workers"
)

const patience = 15 * time.Second // what a test waits for a condition

// stage is a bus with a publisher of commands.
type stage struct {
	*bustest.Bus
	t      *testing.T
	system *bus.Conn

	// Each is made when it is first asked for.
	reader *bus.Conn
	admin  jetstream.JetStream
}

func newStage(t *testing.T) *stage {
	t.Helper()
	b := bustest.Start(t, "health")
	return &stage{Bus: b, t: t, system: b.Connect(t, bus.UserSystem)}
}

func (s *stage) command(id string) {
	s.t.Helper()
	e, err := events.NewCommand("health", events.RequestWithdraw, id, &exchange.EndRequest{
		Request: exchange.NewID(exchange.NounRequest, "HealthMSP", "c"), Reason: "r",
	}, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.system.Publish(s.t.Context(), e); err != nil {
		s.t.Fatal(err)
	}
}

// intake is a worker that consumes the commands with a handler.
func (s *stage) intake(h workers.Handler) workers.Worker {
	return workers.Worker{Name: "intake", Bus: s.Connect(s.t, "intake"), Subscriptions: []workers.Subscription{{
		Filter: events.CommandsFilter(), Handle: h,
		AckWait: 2 * time.Second, Backoff: 10 * time.Millisecond, MaxBackoff: 100 * time.Millisecond, MaxAttempts: 3,
	}}}
}

var quick = workers.Config{Department: "health", Grace: 2 * time.Second, Backoff: 10 * time.Millisecond, MaxBackoff: 100 * time.Millisecond}

// start runs workers; stop ends and awaits them.
func start(t *testing.T, list ...workers.Worker) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(zerolog.Nop().WithContext(t.Context()))
	done := make(chan error, 1)
	go func() { done <- workers.Run(ctx, quick, list) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(patience):
			t.Error("the workers do not stop")
		}
	})
	t.Cleanup(stop)
	return stop
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("in vain: %s", what)
		}
	}
}

// calm fails if a condition breaks within a short time.
func calm(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(400 * time.Millisecond); ; {
		select {
		case <-end:
			return
		case <-tick.C:
			if !condition() {
				t.Fatalf("not for long: %s", what)
			}
		}
	}
}

// pending is how many messages of intake's consumer have no verdict yet.
func (s *stage) pending() int {
	s.t.Helper()
	if s.admin == nil {
		js, err := jetstream.New(s.Plain(s.t, bus.UserAdmin, nats.CustomInboxPrefix("_INBOX_admin")))
		if err != nil {
			s.t.Fatal(err)
		}
		s.admin = js
	}
	c, err := s.admin.Consumer(s.t.Context(), events.StreamCommands, "intake-commands")
	if err != nil {
		s.t.Fatal(err)
	}
	info := c.CachedInfo()
	return info.NumAckPending + int(info.NumPending)
}

func (s *stage) letters() []events.Failed {
	s.t.Helper()
	var list []events.Failed
	if s.reader == nil {
		s.reader = s.Connect(s.t, bus.UserDashboard)
	}
	err := s.reader.Read(s.t.Context(), events.All(events.StreamDead), 0, func(m *bus.Message) error {
		f, err := events.Record[events.Failed](m.Envelope)
		list = append(list, f)
		return errors.Join(err, m.Err)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name    string
		verdict func(call int) error
		calls   int64
		reason  string // of the dead letter; none: no letter
	}{
		{"done", func(int) error { return nil }, 1, ""},
		{"retry then done", func(n int) error {
			if n < 6 {
				return fmt.Errorf("wrapped: %w", workers.Retry(time.Millisecond, errors.New("not yet")))
			}
			return nil
		}, 6, ""},
		{"error then done", func(n int) error {
			if n < 3 {
				return errors.New("broken")
			}
			return nil
		}, 3, ""},
		{"errors", func(int) error { return errors.New("broken for good") }, 3, "broken for good"},
		{"reject", func(int) error { return fmt.Errorf("wrapped: %w", workers.Reject(errors.New("nonsense"))) }, 1, "nonsense"},
		{"panic", func(n int) error { panic(fmt.Sprint("call ", n)) }, 3, "panic: call 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			var calls atomic.Int64
			start(t, s.intake(func(_ context.Context, m *workers.Message) error {
				n := int(calls.Add(1))
				if m.Err != nil || m.ID != "c-1" || m.Attempt != n || m.Sequence != 1 || m.Stream != events.StreamCommands {
					t.Errorf("delivery %d: %+v", n, m)
				}
				return c.verdict(n)
			}))
			s.command("c-1")
			eventually(t, "calls", func() bool { return calls.Load() == c.calls })
			eventually(t, "a verdict", func() bool { return s.pending() == 0 })
			calm(t, "no further call", func() bool { return calls.Load() == c.calls })
			letters := s.letters()
			if c.reason == "" {
				if len(letters) != 0 {
					t.Errorf("dead letters %+v", letters)
				}
				return
			}
			if len(letters) != 1 {
				t.Fatalf("%d dead letters", len(letters))
			}
			l := letters[0]
			if !strings.Contains(l.Reason, c.reason) || int64(l.Attempts) != c.calls || l.Sequence != 1 || l.Stream != events.StreamCommands ||
				l.Worker != "intake" || l.Consumer != "intake-commands" || l.Subject != "chancery.cmd.health.request.withdraw" ||
				l.Header["ce-id"][0] != "c-1" || !json.Valid(l.Body) {
				t.Errorf("letter %+v", l)
			}
		})
	}
}

// TestMalformed: what is no envelope becomes a dead letter, or goes to the
// handler for it, and never stops the consumer.
func TestMalformed(t *testing.T) {
	s := newStage(t)
	nc := s.Plain(t, bus.UserSystem)
	junk := func() {
		if _, err := nc.Request("chancery.cmd.health.request.open", []byte("{"), patience); err != nil {
			t.Fatal(err)
		}
	}
	junk()
	var good, bad atomic.Int64
	w := s.intake(func(context.Context, *workers.Message) error { good.Add(1); return nil })
	stop := start(t, w)
	s.command("c-1")
	eventually(t, "the good one", func() bool { return good.Load() == 1 })
	eventually(t, "the letter", func() bool { return len(s.letters()) == 1 })
	stop()
	w.Subscriptions[0].Malformed = func(_ context.Context, m *workers.Message) error {
		if m.Err == nil || m.Address.From != "health" {
			t.Errorf("malformed %+v", m)
		}
		bad.Add(1)
		return nil
	}
	start(t, w)
	junk()
	eventually(t, "the bad one", func() bool { return bad.Load() == 1 })
	if n := len(s.letters()); n != 1 {
		t.Errorf("%d dead letters", n)
	}
}

// TestHeartbeat: a handler slower than AckWait is not called again meanwhile.
func TestHeartbeat(t *testing.T) {
	s := newStage(t)
	var calls atomic.Int64
	w := s.intake(func(ctx context.Context, _ *workers.Message) error {
		calls.Add(1)
		select {
		case <-time.After(3 * time.Second):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	w.Subscriptions[0].AckWait = time.Second
	start(t, w)
	s.command("c-1")
	eventually(t, "a call", func() bool { return calls.Load() == 1 })
	eventually(t, "a verdict", func() bool { return s.pending() == 0 })
	if n := calls.Load(); n != 1 {
		t.Errorf("called %d times", n)
	}
}

// TestTimeout: a handler that hangs fails and is tried again.
func TestTimeout(t *testing.T) {
	s := newStage(t)
	var calls atomic.Int64
	w := s.intake(func(ctx context.Context, _ *workers.Message) error {
		if calls.Add(1) == 1 {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	w.Subscriptions[0].Timeout = 200 * time.Millisecond
	start(t, w)
	s.command("c-1")
	eventually(t, "a second call", func() bool { return calls.Load() == 2 })
	eventually(t, "a verdict", func() bool { return s.pending() == 0 })
}

// TestConcurrency: as many handlers at once as said, and no more.
func TestConcurrency(t *testing.T) {
	s := newStage(t)
	var now, most, done atomic.Int64
	gate := make(chan struct{})
	w := s.intake(func(context.Context, *workers.Message) error {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-gate
		now.Add(-1)
		done.Add(1)
		return nil
	})
	w.Subscriptions[0].Concurrency = 3
	for i := range 10 {
		s.command(fmt.Sprint("c-", i))
	}
	start(t, w)
	eventually(t, "three at once", func() bool { return now.Load() == 3 })
	calm(t, "three at once", func() bool { return now.Load() == 3 })
	close(gate)
	eventually(t, "all of them", func() bool { return done.Load() == 10 })
	if most.Load() != 3 {
		t.Errorf("%d at once", most.Load())
	}
}
