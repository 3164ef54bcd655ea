package contracttest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"chancery/chaincode/exchange"
)

// evaluate reads as an auditor and returns the answer, or the code of the refusal.
func (s *suite) evaluate(t *testing.T, function string, args ...string) (string, exchange.Code) {
	t.Helper()
	answer, err := s.net.Evaluate(requester, string(exchange.Auditor), function, args...)
	if err == nil {
		return answer, exchange.OK
	}
	refusal := exchange.ParseError(err.Error())
	if refusal == nil {
		t.Fatalf("%s%q: no refusal but %v", function, args, err)
	}
	return "", refusal.Code
}

// list reads all pages and returns the ids, and how many pages there were.
func (s *suite) list(t *testing.T, q exchange.Query) (ids []string, pages int) {
	t.Helper()
	for {
		text, err := exchange.Encode(q)
		if err != nil {
			t.Fatal(err)
		}
		answer, code := s.evaluate(t, "List", string(text))
		var page exchange.Page
		if code != exchange.OK || json.Unmarshal([]byte(answer), &page) != nil {
			t.Fatalf("list %s: %s %s", text, code, answer)
		}
		pages++
		if len(page.Records) > q.PageSize {
			t.Errorf("a page of %d records, %d were asked for", len(page.Records), q.PageSize)
		}
		for _, r := range page.Records {
			var record struct{ ID, Name, By string }
			if err := json.Unmarshal(r, &record); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, record.ID+record.By)
		}
		if page.Bookmark == "" {
			return ids, pages
		}
		q.Bookmark = page.Bookmark
	}
}

func (s *suite) testQueries(t *testing.T) {
	c := s.stage(t).published().attested(third, exchange.Good).attested(requester, exchange.Bad)
	begin := s.net.Now()
	var requests []string
	for range 7 {
		requests = append(requests, c.opened().request)
	}
	c.ended(asker, exchange.OpRequestWithdraw)
	slices.Sort(requests)
	of := func(change func(q *exchange.Query)) exchange.Query {
		q := exchange.Query{Noun: exchange.NounRequest, Parent: c.dataset, PageSize: 100}
		change(&q)
		return q
	}
	hour := time.Hour
	for _, tc := range []struct {
		name  string
		query exchange.Query
		count int
	}{
		{"all", of(func(*exchange.Query) {}), 7},
		{"in pages", of(func(q *exchange.Query) { q.PageSize = 3 }), 7},
		{"one by one", of(func(q *exchange.Query) { q.PageSize = 1 }), 7},
		{"open", of(func(q *exchange.Query) { q.State = string(exchange.RequestOpen) }), 6},
		{"withdrawn", of(func(q *exchange.Query) { q.State = string(exchange.RequestWithdrawn) }), 1},
		{"of the requester", of(func(q *exchange.Query) { q.Department = requester }), 7},
		{"of the provider", of(func(q *exchange.Query) { q.Department = provider }), 7},
		{"of another", of(func(q *exchange.Query) { q.Department = third }), 0},
		{"since", of(func(q *exchange.Query) { q.From = begin.Add(-hour) }), 7},
		{"since later", of(func(q *exchange.Query) { q.From = begin.Add(hour) }), 0},
		{"before", of(func(q *exchange.Query) { q.To = begin.Add(-hour) }), 0},
		{"attestations", exchange.Query{Noun: exchange.NounAttestation, Parent: c.object, PageSize: 1}, 2},
		{"good ones", exchange.Query{Noun: exchange.NounAttestation, Parent: c.object, State: string(exchange.Good), PageSize: 9}, 1},
		{"objects", exchange.Query{Noun: exchange.NounObject, Parent: c.dataset, PageSize: 100}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ids, pages := s.list(t, tc.query)
			if len(ids) != tc.count || !slices.IsSorted(ids) || len(slices.Compact(ids)) != tc.count {
				t.Errorf("found %v in %d pages, want %d", ids, pages, tc.count)
			}
			if tc.name == "all" && !slices.Equal(ids, requests) {
				t.Errorf("found %v, want %v", ids, requests)
			}
		})
	}
	t.Run("departments", func(t *testing.T) {
		answer, _ := s.evaluate(t, "List", `{"noun":"department"}`)
		var page struct{ Records []exchange.Department }
		if err := json.Unmarshal([]byte(answer), &page); err != nil {
			t.Fatal(err)
		}
		for _, name := range Departments {
			if !slices.ContainsFunc(page.Records, func(d exchange.Department) bool { return d.Name == name && d.MSP == s.net.MSP(name) }) {
				t.Errorf("%s is not listed: %s", name, answer)
			}
		}
	})
	s.testBadQueries(t, c)
}

func (s *suite) testBadQueries(t *testing.T, c *stage) {
	for _, tc := range []struct {
		code     exchange.Code
		function string
		args     []string
	}{
		{exchange.OK, "Get", []string{"dataset", c.dataset}},
		{exchange.OK, "Get", []string{"dataset", provider + "/" + c.name}},
		{exchange.NotFound, "Get", []string{"dataset", requester + "/" + c.name}},
		{exchange.NotFound, "Get", []string{"dataset", "nobody/" + c.name}},
		{exchange.NotFound, "Get", []string{"dataset", noID(exchange.NounDataset)}},
		{exchange.NotFound, "Get", []string{"grant", noID(exchange.NounGrant)}},
		{exchange.NotFound, "Get", []string{"redemption", noID(exchange.NounGrant) + "/0"}},
		{exchange.NotFound, "Get", []string{"operation", requester + "/" + s.fresh()}},
		{exchange.NotFound, "History", []string{"grant", noID(exchange.NounGrant)}},
		{exchange.Invalid, "Get", []string{"grant", c.dataset}},
		{exchange.Invalid, "Get", []string{"grant", ""}},
		{exchange.Invalid, "Get", []string{"grant", noID(exchange.NounGrant) + "/0"}},
		{exchange.Invalid, "Get", []string{"redemption", noID(exchange.NounGrant)}},
		{exchange.Invalid, "Get", []string{"redemption", noID(exchange.NounGrant) + "/-1"}},
		{exchange.Invalid, "Get", []string{"redemption", noID(exchange.NounGrant) + "/00"}},
		{exchange.Invalid, "Get", []string{"redemption", noID(exchange.NounGrant) + "/1000"}},
		{exchange.Invalid, "Get", []string{"department", "census\x00"}},
		{exchange.Invalid, "Get", []string{"dataset", "census/../x"}},
		{exchange.Invalid, "Get", []string{"msp", "x"}},
		{exchange.Invalid, "History", []string{"secret", "x"}},
		{exchange.Invalid, "List", []string{""}},
		{exchange.Invalid, "List", []string{`{"noun":"msp"}`}},
		{exchange.Invalid, "List", []string{`{"noun":"grant","pageSize":501}`}},
		{exchange.Invalid, "List", []string{`{"noun":"grant","pageSize":-1}`}},
		{exchange.Invalid, "List", []string{`{"noun":"grant","bookmark":"!"}`}},
		{exchange.Invalid, "List", []string{`{"noun":"grant","bookmark":"AGRlcGFydG1lbnQA"}`}}, // a department's key
		{exchange.Invalid, "List", []string{`{"noun":"grant","bookmark":"AGdyYW50AP8"}`}},      // a grant's, but for a byte that is no UTF-8
		{exchange.Invalid, "List", []string{`{"noun":"release","state":"open"}`}},
		{exchange.Invalid, "List", []string{`{"noun":"release","parent":"\u0000"}`}},
		{exchange.Invalid, "List", []string{`{"noun":"release","owner":"census"}`}},
	} {
		if _, code := s.evaluate(t, tc.function, tc.args...); code != tc.code {
			t.Errorf("%s%q: %s, want %s", tc.function, tc.args, code, tc.code)
		}
	}
}
