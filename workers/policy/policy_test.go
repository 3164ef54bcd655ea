package policy

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/test/workertest"
)

const giving = `rules:
  - {name: many, when: request.uses > 3, decide: refuse, reason: three uses are enough}
  - {name: two, when: request.uses == 2, decide: give, narrow: {uses: 1, validFor: 86400, obligations: {deleteWithin: 60}}}
`

func TestGives(t *testing.T) {
	s := newScene(t, giving)
	r := s.decided(s.ask("a", 2))
	if r.State != exchange.RequestGranted || r.Change.Name != "policy" || r.Change.By != "census" {
		t.Fatalf("request %+v", r)
	}
	var g exchange.Grant
	if err := s.Get(t.Context(), exchange.NounGrant, r.Grant, &g); err != nil {
		t.Fatal(err)
	}
	if g.MaxUses != 1 || g.NotAfter.Sub(g.NotBefore) != seconds(86400) || g.Obligations.DeleteWithin != 60 || g.Change.Name != "policy" {
		t.Errorf("grant %+v", g)
	}
}

func TestRefuses(t *testing.T) {
	s := newScene(t, giving)
	r := s.decided(s.ask("a", 4))
	if r.State != exchange.RequestRefused || r.Change.Reason != "three uses are enough" || r.Change.Name != "policy" {
		t.Errorf("request %+v", r)
	}
}

// TestLeavesToOfficer leaves the request open, and an officer decides it.
func TestLeavesToOfficer(t *testing.T) {
	for name, rules := range map[string]string{
		"none holds":  giving,
		"no file":     "",
		"a rule says": "rules: [{name: a, when: true, decide: officer}]\n",
		"a rule fails": `rules:
  - {name: a, when: 1 / (request.uses - 1) == 1, decide: refuse, reason: r}
  - {name: b, when: true, decide: give}
`,
		"nothing is left": "rules: [{name: a, when: true, decide: give, narrow: {actions: [compute]}}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, giving)
			s.write(rules)
			r := s.decided(s.ask("a", 1))
			if r.State != exchange.RequestOpen {
				t.Fatalf("request %+v", r)
			}
			s.sign("census", "officer", "give", exchange.OpGrantGive, &exchange.GiveGrant{Request: r.ID})
			if r = s.decided(r); r.State != exchange.RequestGranted || r.Change.Name != "officer" {
				t.Errorf("request %+v", r)
			}
		})
	}
}

// TestAgain says the same event twice, also to a second worker that saw the
// request while it was open: there is one grant.
func TestAgain(t *testing.T) {
	s := newScene(t, giving)
	r := s.ask("a", 2)
	s.before = func() {
		other := &scene{&ledgerAs{memory: s.memory, identity: "policy"}, t, s.file}
		if got := other.decided(r); got.State != exchange.RequestGranted {
			t.Errorf("request %+v", got)
		}
	}
	s.decided(r)
	before := len(s.memory.Committed())
	s.decided(r)
	if after := len(s.memory.Committed()); after != before {
		t.Errorf("%d transactions more", after-before)
	}
	page, err := s.List(t.Context(), exchange.Query{Noun: exchange.NounGrant, Parent: r.ID})
	if err != nil || len(page.Records) != 1 {
		t.Errorf("%d grants, %v", len(page.Records), err)
	}
}

// TestOfficerIsFaster has an officer refuse between the worker's look and its
// signature: the officer's word stands, and the worker is done.
func TestOfficerIsFaster(t *testing.T) {
	s := newScene(t, giving)
	r := s.ask("a", 2)
	s.before = func() {
		s.sign("census", "officer", "refuse", exchange.OpRequestRefuse, &exchange.EndRequest{Request: r.ID, Reason: "not this year"})
	}
	if r = s.decided(r); r.State != exchange.RequestRefused || r.Change.Name != "officer" {
		t.Errorf("request %+v", r)
	}
}

// TestSuspended leaves the request to an officer when the ledger does not take
// the worker's signature any more.
func TestSuspended(t *testing.T) {
	s := newScene(t, giving)
	page, err := s.List(t.Context(), exchange.Query{Noun: exchange.NounOfficer, Department: "census"})
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range page.Records {
		var o exchange.OfficerRecord
		if err := exchange.Decode(record, &o); err != nil {
			t.Fatal(err)
		}
		if o.Role == exchange.Policy {
			s.sign("census", "admin", "", exchange.OpOfficerSuspend, &exchange.ChangeOfficer{Officer: o.ID, Reason: "rules under review"})
		}
	}
	if r := s.decided(s.ask("a", 2)); r.State != exchange.RequestOpen {
		t.Errorf("request %+v", r)
	}
}

// TestLedgerAway waits for a ledger that is away.
func TestLedgerAway(t *testing.T) {
	s := newScene(t, giving)
	s.away = fmt.Errorf("gone: %w", ledger.ErrUnknownOutcome)
	r := s.ask("a", 2)
	if err := s.hand(s.open(), r); workertest.Verdict(err) != "later" {
		t.Errorf("verdict %v", err)
	}
	s.away = nil
	if r = s.decided(r); r.State != exchange.RequestGranted {
		t.Errorf("request %+v", r)
	}
}

func TestOthersRequests(t *testing.T) {
	s := newScene(t, giving)
	r := s.ask("a", 2)
	r.Provider = "health"
	if r = s.decided(r); r.State != exchange.RequestOpen {
		t.Errorf("request %+v", r)
	}
}

// TestRulesChange has the rules count as they are in the file at the moment.
func TestRulesChange(t *testing.T) {
	s := newScene(t, giving)
	rules := s.open()
	for i, step := range []struct {
		file string
		want exchange.RequestState
	}{
		{giving, exchange.RequestGranted},
		{"rules: [{name: a, when: request.usse == 2, decide: give}]\n", exchange.RequestOpen}, // cannot be used
		{"rules: [{name: a, when: true, decide: refuse, reason: closed}]\n", exchange.RequestRefused},
		{"", exchange.RequestOpen}, // removed
		{giving, exchange.RequestGranted},
	} {
		s.write(step.file)
		r := s.ask(fmt.Sprint("ask-", i), 2)
		if err := s.hand(rules, r); err != nil {
			t.Fatal(err)
		}
		if r = s.request(r.ID); r.State != step.want {
			t.Errorf("step %d: %s, want %s", i, r.State, step.want)
		}
	}
}

func TestOpen(t *testing.T) {
	s := newScene(t, "rules: [{name: a, when: request.usse == 2, decide: give}]\n")
	if _, err := Open(s.file); err == nil || !strings.Contains(err.Error(), s.file+`:1:32: rule "a": when: undefined field 'usse'`) {
		t.Errorf("a file that cannot be used: %v", err)
	}
	for _, name := range []string{"", s.file + ".none"} {
		if _, err := Open(name); err != nil {
			t.Errorf("no file %q: %v", name, err)
		}
	}
}

// TestHistory counts what was there before a request, between these two.
func TestHistory(t *testing.T) {
	s := newScene(t, giving)
	refused := s.decided(s.ask("refused", 4))
	granted := s.decided(s.ask("granted", 2))
	withdrawn := s.ask("withdrawn", 1)
	s.sign("labor", "worker", "w", exchange.OpRequestWithdraw, &exchange.EndRequest{Request: withdrawn.ID, Reason: "no need"})
	s.sign("census", "officer", "r", exchange.OpGrantRevoke, &exchange.RevokeGrant{Grant: granted.Grant, Reason: "called off"})
	s.decided(s.ask("granted-too", 2))
	f, err := Gather(t.Context(), s, s.ask("now", 1), true, noon)
	if err != nil {
		t.Fatal(err)
	}
	want := History{Requests: 4, Grants: 2, Refusals: 1, Withdrawals: 1, Revocations: 1}
	if f.History == nil || *f.History != want {
		t.Errorf("history %+v, want %+v", f.History, want)
	}
	if f.Dataset.Name != "population" || f.Requester.Name != "labor" || refused.State != exchange.RequestRefused {
		t.Errorf("facts %+v", f)
	}
	s.lists = 0
	if f, err = Gather(t.Context(), s, refused, false, noon); err != nil || f.History != nil || s.lists > 0 {
		t.Errorf("history %+v that nobody asked for: %d lists, %v", f.History, s.lists, err)
	}
}

// TestLongHistory stops reading one that does not end.
func TestLongHistory(t *testing.T) {
	s := newScene(t, giving)
	f, err := Gather(t.Context(), endless{s}, s.ask("a", 1), true, noon)
	if err != nil || f.History != nil {
		t.Errorf("history %+v, %v", f.History, err)
	}
}

type endless struct{ *scene }

func (e endless) List(_ context.Context, q exchange.Query) (exchange.Page, error) {
	return exchange.Page{Bookmark: q.Bookmark + "x"}, nil
}
