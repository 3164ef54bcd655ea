package intake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
	"chancery/schemas"
	"chancery/test/bustest"
	"chancery/test/workertest"
	"chancery/workers"
)

var (
	request = exchange.NewID(exchange.NounRequest, "CensusMSP", "open-1")
	dataset = exchange.DatasetID("CensusMSP", "population")
)

// scene is census with its bus, on which intake runs.
type scene struct {
	*bustest.Bus
	t      *testing.T
	system *bus.Conn
	plain  *nats.Conn
	ledger *workertest.Ledger
	spool  string
}

// newScene makes everything but the running worker.
func newScene(t *testing.T) *scene {
	t.Helper()
	b := bustest.Start(t, "census")
	s := &scene{Bus: b, t: t, system: b.Connect(t, bus.UserSystem), plain: b.Plain(t, bus.UserSystem), ledger: workertest.NewLedger(), spool: t.TempDir()}
	s.write("population.csv", "a\n1\n")
	s.ledger.Answer = s.contract()
	return s
}

func (s *scene) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.spool, name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// contract answers as the ledger does: the same command again has its recorded
// outcome, another under the same id is a conflict.
func (s *scene) contract() func(exchange.Operation) (exchange.Outcome, error) {
	var mu sync.Mutex
	said := make(map[string]string)
	return func(op exchange.Operation) (exchange.Outcome, error) {
		mu.Lock()
		defer mu.Unlock()
		before, known := said[op.Command]
		if !known {
			said[op.Command] = string(op.Body)
			s.ledger.Put(s.t, exchange.NounOperation, "census/"+op.Command, exchange.OperationRecord{Command: op.Command, Op: op.Op})
			return exchange.Outcome{Command: op.Command, Op: op.Op, Code: exchange.OK, ID: dataset, Tx: "tx-1"}, nil
		}
		if before != string(op.Body) {
			return exchange.Outcome{Op: op.Op, Code: exchange.Conflict, Message: "another body"}, nil
		}
		return exchange.Outcome{Command: op.Command, Op: op.Op, Code: exchange.Exists, ID: dataset, Tx: "tx-1", Repeated: true}, nil
	}
}

func (s *scene) worker() workers.Worker {
	conn := s.Connect(s.t, Name)
	w := New(Config{Department: "census", MSP: "CensusMSP", Spool: s.spool, Ledger: s.ledger, Bus: conn})
	w.Bus = conn
	return w
}

// run runs the worker until the end of the test.
func (s *scene) run() {
	ctx, cancel := context.WithCancel(zerolog.Nop().WithContext(s.t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- workers.Run(ctx, workers.Config{Department: "census", Grace: time.Second}, []workers.Worker{s.worker()})
	}()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
}

func (s *scene) withdraw(id, reason string) events.Envelope {
	s.t.Helper()
	return s.command(events.RequestWithdraw, id, &exchange.EndRequest{Request: request, Reason: reason})
}

func publication(file string) *events.PublishDataset {
	return &events.PublishDataset{File: file, Source: "the bureau", Dataset: exchange.RegisterDataset{
		Name: "population", Description: exchange.Description{Title: "Population", Licence: "CC0", MediaType: "text/csv"},
		Terms: exchange.Terms{Actions: []exchange.Action{exchange.Read}, MaxUses: 1, MaxDuration: 3600},
	}}
}

func (s *scene) command(name events.Command, id string, body exchange.Body) events.Envelope {
	s.t.Helper()
	e, err := events.NewCommand("census", name, id, body, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// send publishes a command as a plain client does, with another message id
// each time, so that the stream does not drop a repeat.
func (s *scene) send(e events.Envelope) {
	s.t.Helper()
	m, err := e.Msg()
	if err != nil {
		s.t.Fatal(err)
	}
	m.Header.Del("Nats-Msg-Id")
	s.raw(m)
}

func (s *scene) raw(m *nats.Msg) {
	s.t.Helper()
	if err := errors.Join(s.plain.PublishMsg(m), s.plain.Flush()); err != nil {
		s.t.Fatal(err)
	}
}

// answers waits for so many answers and returns them; each fits its schema.
func (s *scene) answers(n int) []events.Envelope {
	s.t.Helper()
	var list []events.Envelope
	workertest.Eventually(s.t, fmt.Sprintf("%d answers", n), func() bool {
		list = nil
		for _, e := range workertest.Stored(s.t, s.Bus, events.StreamWork) {
			if e.Address.Noun == "command" {
				list = append(list, e)
			}
		}
		return len(list) >= n
	})
	for _, e := range list {
		if err := schemas.Validate(e.Type, e.Data); err != nil {
			s.t.Errorf("%s: %v", e.Data, err)
		}
	}
	return list
}

func (s *scene) refusals(n int) []events.Rejected {
	s.t.Helper()
	var list []events.Rejected
	for _, e := range s.answers(n) {
		if r, err := events.Payload[events.Rejected](e); err == nil && e.Address.Event() == exchange.CommandRejected {
			list = append(list, r)
		}
	}
	return list
}

func (s *scene) staged() []events.Staged {
	s.t.Helper()
	var list []events.Staged
	for _, e := range workertest.Stored(s.t, s.Bus, events.StreamWork) {
		if e.Address.Event() != events.ObjectStaged {
			continue
		}
		staged, err := events.Payload[events.Staged](e)
		if err != nil {
			s.t.Fatal(err)
		}
		list = append(list, staged)
	}
	return list
}

// TestAnswers sends commands on a real bus, good and bad, and repeats them.
func TestAnswers(t *testing.T) {
	s := newScene(t)
	s.run()
	s.send(s.withdraw("c-1", "over"))
	first := s.answers(1)[0]
	if first.Address.Event() != events.CommandAccepted || first.Correlation != "c-1" {
		t.Fatalf("answered %s", first.Data)
	}
	s.send(s.withdraw("c-1", "over"))
	s.answers(2)
	s.send(s.withdraw("c-1", "otherwise"))
	list := s.answers(3)
	was, err1 := events.Payload[events.Accepted](list[0])
	again, err2 := events.Payload[events.Accepted](list[1])
	if err := errors.Join(err1, err2); err != nil || was.ID != again.ID || was.Tx != again.Tx || was.Repeated || !again.Repeated {
		t.Errorf("first %+v, again %+v, %v", was, again, err)
	}
	if got := s.refusals(3); len(got) != 1 || got[0].Code != exchange.Conflict || got[0].Command != "c-1" {
		t.Errorf("another body: %+v", got)
	}
}

// TestMalformed sends what is no command. Each is answered, and nothing is told
// to the ledger.
func TestMalformed(t *testing.T) {
	s := newScene(t)
	s.run()
	for i, c := range []struct {
		name   string
		alter  func(m *nats.Msg)
		reason string
	}{
		{"no JSON", func(m *nats.Msg) { m.Data = []byte(`{"request":`) }, "JSON"},
		{"a duplicate key", func(m *nats.Msg) {
			m.Data = []byte(`{"request":"` + request + `","request":"` + request + `","reason":"r"}`)
		}, "twice"},
		{"an unknown key", func(m *nats.Msg) { m.Data = []byte(`{"request":"` + request + `","reason":"r","from":"health"}`) }, "unknown key"},
		{"a wrong value", func(m *nats.Msg) { m.Data = []byte(`{"request":"r-1","reason":"r"}`) }, "r-1"},
		{"no command", func(m *nats.Msg) {
			m.Subject = "chancery.cmd.census.request.delete"
			m.Header["ce-type"] = []string{"chancery.request.delete.v1"}
		}, "no command"},
		{"source of another", func(m *nats.Msg) { m.Header["ce-source"] = []string{"health"} }, "source says"},
		{"an unusable id", func(m *nats.Msg) { m.Header["ce-id"] = []string{"no id"} }, "command's id"},
		{"no headers", func(m *nats.Msg) { m.Header = nil }, "specversion"},
		{"too deep a subject", func(m *nats.Msg) { m.Subject += ".now" }, "parts"},
		{"a huge body", func(m *nats.Msg) {
			m.Data = []byte(`{"request":"` + request + `","reason":"` + strings.Repeat("x", exchange.MaxBody) + `"}`)
		}, "larger than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := s.withdraw(fmt.Sprint("c-", i), "over").Msg()
			if err != nil {
				t.Fatal(err)
			}
			m.Header.Del("Nats-Msg-Id")
			c.alter(m)
			s.raw(m)
			list := s.refusals(i + 1)
			last := list[len(list)-1]
			if len(list) != i+1 || last.Code != exchange.Invalid || last.Department != "census" || !strings.Contains(last.Message, c.reason) {
				t.Errorf("answered %+v, want %q", last, c.reason)
			}
		})
	}
	if told := s.ledger.Told(); len(told) > 0 {
		t.Errorf("the ledger got %v", told)
	}
}

// deliver hands the worker a message of the stream, for what the bus itself
// would not let through or what needs no bus to tell.
func (s *scene) deliver(e events.Envelope, seq uint64) error {
	s.t.Helper()
	return s.worker().Subscriptions[0].Handle(zerolog.Nop().WithContext(s.t.Context()), &workers.Message{
		Message: bus.Message{Envelope: e, Sequence: seq, Stored: time.Now()}, Attempt: 1,
	})
}

// TestForeignSubject refuses a command of another department, which the bus
// does not let its systems send.
func TestForeignSubject(t *testing.T) {
	s := newScene(t)
	e, err := events.NewCommand("health", events.RequestWithdraw, "c-1", &exchange.EndRequest{Request: request, Reason: "r"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.deliver(e, 1); err != nil {
		t.Fatal(err)
	}
	if got := s.refusals(1); len(got) != 1 || got[0].Code != exchange.Denied || !strings.Contains(got[0].Message, "health") {
		t.Errorf("answered %+v", got)
	}
	if told := s.ledger.Told(); len(told) > 0 {
		t.Errorf("the ledger got %v", told)
	}
}

// TestRefusedByLedger tells what the ledger said, however long it is.
func TestRefusedByLedger(t *testing.T) {
	s := newScene(t)
	long := strings.Repeat("purpose ", 2000)
	s.ledger.Answer = func(op exchange.Operation) (exchange.Outcome, error) {
		return exchange.Outcome{Op: op.Op, Code: exchange.Denied, Message: long, Tx: "tx-1"}, nil
	}
	if err := s.deliver(s.withdraw("c-1", "over"), 1); err != nil {
		t.Fatal(err)
	}
	if got := s.refusals(1); len(got) != 1 || got[0].Code != exchange.Denied || !strings.HasPrefix(long, got[0].Message) || got[0].Message == "" {
		t.Errorf("answered %+v", got)
	}
}

// TestWaits meets a ledger that is away or busy: no answer, and it comes again.
func TestWaits(t *testing.T) {
	s := newScene(t)
	for _, c := range []struct {
		name    string
		away    error
		answer  exchange.Code
		verdict string
	}{
		{"out of reach", fmt.Errorf("dial: %w", ledger.ErrUnreachable), "", "later"},
		{"outcome not known", ledger.ErrUnknownOutcome, "", "later"},
		{"at fault", ledger.ErrFault, "", "failed"},
		{"others in the way", nil, exchange.Again, "later"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.ledger.Away = c.away
			s.ledger.Answer = func(exchange.Operation) (exchange.Outcome, error) { return exchange.Outcome{Code: c.answer}, nil }
			for i, e := range []events.Envelope{s.withdraw("c-1", "over"), s.command(events.DatasetPublish, "p-1", publication("population.csv"))} {
				if err := s.deliver(e, uint64(i)); workertest.Verdict(err) != c.verdict {
					t.Errorf("%s: verdict %v, want %s", e.Type, err, c.verdict)
				}
			}
		})
	}
	s.ledger.Away = exchange.Errorf(exchange.Denied, "this identity may not read")
	if err := s.deliver(s.command(events.DatasetPublish, "p-1", publication("gone.csv")), 9); workertest.Verdict(err) != "failed" {
		t.Errorf("not allowed to read: verdict %v", err)
	}
	if list := workertest.Stored(t, s.Bus, events.StreamWork); len(list) > 0 {
		t.Errorf("said %v", list)
	}
}

// TestConcurrency sends many commands at once, twice each.
func TestConcurrency(t *testing.T) {
	s := newScene(t)
	s.run()
	const many = 200
	for range 2 {
		for i := range many {
			s.send(s.withdraw(fmt.Sprint("c-", i), "over"))
		}
	}
	seen := make(map[string]int)
	for _, e := range s.answers(2 * many) {
		if e.Address.Event() != events.CommandAccepted {
			t.Errorf("answered %s", e.Data)
		}
		seen[e.Correlation]++
	}
	if len(seen) != many {
		t.Errorf("%d commands were answered, want %d", len(seen), many)
	}
}
