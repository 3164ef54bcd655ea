package policy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// facts are a request by labor for two uses in 30 days of what census lends for
// three uses in 60, opened a minute ago.
func facts() Facts {
	opened := noon.Add(-time.Minute)
	return Facts{
		Now: noon, History: &History{Requests: 4, Grants: 3, Refusals: 1, Withdrawals: 1, Revocations: 1, Disputes: 2},
		Requester: exchange.Department{Name: "labor", MSP: "LaborMSP", Title: "Labour", Status: exchange.Active, Since: opened},
		Request: exchange.Request{
			ID: exchange.NewID(exchange.NounRequest, "LaborMSP", "ask"), Requester: "labor", RequesterMSP: "LaborMSP", Provider: "census",
			Dataset: exchange.DatasetID("CensusMSP", "population"), Version: exchange.Latest, Purpose: "statistics", LegalBasis: "Labour Act",
			Actions: []exchange.Action{exchange.Read}, NotBefore: opened, NotAfter: opened.Add(30 * 24 * time.Hour), Uses: 2,
			State: exchange.RequestOpen, Since: opened,
		},
		Dataset: exchange.Dataset{
			ID: exchange.DatasetID("CensusMSP", "population"), Name: "population", Owner: "census", Versions: 2, Since: opened,
			Description: exchange.Description{
				Title: "Population", Description: "People by state", Keywords: []string{"people", "states"}, Licence: "CC0", MediaType: "text/csv",
				Columns: []exchange.Column{{Name: "state", Type: exchange.String}, {Name: "people", Type: exchange.Integer, Unit: "persons"}},
			},
			Terms: exchange.Terms{
				Requesters: []string{"labor"}, Purposes: []string{"statistics"}, Actions: []exchange.Action{exchange.Read, exchange.Compute},
				MaxUses: 3, MaxDuration: 60 * 24 * 3600, Attestations: 1,
				Obligations: exchange.Obligations{DeleteWithin: 90 * 24 * 3600},
			},
		},
	}
}

// rulesOf makes a file of rules "<verdict>: <condition>", named a, b, …
func rulesOf(t *testing.T, lines ...string) *Rules {
	t.Helper()
	var file strings.Builder
	if file.WriteString("rules:\n"); len(lines) == 0 {
		file.WriteString("  []\n")
	}
	for i, line := range lines {
		verdict, when, _ := strings.Cut(line, ": ")
		fmt.Fprintf(&file, "  - {name: %c, when: %q, decide: %s, reason: because}\n", 'a'+i, when, verdict)
	}
	rules, err := Parse("policy.yaml", []byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestDecide(t *testing.T) {
	for name, c := range map[string]struct {
		rules   []string
		verdict Verdict
		rule    string
		results []Result
	}{
		"no rules":       {nil, ToOfficer, "", nil},
		"none holds":     {[]string{"give: false", "refuse: false"}, ToOfficer, "", []Result{HoldNot, HoldNot}},
		"the first":      {[]string{"refuse: true", "give: true"}, Refuse, "a", []Result{Holds, Unasked}},
		"the second":     {[]string{"refuse: false", "give: true"}, Give, "b", []Result{HoldNot, Holds}},
		"an officer":     {[]string{"officer: true", "give: true"}, ToOfficer, "a", []Result{Holds, Unasked}},
		"a rule fails":   {[]string{"refuse: 1 / (request.uses - 2) == 1", "give: true"}, ToOfficer, "a", []Result{Fails, Unasked}},
		"a giver fails":  {[]string{"refuse: false", "give: request.actions[7] == 'read'", "give: true"}, ToOfficer, "b", []Result{HoldNot, Fails, Unasked}},
		"bad pattern":    {[]string{"give: 'x'.matches(request.purpose + '(')"}, ToOfficer, "a", []Result{Fails}},
		"overflow":       {[]string{"give: request.uses * 9223372036854775807 > 0"}, ToOfficer, "a", []Result{Fails}},
		"either holds":   {[]string{"give: 1 / 0 == 1 || true"}, Give, "a", []Result{Holds}},
		"bad time zone":  {[]string{"give: now.getHours(request.purpose) > 0"}, ToOfficer, "a", []Result{Fails}},
		"of the history": {[]string{"refuse: history.disputes == 2 && history.grants == 3"}, Refuse, "a", []Result{Holds}},
	} {
		t.Run(name, func(t *testing.T) {
			d := rulesOf(t, c.rules...).Decide(t.Context(), facts())
			var results []Result
			for _, s := range d.Steps {
				results = append(results, s.Result)
				if (s.Error != "") != (s.Result == Fails) {
					t.Errorf("rule %s %s with error %q", s.Rule, s.Result, s.Error)
				}
			}
			if d.Verdict != c.verdict || d.Rule != c.rule || !slices.Equal(results, c.results) {
				t.Errorf("%s by %q with %v, want %s by %q with %v", d.Verdict, d.Rule, results, c.verdict, c.rule, c.results)
			}
			if (d.Grant != nil) != (d.Verdict == Give) || d.Fault != slices.Contains(results, Fails) {
				t.Errorf("grant %v, fault %t", d.Grant, d.Fault)
			}
		})
	}
}

// TestVocabulary reads every field that rules have.
func TestVocabulary(t *testing.T) {
	for _, when := range []string{
		`request.id.startsWith('r-') && request.requester == 'labor' && request.provider == 'census' && request.dataset == dataset.id`,
		`request.version == 'latest' && request.object == '' && request.purpose == 'statistics' && request.legalBasis == 'Labour Act'`,
		`request.actions == ['read'] && request.spec == '' && request.uses == 2 && request.validFor == duration('720h')`,
		`request.notBefore == request.opened && request.notAfter > now && now - request.opened == duration('1m')`,
		`dataset.name == 'population' && dataset.owner == 'census' && dataset.title == 'Population' && dataset.description.contains('state')`,
		`'people' in dataset.keywords && dataset.licence == 'CC0' && dataset.mediaType == 'text/csv' && dataset.versions == 2 && dataset.since < now`,
		`dataset.columns.exists(c, c.name == 'people' && c.type == 'integer' && c.unit == 'persons' && c.description == '')`,
		`request.requester in dataset.terms.requesters && request.purpose in dataset.terms.purposes && size(dataset.terms.actions) == 2`,
		`dataset.terms.maxUses == 3 && dataset.terms.maxDuration == duration('1440h') && dataset.terms.attestations == 1 && !dataset.terms.certified && !dataset.terms.delegation`,
		`dataset.terms.obligations.deleteWithin == duration('2160h') && !dataset.terms.obligations.noOnwardSharing`,
		`requester.name == 'labor' && requester.msp == 'LaborMSP' && requester.title == 'Labour' && requester.status == 'active' && requester.since < now`,
		`history.requests == 4 && history.grants == 3 && history.refusals == 1 && history.withdrawals == 1 && history.revocations == 1 && history.disputes == 2`,
		`now.getFullYear() == 2026 && now.getHours() == 12 && now < timestamp('2026-03-02T00:00:00Z')`,
	} {
		if d := rulesOf(t, "give: "+when).Decide(t.Context(), facts()); d.Verdict != Give {
			t.Errorf("%s: %+v", when, d)
		}
	}
}

// TestCostAtRunTime evaluates a condition over a record that is larger than the
// contract accepts, by which costs were estimated.
func TestCostAtRunTime(t *testing.T) {
	f := facts()
	f.Dataset.Columns = slices.Repeat([]exchange.Column{{Description: strings.Repeat("a", 100_000)}}, 50)
	d := rulesOf(t, "give: dataset.columns.all(c, !c.description.contains('z'))", "give: true").Decide(t.Context(), f)
	if d.Verdict != ToOfficer || d.Rule != "a" || !d.Fault || !strings.Contains(d.Reason, "cost") {
		t.Errorf("decision %+v", d)
	}
}

func TestDecideStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := facts()
	f.Dataset.Columns = make([]exchange.Column, 400)
	d := rulesOf(t, "give: dataset.columns.all(c, c.name == '')").Decide(ctx, f)
	if d.Verdict != ToOfficer || !d.Fault {
		t.Errorf("decision %+v", d)
	}
}

// TestUnknownHistory leaves a request to an officer only where the history is
// asked for before a rule has decided.
func TestUnknownHistory(t *testing.T) {
	f := facts()
	f.History = nil
	rules := rulesOf(t, "give: request.uses == 2", "refuse: history.disputes > 0")
	if d := rules.Decide(t.Context(), f); d.Verdict != Give {
		t.Errorf("not asked for: %+v", d)
	}
	f.Request.Uses = 1
	if d := rules.Decide(t.Context(), f); d.Verdict != ToOfficer || d.Rule != "b" || !d.Fault {
		t.Errorf("asked for: %+v", d)
	}
}

func TestNarrow(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		change func(*Facts, *Narrow)
		want   string
	}{
		"as asked for": {func(*Facts, *Narrow) {}, "2 [read] 30 {7776000 false}"},
		"by the rule":  {func(_ *Facts, n *Narrow) { n.Uses, n.ValidFor = 1, 7*24*3600 }, "1 [read] 7 {7776000 false}"},
		"no wider":     {func(_ *Facts, n *Narrow) { n.Uses, n.ValidFor = 9, 99*24*3600 }, "2 [read] 30 {7776000 false}"},
		"by new terms": {func(f *Facts, _ *Narrow) { f.Dataset.Terms.MaxUses, f.Dataset.Terms.MaxDuration = 1, 24*3600 }, "1 [read] 1 {7776000 false}"},
		"stricter duties": {func(_ *Facts, n *Narrow) {
			n.Obligations = exchange.Obligations{DeleteWithin: 5, NoOnwardSharing: true}
		}, "2 [read] 30 {5 true}"},
		"weaker duties": {func(_ *Facts, n *Narrow) { n.Obligations.DeleteWithin = 99 * 24 * 3600 }, "2 [read] 30 {7776000 false}"},
		"first duty": {func(f *Facts, n *Narrow) {
			f.Dataset.Terms.Obligations.DeleteWithin = 0
			n.Obligations.DeleteWithin = 5
		}, "2 [read] 30 {5 false}"},
		"one action": {func(f *Facts, n *Narrow) {
			f.Request.Actions = []exchange.Action{exchange.Compute, exchange.Read}
			n.Actions = []exchange.Action{exchange.Read}
		}, "2 [read] 30 {7776000 false}"},
		"no action":         {func(_ *Facts, n *Narrow) { n.Actions = []exchange.Action{exchange.Compute} }, "no action is left"},
		"terms without it":  {func(f *Facts, _ *Narrow) { f.Dataset.Terms.Actions = []exchange.Action{exchange.Compute} }, "no action is left"},
		"over":              {func(f *Facts, n *Narrow) { n.ValidFor = 30 }, "which is over"},
		"not to them":       {func(f *Facts, _ *Narrow) { f.Dataset.Terms.Requesters = []string{"health"} }, "let only health ask"},
		"not for that":      {func(f *Facts, _ *Narrow) { f.Dataset.Terms.Purposes = []string{"planning"} }, `do not name the purpose "statistics"`},
		"for anything":      {func(f *Facts, _ *Narrow) { f.Dataset.Terms.Purposes, f.Dataset.Terms.Requesters = nil, nil }, "2 [read] 30 {7776000 false}"},
		"begins in a month": {func(f *Facts, n *Narrow) { f.Request.NotBefore = noon.Add(29 * day); n.ValidFor = 3600 }, "2 [read] 29 {7776000 false}"},
	} {
		t.Run(name, func(t *testing.T) {
			f, n := facts(), Narrow{}
			c.change(&f, &n)
			g, err := n.grant(f)
			got := fmt.Sprint(err)
			if err == nil {
				got = fmt.Sprint(g.MaxUses, g.Actions, int(g.NotAfter.Sub(noon.Add(-time.Minute))/day), *g.Obligations)
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestNeverWider draws requests, terms and rules, and holds every grant to all
// three.
func TestNeverWider(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	some := func() (list []exchange.Action) {
		for _, a := range actions {
			if r.IntN(2) == 0 {
				list = append(list, a)
			}
		}
		return list
	}
	for range 5000 {
		f, n := facts(), Narrow{Uses: r.IntN(5), ValidFor: r.Int64N(100), Actions: some()}
		f.Request.Uses, f.Request.Actions = 1+r.IntN(5), some()
		f.Request.NotBefore, f.Request.NotAfter = noon, noon.Add(seconds(1+r.Int64N(100)))
		f.Dataset.Terms.MaxUses, f.Dataset.Terms.MaxDuration, f.Dataset.Terms.Actions = 1+r.IntN(5), 1+r.Int64N(100), some()
		n.Obligations = exchange.Obligations{DeleteWithin: r.Int64N(3), NoOnwardSharing: r.IntN(2) == 0}
		f.Dataset.Terms.Obligations = exchange.Obligations{DeleteWithin: r.Int64N(3), NoOnwardSharing: r.IntN(2) == 0}
		g, err := n.grant(f)
		if err != nil {
			continue
		}
		length := int64(g.NotAfter.Sub(f.Request.NotBefore) / time.Second)
		wider := g.MaxUses < 1 || g.MaxUses > f.Request.Uses || g.MaxUses > f.Dataset.Terms.MaxUses || n.Uses > 0 && g.MaxUses > n.Uses ||
			g.NotAfter.After(f.Request.NotAfter) || length > f.Dataset.Terms.MaxDuration || n.ValidFor > 0 && length > n.ValidFor ||
			!g.Obligations.Covers(f.Dataset.Terms.Obligations) || !g.Obligations.Covers(n.Obligations)
		for _, a := range g.Actions {
			wider = wider || !slices.Contains(f.Request.Actions, a) || !slices.Contains(f.Dataset.Terms.Actions, a) ||
				len(n.Actions) > 0 && !slices.Contains(n.Actions, a)
		}
		if err := g.Validate(); wider || err != nil {
			t.Fatalf("request %+v, terms %+v, rule %+v: grant %+v (%v)", f.Request, f.Dataset.Terms, n, g, err)
		}
	}
}
