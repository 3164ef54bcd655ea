package events_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"chancery/chaincode/exchange"
	"chancery/events"
)

func askedCommand(t testing.TB) events.Envelope {
	t.Helper()
	e, err := events.NewCommand("health", events.RequestWithdraw, "c-1", &exchange.EndRequest{
		Request: exchange.NewID(exchange.NounRequest, "HealthMSP", "c-0"), Reason: "over",
	}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestAskIsTheSameCommand: what is asked at the door reads as what the stream
// would hold, and carries no message id.
func TestAskIsTheSameCommand(t *testing.T) {
	e := askedCommand(t)
	m, err := e.AskMsg()
	if err != nil {
		t.Fatal(err)
	}
	if m.Subject != "chancery.api.health.request.withdraw" || m.Header.Get("Nats-Msg-Id") != "" {
		t.Errorf("asked on %s with %v", m.Subject, m.Header)
	}
	got, err := events.ParseAsk(m.Subject, m.Header, m.Data)
	if err != nil || got.Address != e.Address || got.ID != e.ID || string(got.Data) != string(e.Data) {
		t.Errorf("read %+v, %v, want %+v", got, err, e)
	}
	if m, err := e.Msg(); err != nil || m.Header.Get("Nats-Msg-Id") == "" {
		t.Errorf("on the stream: %v, %v", m.Header, err)
	}
	e.Address.Kind = events.KindWork
	if _, err := e.AskMsg(); !errors.Is(err, exchange.ErrInvalid) {
		t.Errorf("no command: %v", err)
	}
}

func TestParseAskRefuses(t *testing.T) {
	m, err := askedCommand(t).AskMsg()
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{
		"", "chancery.api", "chancery.api.", "chancery.api.health", "chancery.api.health.request", "chancery.api.health.request.withdraw.now",
		"chancery.cmd.health.request.withdraw", "chancery.api.census.request.withdraw", "chancery.api.health.request.open",
		"chancery.api..request.withdraw", "chancery.api.Health.request.withdraw", "chancery.api." + strings.Repeat("x", 500),
	} {
		if _, err := events.ParseAsk(subject, m.Header, m.Data); !errors.Is(err, exchange.ErrInvalid) {
			t.Errorf("%q: %v", subject, err)
		}
	}
}

func TestParseAnswer(t *testing.T) {
	for _, c := range []struct {
		kind, data string
		err        error
		answer     string // code of the answer's error; "ok": none
	}{
		{"accepted", `{"department":"health","command":"c-1","op":"request.open","time":"2026-03-01T12:00:00Z"}`, nil, "ok"},
		{"accepted", `{"department":"health","command":"c-1","op":"request.open","later":1,"time":"2026-03-01T12:00:00Z"}`, nil, "ok"},
		{"rejected", `{"department":"health","command":"c-1","op":"request.open","code":"denied","message":"no","time":"2026-03-01T12:00:00Z"}`, nil, "denied: no"},
		{"unsettled", `{"department":"health","op":"request.open","code":"overloaded","message":"busy","retryAfter":5,"time":"2026-03-01T12:00:00Z"}`, nil, "overloaded: busy"},
		{"accepted", `{"department":"","command":"c-1"}`, exchange.ErrInvalid, ""},
		{"rejected", `{"department":"health","op":"request.open","code":"ok","message":""}`, exchange.ErrInvalid, ""},
		{"unsettled", `{"department":"health","op":"request.open","code":"later","message":""}`, exchange.ErrInvalid, ""},
		{"unsettled", `{"department":"health","op":"request.open","code":"unknown","retryAfter":"soon"}`, exchange.ErrInvalid, ""},
		{"accepted", `[`, exchange.ErrInvalid, ""},
		{"opened", `{}`, exchange.ErrInvalid, ""},
	} {
		a, err := events.ParseAnswer(nats.Header{"ce-type": {"chancery.command." + c.kind + ".v1"}}, []byte(c.data))
		if !errors.Is(err, c.err) {
			t.Errorf("%s %s: %v, want %v", c.kind, c.data, err, c.err)
		}
		if c.err != nil {
			continue
		}
		said := "ok"
		if a.Err() != nil {
			said = a.Err().Error()
		}
		if said != c.answer {
			t.Errorf("%s %s: %q, want %q", c.kind, c.data, said, c.answer)
		}
	}
	if _, err := events.ParseAnswer(nil, []byte("{}")); !errors.Is(err, exchange.ErrInvalid) {
		t.Errorf("without headers: %v", err)
	}
}

// FuzzParseAnswer: an answer that is read is one thing, with a code that is
// known, and nothing else is.
func FuzzParseAnswer(f *testing.F) {
	f.Add("chancery.command.accepted.v1", `{"department":"health","command":"c-1"}`)
	f.Add("chancery.command.rejected.v1", `{"department":"health","code":"denied"}`)
	f.Add("chancery.command.unsettled.v1", `{"department":"health","code":"unknown","retryAfter":1e99}`)
	f.Fuzz(func(t *testing.T, kind, data string) {
		a, err := events.ParseAnswer(nats.Header{"ce-type": {kind}}, []byte(data))
		n := 0
		for _, set := range []bool{a.Accepted != nil, a.Rejected != nil, a.Unsettled != nil} {
			if set {
				n++
			}
		}
		if err == nil && (n != 1 || (a.Accepted != nil) != (a.Err() == nil)) {
			t.Errorf("%+v says %v", a, a.Err())
		}
	})
}
