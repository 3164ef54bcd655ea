package workers_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/schemas"
	"chancery/test/bustest"
	"chancery/test/workertest"
	"chancery/workers"
)

// TestAnswer says every kind of outcome on a real bus, each twice: the stream
// keeps one, which fits its schema.
func TestAnswer(t *testing.T) {
	b := bustest.Start(t, "health")
	conn := b.Connect(t, "intake")
	command := workers.Command{Department: "health", MSP: "HealthMSP", ID: "c-1", Op: "request.open"}
	for i, c := range []struct {
		id      string
		outcome exchange.Outcome
		want    exchange.EventType
		text    string
	}{
		{"c-1", exchange.Outcome{Code: exchange.OK, ID: "r-1", Tx: strings.Repeat("a", 64)}, events.CommandAccepted, `"command":"c-1"`},
		{"c-1", exchange.Outcome{Code: exchange.Exists, ID: "r-1"}, events.CommandAccepted, `"repeated":true`},
		{"c-1", exchange.Outcome{Code: exchange.Denied, Message: "no"}, exchange.CommandRejected, `"message":"no"`},
		{"c-1", exchange.Outcome{Code: exchange.Invalid, Message: strings.Repeat("ü", 5000)}, exchange.CommandRejected, "üü"},
		{"no id", exchange.Outcome{Code: exchange.Invalid, Message: "no"}, exchange.CommandRejected, `"op":"request.open"`},
		{"", exchange.Outcome{Code: exchange.Invalid, Message: "no"}, exchange.CommandRejected, `"op":"request.open"`},
	} {
		command.ID, command.Cause = c.id, fmt.Sprint(i)
		for range 2 {
			if err := workers.Answer(t.Context(), conn, command, c.outcome); err != nil {
				t.Fatal(err)
			}
		}
		list := workertest.Stored(t, b, events.StreamWork)
		if len(list) != i+1 {
			t.Fatalf("%+v: %d answers are stored, want %d", c.outcome.Code, len(list), i+1)
		}
		last := list[i]
		if last.Address.Event() != c.want || !strings.Contains(string(last.Data), c.text) {
			t.Errorf("answered %s %s", last.Type, last.Data)
		}
		if err := schemas.Validate(last.Type, last.Data); err != nil {
			t.Error(err)
		}
	}
	other := b.Connect(t, "verify")
	if err := workers.Answer(t.Context(), other, command, exchange.Outcome{Code: exchange.OK}); err == nil {
		t.Error("an answer that may not be said was no error")
	}
}

func TestFault(t *testing.T) {
	away := fmt.Errorf("get: %w", errors.New("away"))
	if got := workers.Fault(away); got != away {
		t.Errorf("%v became %v", away, got)
	}
	got := workers.Fault(fmt.Errorf("get: %w", exchange.Errorf(exchange.Denied, "no")))
	if _, refusal := errors.AsType[*exchange.Error](got); refusal || got.Error() != "get: denied: no" {
		t.Errorf("got %v", got)
	}
	if workers.Fault(nil) != nil {
		t.Error("nil became an error")
	}
}

// TestPatient tells what passes from what does not, while the message is young.
func TestPatient(t *testing.T) {
	away := errors.New("away")
	isAway := func(err error) bool { return errors.Is(err, away) }
	for _, c := range []struct {
		err  error
		age  time.Duration
		want string
	}{
		{nil, 0, "done"},
		{fmt.Errorf("get: %w", away), 0, "later"},
		{away, workers.Patience - time.Hour, "later"},
		{away, workers.Patience + time.Hour, "failed"},
		{errors.New("broken"), 0, "failed"},
		{fmt.Errorf("write: %w", syscall.ENOSPC), 0, "later"},
		{fmt.Errorf("write: %w", syscall.EDQUOT), 0, "later"},
		{fmt.Errorf("submit: %w", workers.ErrContended), 0, "later"},
		{workers.Reject(away), 0, "dead"},
		{workers.Retry(time.Hour, errors.New("early")), workers.Patience + time.Hour, "later"},
	} {
		m := &workers.Message{Message: bus.Message{Stored: time.Now().Add(-c.age)}}
		err := workers.Patient(m, c.err, isAway)
		if got := workertest.Verdict(err); got != c.want {
			t.Errorf("%v after %s: %s, want %s", c.err, c.age, got, c.want)
		}
		if c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%v does not wrap %v", err, c.err)
		}
	}
}

func TestPause(t *testing.T) {
	for age, want := range map[time.Duration]time.Duration{
		-time.Minute: 2 * time.Second, 0: 2 * time.Second, time.Minute: 6 * time.Second,
		30 * time.Minute: 3 * time.Minute, 24 * time.Hour: 5 * time.Minute,
	} {
		m := &workers.Message{Message: bus.Message{Stored: time.Now().Add(-age)}}
		if got := workers.Pause(m); got.Round(time.Second) != want {
			t.Errorf("after %s: %s, want %s", age, got, want)
		}
	}
}

// TestSubmit tells an outcome from none.
func TestSubmit(t *testing.T) {
	away := errors.New("away")
	good := &exchange.RedeemGrant{Grant: exchange.NewID(exchange.NounGrant, "m", "c")}
	for _, c := range []struct {
		name   string
		body   exchange.Body
		answer exchange.Outcome
		away   error
		want   error
		told   int
	}{
		{"done", good, exchange.Outcome{Code: exchange.OK}, nil, nil, 1},
		{"refused", good, exchange.Outcome{Code: exchange.Revoked}, nil, nil, 1},
		{"others in the way", good, exchange.Outcome{Code: exchange.Again}, nil, workers.ErrContended, 1},
		{"away", good, exchange.Outcome{}, away, away, 1},
		{"malformed", &exchange.RedeemGrant{Grant: "g"}, exchange.Outcome{}, nil, exchange.ErrInvalid, 0},
	} {
		l := workertest.NewLedger()
		l.Answer = func(exchange.Operation) (exchange.Outcome, error) { return c.answer, c.away }
		outcome, err := workers.Submit(context.Background(), l, "c-1", exchange.OpGrantRedeem, c.body)
		if !errors.Is(err, c.want) || err == nil && outcome != c.answer {
			t.Errorf("%s: %+v, %v", c.name, outcome, err)
		}
		if _, refusal := errors.AsType[*exchange.Error](err); refusal && c.want == workers.ErrContended {
			t.Errorf("%s: %v looks like a refusal", c.name, err)
		}
		if told := l.Told(); len(told) != c.told {
			t.Errorf("%s: the ledger got %v", c.name, told)
		}
	}
}
