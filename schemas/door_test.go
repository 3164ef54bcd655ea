package schemas_test

import (
	"maps"
	"slices"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/schemas"
)

var goldenUnsettled = events.Unsettled{
	Department: "health", Command: "c-2", Op: string(events.RequestOpen), Code: events.Overloaded, Message: "come later", RetryAfter: 500, Time: at,
}

// TestAsyncAPIOfTheDoor: every command can be asked at the synchronous door,
// and every answer has its place.
func TestAsyncAPIOfTheDoor(t *testing.T) {
	d := asyncAPI(t)
	o := d.Operations["answerAtTheDoor"]
	asked, answers := d.Channels[last(o.Channel)], d.Channels[last(o.Reply.Channel)]
	if want := events.AskSubject("{from}", "{noun}.{verb}"); asked.Address != want || answers.Address != "" {
		t.Errorf("asked on %q, want %q, answered on %q", asked.Address, want, answers.Address)
	}
	names := func(messages map[string]ref) (list []string) {
		for _, m := range messages {
			list = append(list, d.Components.Messages[last(m)].Name)
		}
		slices.Sort(list)
		return list
	}
	var want []string
	for _, c := range events.Commands() {
		want = append(want, events.CEType(c))
	}
	slices.Sort(want)
	if got := names(asked.Messages); !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
	want = []string{events.CEType(events.CommandAccepted), events.CEType(exchange.CommandRejected), events.CEType(events.CommandUnsettled)}
	if got := names(answers.Messages); !slices.Equal(got, want) {
		t.Errorf("answers %q, want %q", got, want)
	}
}

// TestDelaysOfTheSchema holds the closed list of codes together.
func TestDelaysOfTheSchema(t *testing.T) {
	text := []byte(`{"department":"health","op":"request.open","code":"","message":"m","retryAfter":1,"time":"2026-03-01T12:00:00Z"}`)
	v := fields(t, text)
	for _, code := range slices.Concat(events.Delays, []events.Delay{"", "later", "ok"}) {
		of := maps.Clone(v)
		of["code"] = string(code)
		err := schemas.Validate(events.CEType(events.CommandUnsettled), encode(t, of))
		if known := slices.Contains(events.Delays, code); known != (err == nil) {
			t.Errorf("code %q: %v", code, err)
		}
	}
}
