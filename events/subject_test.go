package events_test

import (
	"errors"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/events"
)

var request = exchange.NewID(exchange.NounRequest, "HealthMSP", "c-1")

func TestSubjects(t *testing.T) {
	for _, c := range []struct {
		subject events.Subject
		text    string
	}{
		{events.CommandSubject("health", events.RequestOpen), "chancery.cmd.health.request.open"},
		{
			events.LedgerSubject(exchange.Event{Type: exchange.DatasetTermsSet, From: "census", To: "all", ID: "d-1"}),
			"chancery.ledger.dataset.terms-set.census.all.d-1",
		},
		{events.WorkSubject(events.ObjectSealed, "census", "all", "o-91aa"), "chancery.work.object.sealed.census.all.o-91aa"},
		{events.DeadSubject("release", "grant", "redeemed", "g-1"), "chancery.dead.release.grant.redeemed.g-1"},
	} {
		if got := c.subject.String(); got != c.text {
			t.Errorf("wrote %q, want %q", got, c.text)
		}
		if got, err := events.ParseSubject(c.text); err != nil || got != c.subject {
			t.Errorf("%s: read %+v, %v", c.text, got, err)
		}
	}
}

func TestSubjectsRefused(t *testing.T) {
	for _, text := range []string{
		"", "chancery", "chancery.", "chancery.cmd", "chancery.cmd.health.request", "chancery.cmd.health.request.open.now",
		"other.cmd.health.request.open", "chancery.CMD.health.request.open", "chancery.cmd.Health.request.open",
		"chancery.cmd.-.request.open", "chancery.cmd..request.open", "chancery.cmd.*.request.open", "chancery.cmd.health.request.>",
		"chancery.cmd.health.request.op en", "chancery.ledger.grant.given.census.health", "chancery.ledger.grant.given.census.health.g_1",
		"chancery.ledger.grant.given.census.health.", "chancery.work.object.sealed.census.all.o.1", "chancery.api.object.get",
		"chancery.dead.pin.object.sealed", "chancery.cmd." + strings.Repeat("a", 65) + ".request.open", strings.Repeat("a.", 300),
	} {
		if s, err := events.ParseSubject(text); !errors.Is(err, exchange.ErrInvalid) {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
}

// TestFilters: every filter selects its own subjects and lies in its stream.
func TestFilters(t *testing.T) {
	given := events.LedgerSubject(exchange.Event{Type: exchange.GrantWasGiven, From: "census", To: "health", ID: "g-1"}).String()
	sealed := events.WorkSubject(events.ObjectSealed, "census", "all", "o-1").String()
	for _, c := range []struct {
		filter       events.Filter
		durable      string
		takes, other string
	}{
		{events.CommandsFilter(), "w-commands", "chancery.cmd.labor.request.open", given},
		{events.LedgerFilter(exchange.GrantWasGiven, "", ""), "w-grant-given", given, sealed},
		{events.LedgerFilter(exchange.GrantWasGiven, "", "health"), "w-grant-given", given, strings.Replace(given, "health", "labor", 1)},
		{events.LedgerFilter(exchange.GrantWasGiven, "census", ""), "w-grant-given", given, strings.Replace(given, "census", "labor", 1)},
		{events.WorkFilter(events.ObjectSealed, "", ""), "w-object-sealed", sealed, given},
		{events.All(events.StreamWork), "w-all", sealed, given},
	} {
		if !matches(c.filter.Subject, c.takes) || matches(c.filter.Subject, c.other) {
			t.Errorf("%s: takes %s %t, %s %t", c.filter.Subject, c.takes, matches(c.filter.Subject, c.takes), c.other, matches(c.filter.Subject, c.other))
		}
		if got := events.Durable("w", c.filter); got != c.durable {
			t.Errorf("durable %q, want %q", got, c.durable)
		}
		for _, s := range events.Streams() {
			if (s.Name == c.filter.Stream) != matches(s.Subjects[0], c.takes) {
				t.Errorf("%s in stream %s", c.takes, s.Name)
			}
		}
	}
}

// matches is NATS's own rule for wildcards.
func matches(filter, subject string) bool {
	f, s := strings.Split(filter, "."), strings.Split(subject, ".")
	for i, token := range f {
		if token == ">" {
			return len(s) > i
		}
		if i >= len(s) || token != "*" && token != s[i] {
			return false
		}
	}
	return len(f) == len(s)
}

func TestToken(t *testing.T) {
	if got := events.Token("g-1"); got != "g-1" {
		t.Errorf("a token became %q", got)
	}
	for _, s := range []string{"", "A.b", "a b", strings.Repeat("a", 65)} {
		got := events.Token(s)
		if got == s || got != events.Token(got) {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func FuzzParseSubject(f *testing.F) {
	f.Add("chancery.cmd.health.request.open")
	f.Add("chancery.ledger.grant.given.census.health.g-4f1c")
	f.Add("chancery.work.object.sealed.census.all.o-91aa")
	f.Add("chancery.dead.pin.object.sealed.o-1")
	f.Add("chancery.ledger.*.>")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := events.ParseSubject(text)
		if err != nil {
			if !errors.Is(err, exchange.ErrInvalid) {
				t.Fatalf("%q: %v has no code", text, err)
			}
			return
		}
		if s.String() != text {
			t.Fatalf("%q is written back as %q", text, s)
		}
	})
}
