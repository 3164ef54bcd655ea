package intake

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
	"chancery/schemas"
	"chancery/test/workertest"
	"chancery/workers"
)

// open runs the worker and returns when its door answers. limit is how many
// requests it takes.
func (s *scene) open(limit int) (stop func()) {
	s.t.Helper()
	conn := s.Connect(s.t, Name)
	w := New(Config{Department: "census", MSP: "CensusMSP", Spool: s.spool, Ledger: s.ledger, Bus: conn, Requests: limit})
	w.Bus = conn
	ctx, cancel := context.WithCancel(zerolog.Nop().WithContext(s.t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- workers.Run(ctx, workers.Config{Department: "census", Grace: time.Second}, []workers.Worker{w})
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(stop)
	workertest.Eventually(s.t, "an open door", func() bool {
		// What the door refuses by itself needs no ledger.
		m := nats.NewMsg(events.AskSubject("census", "no.command"))
		_, err := s.plain.RequestMsg(m, 200*time.Millisecond)
		return err == nil
	})
	return stop
}

func (s *scene) ask(e events.Envelope, limit time.Duration) (events.Answer, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), limit)
	defer cancel()
	return s.system.Ask(ctx, e)
}

// mustAsk asks and reads the answer, which fits its schema.
func (s *scene) mustAsk(e events.Envelope) events.Answer {
	s.t.Helper()
	a, err := s.ask(e, 10*time.Second)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// tellings counts what the stream says of each command, accepted or refused.
func (s *scene) tellings(n int) map[string]int {
	s.t.Helper()
	count := make(map[string]int)
	for _, e := range s.answers(n) {
		if e.Correlation != "" {
			count[e.Correlation]++
		}
	}
	return count
}

// TestBothDoors says one command by either door, in either order: it is done
// once, and every answer is the same.
func TestBothDoors(t *testing.T) {
	s := newScene(t)
	s.open(0)
	first := s.mustAsk(s.withdraw("c-1", "over"))
	if first.Err() != nil || first.Accepted.Repeated || first.Accepted.Tx != "tx-1" || first.Accepted.Command != "c-1" {
		t.Fatalf("answered %+v", first)
	}
	again := s.mustAsk(s.withdraw("c-1", "over"))
	if again.Err() != nil || !again.Accepted.Repeated || again.Accepted.ID != first.Accepted.ID {
		t.Errorf("again: %+v", again.Accepted)
	}
	if other := s.mustAsk(s.withdraw("c-1", "otherwise")); !errors.Is(other.Err(), exchange.ErrConflict) {
		t.Errorf("another body: %+v", other)
	}
	s.send(s.withdraw("c-1", "over"))
	s.send(s.withdraw("c-2", "over"))
	workertest.Eventually(t, "the stream's commands to be told", func() bool {
		count := s.tellings(0)
		return count["c-1"] == 4 && count["c-2"] == 1
	})
	if late := s.mustAsk(s.withdraw("c-2", "over")); late.Err() != nil || !late.Accepted.Repeated {
		t.Errorf("after the stream: %+v", late)
	}
}

// TestDoorStages has a file sealed that was asked for at the door.
func TestDoorStages(t *testing.T) {
	s := newScene(t)
	s.open(0)
	if a := s.mustAsk(s.command(events.DatasetPublish, "p-1", publication("population.csv"))); a.Err() != nil || a.Accepted.ID != dataset {
		t.Fatalf("answered %+v", a)
	}
	if list := s.staged(); len(list) != 1 || list[0].Command != "p-1" {
		t.Errorf("staged %+v", list)
	}
	if a := s.mustAsk(s.command(events.DatasetPublish, "p-2", publication("gone.csv"))); !errors.Is(a.Err(), exchange.ErrNotFound) && !errors.Is(a.Err(), exchange.ErrInvalid) {
		t.Errorf("no such file: %+v", a)
	}
}

// TestDoorRefusesWhatIsMalformed as the stream's door does, with an answer that
// fits its schema.
func TestDoorRefusesWhatIsMalformed(t *testing.T) {
	s := newScene(t)
	s.open(0)
	for name, alter := range map[string]func(m *nats.Msg){
		"no JSON":        func(m *nats.Msg) { m.Data = []byte(`{"request":`) },
		"nothing":        func(m *nats.Msg) { m.Data, m.Header = nil, nil },
		"a key twice":    func(m *nats.Msg) { m.Data = []byte(`{"reason":"r","reason":"r"}`) },
		"an unknown key": func(m *nats.Msg) { m.Data = []byte(`{"request":"` + request + `","reason":"r","from":"health"}`) },
		"no command":     func(m *nats.Msg) { m.Subject = "chancery.api.census.request.delete" },
		"too deep":       func(m *nats.Msg) { m.Subject += ".now" },
		"another source": func(m *nats.Msg) { m.Header["ce-source"] = []string{"health"} },
		"a bad id":       func(m *nats.Msg) { m.Header["ce-id"] = []string{"no id"} },
		"a bad time":     func(m *nats.Msg) { m.Header.Set(events.TimeoutHeader, "soon") },
		"a huge body": func(m *nats.Msg) {
			m.Data = []byte(`{"request":"` + request + `","reason":"` + strings.Repeat("x", exchange.MaxBody) + `"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := s.withdraw("c-1", "over").AskMsg()
			if err != nil {
				t.Fatal(err)
			}
			alter(m)
			reply, err := s.plain.RequestMsg(m, 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if err := schemas.Validate(reply.Header.Get("ce-type"), reply.Data); err != nil {
				t.Error(err)
			}
			a, err := events.ParseAnswer(reply.Header, reply.Data)
			if err != nil || !errors.Is(a.Err(), exchange.ErrInvalid) {
				t.Errorf("answered %s, %v", reply.Data, err)
			}
		})
	}
	if told := s.ledger.Told(); len(told) > 0 {
		t.Errorf("the ledger got %v", told)
	}
}

// TestDoorWithoutOutcome: what the ledger cannot do is told with its code, and
// nothing is said on the stream.
func TestDoorWithoutOutcome(t *testing.T) {
	for _, c := range []struct {
		err    error
		answer exchange.Code
		want   events.Delay
	}{
		{fmt.Errorf("dial: %w", ledger.ErrUnreachable), "", events.Unreachable},
		{fmt.Errorf("%w: %w", ledger.ErrUnreachable, context.DeadlineExceeded), "", events.Unreachable},
		{ledger.ErrUnknownOutcome, "", events.Unknown},
		{ledger.ErrFault, "", events.Faulty},
		{nil, exchange.Again, events.Contended},
	} {
		t.Run(string(c.want), func(t *testing.T) {
			s := newScene(t)
			s.ledger.Answer = func(exchange.Operation) (exchange.Outcome, error) { return exchange.Outcome{Code: c.answer}, c.err }
			s.open(0)
			m, err := s.withdraw("c-1", "over").AskMsg()
			if err != nil {
				t.Fatal(err)
			}
			reply, err := s.plain.RequestMsg(m, 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if err := schemas.Validate(reply.Header.Get("ce-type"), reply.Data); err != nil {
				t.Error(err)
			}
			a, err := events.ParseAnswer(reply.Header, reply.Data)
			if err != nil || a.Unsettled == nil || a.Unsettled.Code != c.want || a.Unsettled.RetryAfter <= 0 {
				t.Errorf("answered %s, %v", reply.Data, err)
			}
			if code := reply.Header.Get("Nats-Service-Error-Code"); code != fmt.Sprint(http.StatusServiceUnavailable) {
				t.Errorf("code for NATS's tools: %q", code)
			}
			if n := s.tellings(0)["c-1"]; n > 0 {
				t.Errorf("told %d times on the stream", n)
			}
		})
	}
}

// gate is a ledger that keeps everybody waiting until it is opened.
type gate struct {
	Ledger
	opened  chan struct{}
	waiting atomic.Int64
	most    atomic.Int64
}

func (g *gate) Submit(ctx context.Context, op exchange.Operation) (exchange.Outcome, error) {
	n := g.waiting.Add(1)
	defer g.waiting.Add(-1)
	for most := g.most.Load(); n > most && !g.most.CompareAndSwap(most, n); most = g.most.Load() {
	}
	select {
	case <-g.opened:
		return g.Ledger.Submit(ctx, op)
	case <-ctx.Done():
		return exchange.Outcome{}, fmt.Errorf("%w: %w", ledger.ErrUnreachable, context.Cause(ctx))
	}
}

// gated runs the worker over a ledger that is shut.
func (s *scene) gated(commands, requests int) *gate {
	s.t.Helper()
	g := &gate{Ledger: s.ledger, opened: make(chan struct{})}
	conn := s.Connect(s.t, Name)
	w := New(Config{Department: "census", MSP: "CensusMSP", Spool: s.spool, Ledger: g, Bus: conn, Commands: commands, Requests: requests})
	w.Bus = conn
	ctx, cancel := context.WithCancel(zerolog.Nop().WithContext(s.t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- workers.Run(ctx, workers.Config{Department: "census", Grace: time.Second}, []workers.Worker{w})
	}()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	return g
}

// TestOverload fills the door: who finds no room is told so at once, who waits
// is answered within the time given, and afterwards there is room again.
func TestOverload(t *testing.T) {
	const room, crowd = 8, 40
	s := newScene(t)
	g := s.gated(0, room)
	workertest.Eventually(t, "an open door", func() bool {
		_, err := s.plain.RequestMsg(nats.NewMsg(events.AskSubject("census", "no.command")), 200*time.Millisecond)
		return err == nil
	})
	var wg sync.WaitGroup
	codes := make(chan events.Delay, crowd)
	began := time.Now()
	for i := range crowd {
		wg.Go(func() {
			a, err := s.ask(s.withdraw(fmt.Sprint("c-", i), "over"), 2*time.Second)
			if err != nil || a.Unsettled == nil {
				t.Errorf("answered %+v, %v", a, err)
				return
			}
			if took := time.Since(began); a.Unsettled.Code == events.Overloaded && took > time.Second {
				t.Errorf("told after %s that there is no room", took)
			}
			codes <- a.Unsettled.Code
		})
	}
	wg.Wait()
	close(codes)
	count := make(map[events.Delay]int)
	for c := range codes {
		count[c]++
	}
	if count[events.Overloaded] != crowd-room || count[events.Unreachable] != room || g.most.Load() != room {
		t.Errorf("answers %v, %d under way at once", count, g.most.Load())
	}
	close(g.opened)
	if a := s.mustAsk(s.withdraw("c-late", "over")); a.Err() != nil {
		t.Errorf("afterwards: %+v", a)
	}
}

// TestBacklog stores 10,000 commands in atomic batches while the ledger is away
// and expects each to be done and told once when it is back, with no more under
// way at a time than configured.
func TestBacklog(t *testing.T) {
	many := 10_000
	if testing.Short() {
		many = 1000
	}
	const limit = 256
	s := newScene(t)
	g := s.gated(limit, 0)
	list := make([]events.Envelope, many)
	for i := range list {
		list[i] = s.withdraw(fmt.Sprint("c-", i), "over")
	}
	if _, err := s.system.PublishAll(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	workertest.Eventually(t, "a full house", func() bool { return g.waiting.Load() == limit })
	close(g.opened)
	s.drained(many)
	if g.most.Load() > limit {
		t.Errorf("%d commands were under way at once", g.most.Load())
	}
	done := make(map[string]int)
	for _, op := range s.ledger.Told() {
		done[op.Command]++
	}
	for id, n := range done {
		if n != 1 {
			t.Errorf("%s was submitted %d times", id, n)
		}
	}
	for id, n := range s.tellings(many) {
		if n != 1 {
			t.Errorf("%s was told %d times", id, n)
		}
	}
}

// drained waits until so many answers are on the stream, as a dashboard counts
// them.
func (s *scene) drained(n int) {
	s.t.Helper()
	conn := s.Connect(s.t, bus.UserDashboard)
	deadline := time.Now().Add(2 * time.Minute)
	workertest.Eventually(s.t, "progress", func() bool {
		tail, err := conn.Tail(s.t.Context(), events.StreamWork)
		return err == nil && (tail.Messages >= uint64(n)/2 || time.Now().After(deadline))
	})
	workertest.Eventually(s.t, fmt.Sprintf("%d answers", n), func() bool {
		tail, err := conn.Tail(s.t.Context(), events.StreamWork)
		return err == nil && tail.Messages >= uint64(n)
	})
}

// TestDoorDrains: who is inside when the worker stops is answered.
func TestDoorDrains(t *testing.T) {
	s := newScene(t)
	inside, goOn := make(chan struct{}), make(chan struct{})
	answer := s.ledger.Answer
	s.ledger.Answer = func(op exchange.Operation) (exchange.Outcome, error) {
		close(inside)
		<-goOn
		return answer(op)
	}
	stop := s.open(0)
	type heard struct {
		answer events.Answer
		err    error
	}
	reply := make(chan heard, 1)
	go func() {
		a, err := s.ask(s.withdraw("c-1", "over"), 10*time.Second)
		reply <- heard{a, err}
	}()
	<-inside
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	workertest.Eventually(t, "a closed door", func() bool {
		_, err := s.plain.RequestMsg(nats.NewMsg(events.AskSubject("census", "no.command")), 200*time.Millisecond)
		return err != nil
	})
	close(goOn)
	if h := <-reply; h.err != nil || h.answer.Err() != nil {
		t.Errorf("answered %+v, %v", h.answer, h.err)
	}
	<-stopped
}

// TestTellerKeepsNeighboursApart: what cannot be said keeps nothing else from
// being said.
func TestTellerKeepsNeighboursApart(t *testing.T) {
	s := newScene(t)
	failing := errors.New("full")
	var calls atomic.Int64
	teller := &teller{publish: func(_ context.Context, list []events.Envelope) ([]bus.Stored, error) {
		calls.Add(1)
		stored := make([]bus.Stored, len(list))
		for i := range list {
			if list[i].ID == "bad" {
				return stored, failing
			}
			stored[i] = bus.Stored{Sequence: 1}
		}
		return stored, nil
	}}
	if err := teller.tell(t.Context(), events.Envelope{}); !errors.Is(err, exchange.ErrInvalid) || calls.Load() > 0 {
		t.Errorf("nothing: %v", err)
	}
	bad := s.withdraw("bad", "over")
	if err := teller.tell(t.Context(), bad); !errors.Is(err, failing) {
		t.Errorf("refused: %v", err)
	}
	if err := teller.tell(t.Context(), s.withdraw("good", "over")); err != nil {
		t.Error(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := teller.tell(ended, s.withdraw("late", "over")); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("caller is gone: %v", err)
	}
}
