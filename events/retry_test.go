package events_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/events"
)

func TestRetry(t *testing.T) {
	letter := func(change func(*events.Failed)) events.Failed {
		f := events.Failed{
			Worker: "intake", Consumer: "intake-commands", Reason: "r", Attempts: 3, Subject: "chancery.cmd.health.request.open",
			Stream: events.StreamCommands, Sequence: 4, Header: map[string][]string{"ce-correlation": {"c-1"}}, Body: []byte("{}"), Size: 2, Time: at,
		}
		change(&f)
		return f
	}
	for _, tt := range []struct {
		name    string
		letter  events.Failed
		subject string // none: it is refused
	}{
		{"whole", letter(func(*events.Failed) {}), "chancery.retry.intake.request.open.12"},
		{"subject of no kind", letter(func(f *events.Failed) { f.Subject = "chancery.cmd.x" }), "chancery.retry.intake.message.unreadable.12"},
		{"no body", letter(func(f *events.Failed) { f.Body, f.Size = nil, 0 }), "chancery.retry.intake.request.open.12"},
		{"cut", letter(func(f *events.Failed) { f.Size = 3 }), ""},
		{"too large", letter(func(f *events.Failed) {
			f.Body = []byte(strings.Repeat("x", events.MaxDeadBody+1))
			f.Size = len(f.Body)
		}), ""},
		{"no consumer", letter(func(f *events.Failed) { f.Consumer = "" }), ""},
		{"a worker that is no token", letter(func(f *events.Failed) { f.Worker = "in.*" }), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := events.NewRetry("health", 12, tt.letter, at)
			if tt.subject == "" {
				if !errors.Is(err, exchange.ErrInvalid) {
					t.Errorf("made %+v, %v", e, err)
				}
				return
			}
			if err != nil || e.Address.String() != tt.subject || e.Correlation != "c-1" {
				t.Fatalf("made %+v, %v", e, err)
			}
			m, err := e.Msg()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := events.FromMsg(m); err != nil || !reflect.DeepEqual(again, e) {
				t.Errorf("read %+v, %v", again, err)
			}
			r, err := events.Record[events.Retried](e)
			if err != nil || r.Letter != 12 || r.Subject != tt.letter.Subject || string(r.Body) != string(tt.letter.Body) || r.Validate() != nil {
				t.Errorf("holds %+v, %v", r, err)
			}
		})
	}
}

// TestLetterOfARetry has an id of its own, so that the stream does not take it
// for a repeat of the first.
func TestLetterOfARetry(t *testing.T) {
	f := events.Failed{
		Worker: "pin", Consumer: "pin-object-sealed", Reason: "r", Attempts: 1,
		Subject: "chancery.work.object.sealed.census.all.o-1", Stream: events.StreamWork, Sequence: 4, Time: at,
	}
	first, err := events.NewDead("census", f)
	if err != nil {
		t.Fatal(err)
	}
	f.RetryOf = 1
	second, err := events.NewDead("census", f)
	if err != nil || first.ID == second.ID || first.Address != second.Address {
		t.Errorf("%s and %s, %v", first.ID, second.ID, err)
	}
}
