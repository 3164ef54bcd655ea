package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"chancery/chaincode/exchange"
	"chancery/events"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func command(t testing.TB) events.Envelope {
	t.Helper()
	e, err := events.NewCommand("health", events.RequestWithdraw, "Case:7.1_a", &exchange.EndRequest{Request: request, Reason: "zurück"}, at)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func fact(t testing.TB) events.Envelope {
	t.Helper()
	e, err := events.NewLedger(
		exchange.Event{Type: exchange.GrantWasGiven, From: "census", To: "health", ID: "g-1", Command: "c-9", Data: json.RawMessage(`{"id":"g-1"}`)},
		events.Position{Channel: "chancery", Block: 12, TxIndex: 3, EventIndex: 499, Tx: "ab12", Code: "VALID"}, at)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestRoundTrip: what is written is read back, the wire format to the letter.
func TestRoundTrip(t *testing.T) {
	carried := command(t)
	carried.Extensions = map[string]string{"traceparent": "00-ab-cd-01", "note": `50% "ü"` + "\n"}
	for name, e := range map[string]events.Envelope{"command": command(t), "fact": fact(t), "extensions": carried} {
		t.Run(name, func(t *testing.T) {
			m, err := e.Msg()
			if err != nil {
				t.Fatal(err)
			}
			got, err := events.FromMsg(m)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, e) {
				t.Errorf("read\n%+v, wrote\n%+v", got, e)
			}
		})
	}
	m, _ := carried.Msg()
	if got := m.Header["ce-note"]; len(got) != 1 || got[0] != "50%25%20%22%C3%BC%22%0A" {
		t.Errorf("encoded %q", got)
	}
}

func TestLedgerHeaders(t *testing.T) {
	m, err := fact(t).Msg()
	if err != nil {
		t.Fatal(err)
	}
	want := nats.Header{
		"ce-specversion": {"1.0"}, "ce-datacontenttype": {"application/json"},
		"ce-id": {"ab12.499"}, "ce-source": {"census"}, "ce-type": {"chancery.grant.given.v1"}, "ce-subject": {"g-1"},
		"ce-time": {"2026-03-01T12:00:00.123456789Z"}, "ce-dataschema": {"urn:chancery:schemas:grant.given.v1"},
		"ce-correlation": {"c-9"}, "ce-channel": {"chancery"}, "ce-block": {"12"}, "ce-txindex": {"3"},
		"ce-eventindex": {"499"}, "ce-tx": {"ab12"}, "ce-code": {"VALID"},
	}
	if !reflect.DeepEqual(m.Header, want) {
		t.Errorf("header %v", m.Header)
	}
	if m.Subject != "chancery.ledger.grant.given.census.health.g-1" {
		t.Errorf("subject %s", m.Subject)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*nats.Msg)
		want   string
	}{
		"another department":   {func(m *nats.Msg) { m.Header["ce-source"] = []string{"census"} }, `source says department "census", the subject says "health"`},
		"another command":      {func(m *nats.Msg) { m.Header["ce-type"] = []string{"chancery.request.open.v1"} }, "does not belong on subject"},
		"foreign type":         {func(m *nats.Msg) { m.Header["ce-type"] = []string{"com.example.x"} }, "is not chancery.<noun>"},
		"no id":                {func(m *nats.Msg) { delete(m.Header, "ce-id") }, `id ""`},
		"bad id":               {func(m *nats.Msg) { m.Header["ce-id"] = []string{"a b"} }, `id "a b"`},
		"two ids":              {func(m *nats.Msg) { m.Header["ce-id"] = []string{"a", "b"} }, "2 times"},
		"no version":           {func(m *nats.Msg) { delete(m.Header, "ce-specversion") }, "specversion"},
		"version":              {func(m *nats.Msg) { m.Header["ce-specversion"] = []string{"0.3"} }, `specversion "0.3"`},
		"canonical header":     {func(m *nats.Msg) { m.Header["Ce-Id"] = m.Header["ce-id"] }, "lower case"},
		"structured":           {func(m *nats.Msg) { m.Header.Set("content-type", "application/cloudevents+json") }, "structured mode"},
		"content type":         {func(m *nats.Msg) { m.Header["ce-datacontenttype"] = []string{"text/xml"} }, "datacontenttype"},
		"attribute name":       {func(m *nats.Msg) { m.Header["ce-my-name"] = []string{"x"} }, `attribute "my-name"`},
		"long attribute":       {func(m *nats.Msg) { m.Header["ce-x"] = []string{strings.Repeat("x", 1025)} }, "1 to 1024 are allowed"},
		"bad encoding":         {func(m *nats.Msg) { m.Header["ce-x"] = []string{"%zz"} }, "percent-encoded"},
		"cut encoding":         {func(m *nats.Msg) { m.Header["ce-x"] = []string{"%4"} }, "percent-encoded"},
		"no UTF-8":             {func(m *nats.Msg) { m.Header["ce-x"] = []string{"%ff"} }, "percent-encoded"},
		"time":                 {func(m *nats.Msg) { m.Header["ce-time"] = []string{"yesterday"} }, "RFC 3339"},
		"body":                 {func(m *nats.Msg) { m.Data = []byte("hello") }, "not a JSON object"},
		"broken body":          {func(m *nats.Msg) { m.Data = []byte(`{"a":`) }, "not JSON"},
		"empty body":           {func(m *nats.Msg) { m.Data = nil }, "not a JSON object"},
		"large body":           {func(m *nats.Msg) { m.Data = append([]byte(`{}`), bytes.Repeat([]byte(" "), exchange.MaxBody)...) }, "larger than"},
		"many headers":         {func(m *nats.Msg) { addHeaders(m, "h", 41) }, "headers are more than"},
		"many extensions":      {func(m *nats.Msg) { addHeaders(m, "ce-x", 17) }, "extension attributes"},
		"subject of the other": {func(m *nats.Msg) { m.Subject = "chancery.cmd.census.request.withdraw" }, `the subject says "census"`},
		"no subject":           {func(m *nats.Msg) { m.Subject = "foo" }, "does not start with"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := command(t).Msg()
			if err != nil {
				t.Fatal(err)
			}
			c.change(m)
			_, err = events.FromMsg(m)
			if !errors.Is(err, exchange.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func addHeaders(m *nats.Msg, prefix string, n int) {
	for i := range n {
		m.Header[prefix+string(rune('a'+i/26))+string(rune('a'+i%26))] = []string{"x"}
	}
}

func TestLedgerPositionRefused(t *testing.T) {
	for name, change := range map[string]func(nats.Header){
		"no block":    func(h nats.Header) { delete(h, "ce-block") },
		"block":       func(h nats.Header) { h["ce-block"] = []string{"-1"} },
		"txindex":     func(h nats.Header) { h["ce-txindex"] = []string{"1e3"} },
		"event index": func(h nats.Header) { h["ce-eventindex"] = []string{"4"} }, // not that of the id
		"tx":          func(h nats.Header) { h["ce-tx"] = []string{"a b"} },
		"channel":     func(h nats.Header) { delete(h, "ce-channel") },
		"code":        func(h nats.Header) { delete(h, "ce-code") },
	} {
		m, err := fact(t).Msg()
		if err != nil {
			t.Fatal(err)
		}
		change(m.Header)
		if _, err := events.FromMsg(m); !errors.Is(err, exchange.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestParseKeepsWhatItRead: a refusal must be able to name the command.
func TestParseKeepsWhatItRead(t *testing.T) {
	m, _ := command(t).Msg()
	m.Data = []byte("{")
	e, err := events.FromMsg(m)
	if err == nil || e.ID != "Case:7.1_a" || e.Address.From != "health" || e.Address.Command() != events.RequestWithdraw {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestMessageID: a repeat has the id of the first, another body another one.
func TestMessageID(t *testing.T) {
	first, _ := command(t).Msg()
	again, _ := command(t).Msg()
	other := command(t)
	other.Data = bytes.Replace(other.Data, []byte("zur"), []byte("Zur"), 1)
	differs, _ := other.Msg()
	id := func(m *nats.Msg) string { return m.Header.Get("Nats-Msg-Id") }
	if id(first) != id(again) || id(first) == id(differs) || id(first) == "" {
		t.Errorf("ids %q, %q, %q", id(first), id(again), id(differs))
	}
	if m, _ := fact(t).Msg(); id(m) != "" {
		t.Error("an id in a batch would refuse all of it")
	}
}

func TestPositionOrder(t *testing.T) {
	list := []events.Position{{Block: 1, TxIndex: 9, EventIndex: 9}, {Block: 2}, {Block: 2, EventIndex: 1}, {Block: 2, TxIndex: 1}, {Block: 10}}
	for i := range list {
		for j := range list {
			if got := list[i].Compare(list[j]); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%+v to %+v: %d", list[i], list[j], got)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, e := range []events.Envelope{command(f), fact(f)} {
		m, err := e.Msg()
		if err != nil {
			f.Fatal(err)
		}
		h, _ := json.Marshal(m.Header)
		f.Add(m.Subject, string(h), m.Data)
	}
	f.Add("chancery.cmd.a.b.c", `{"ce-id":["%"]}`, []byte("{}"))
	f.Fuzz(func(t *testing.T, subject, header string, data []byte) {
		var h nats.Header
		if json.Unmarshal([]byte(header), &h) != nil {
			return
		}
		before := maps.Clone(h)
		e, err := events.Parse(subject, h, data)
		if !reflect.DeepEqual(h, before) && len(h) > 0 {
			t.Fatal("the header was changed")
		}
		if err != nil {
			if !errors.Is(err, exchange.ErrInvalid) {
				t.Fatalf("%v has no code", err)
			}
			return
		}
		m, err := e.Msg()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := events.FromMsg(m)
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Fatalf("read back\n%+v, %v\nfirst\n%+v", back, err, e)
		}
	})
}
