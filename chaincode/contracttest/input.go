package contracttest

import (
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
)

// testInput sends bodies that no client of ours would.
func (s *suite) testInput(t *testing.T) {
	c := s.stage(t).granted()
	good := `{"grant":"` + c.grant + `","slot":0}`
	for name, body := range map[string]string{
		"empty":           "",
		"null":            "null",
		"array":           "[]",
		"unknown key":     `{"grant":"` + c.grant + `","slot":0,"by":"census"}`,
		"key twice":       `{"grant":"` + c.grant + `","slot":0,"slot":1}`,
		"key in capitals": `{"grant":"` + c.grant + `","Slot":0}`,
		"bytes after":     good + "x",
		"a second value":  good + good,
		"float":           `{"grant":"` + c.grant + `","slot":0.5}`,
		"string":          `{"grant":"` + c.grant + `","slot":"0"}`,
		"negative":        `{"grant":"` + c.grant + `","slot":-1}`,
		"huge":            `{"grant":"` + c.grant + `","slot":99999999999999999999}`,
		"key separator":   `{"grant":"` + c.grant + `\u0000","slot":0}`,
		"other noun":      `{"grant":"` + c.request + `","slot":0}`,
		"too large":       `{"grant":"` + strings.Repeat("g", exchange.MaxBody) + `","slot":0}`,
		"too deep":        strings.Repeat("[", 100) + strings.Repeat("]", 100),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.submit(t, asker, exchange.OpGrantRedeem, "", body); codeOf(exchange.Outcome{}, err) != exchange.Invalid {
				t.Errorf("%v, want %s", err, exchange.Invalid)
			}
		})
	}
	t.Run("text", s.testTexts)
	t.Run("look-alikes", s.testLookAlikes)
	t.Run("numbers", s.testNumbers)
	t.Run("command", func(t *testing.T) {
		for _, command := range []string{"a b", "a/b", "\x00", strings.Repeat("a", 129), "-a"} {
			if _, err := s.submit(t, asker, exchange.OpGrantRedeem, command, good); codeOf(exchange.Outcome{}, err) != exchange.Invalid {
				t.Errorf("%q: %v, want %s", command, err, exchange.Invalid)
			}
		}
	})
	t.Run("function", func(t *testing.T) {
		_, err := s.net.Submit(requester, string(exchange.Worker), "Burn", "", good)
		if err == nil || exchange.ParseError(err.Error()) == nil {
			t.Errorf("unknown function: %v", err)
		}
	})
}

// testTexts puts what cannot be read into every text of every operation, one at
// a time. Nothing of it reaches the ledger.
func (s *suite) testTexts(t *testing.T) {
	for _, row := range walked() {
		t.Run(string(row.Op), s.parallel(func(t *testing.T) {
			c := s.reached(t, row.Noun, row.From[0])
			command, body := saying[row.Op](c)
			who := s.signer(row, row.Roles[0])
			for name, text := range Unreadable {
				for path, changed := range WithText(t, body, func(string) string { return text }) {
					if _, err := s.submit(t, who, row.Op, command, changed); codeOf(exchange.Outcome{}, err) != exchange.Invalid {
						t.Errorf("%s in %s: %v, want %s", name, path, err, exchange.Invalid)
					}
				}
			}
			s.want(t, exchange.OK, who, row.Op, command, body)
		}))
	}
}

// testLookAlikes uses letters of another script where ASCII is meant.
func (s *suite) testLookAlikes(t *testing.T) {
	c := s.stage(t)
	c.terms.Purposes = []string{"planning"}
	c.published()
	b := c.registration()
	b.Name = "p\u043epulation" // a Cyrillic o
	s.want(t, exchange.Invalid, owner, exchange.OpDatasetRegister, "", b)
	q := c.question()
	q.Purpose = "pl\u0430nning" // a Cyrillic a: another purpose
	s.want(t, exchange.Denied, asker, exchange.OpRequestOpen, s.fresh(), q)
	q = c.question()
	q.Dataset = "cens\u03c5s/" + c.name // a Greek upsilon
	s.want(t, exchange.Invalid, asker, exchange.OpRequestOpen, s.fresh(), q)
	s.want(t, exchange.Invalid, asker, exchange.OpRequestOpen, "st\u0443dy", c.question())
}

// testNumbers asks for numbers of uses and periods that nothing has.
func (s *suite) testNumbers(t *testing.T) {
	c := s.stage(t).opened()
	for _, n := range []int{-1 << 62, -1, 0, exchange.MaxUses + 1, 1 << 62} {
		q, b, terms := c.question(), c.registration(), openTerms()
		q.Uses, b.Name, b.Terms.MaxUses, terms.MaxUses = n, s.fresh(), n, n
		s.want(t, exchange.Invalid, asker, exchange.OpRequestOpen, s.fresh(), q)
		s.want(t, exchange.Invalid, owner, exchange.OpDatasetRegister, "", b)
		s.want(t, exchange.Invalid, decider, exchange.OpDatasetSetTerms, "", &exchange.SetTerms{Dataset: c.dataset, Terms: terms})
		if n != 0 { // as many as request and terms allow
			s.want(t, exchange.Invalid, decider, exchange.OpGrantGive, s.fresh(), &exchange.GiveGrant{Request: c.request, MaxUses: n})
		}
	}
	for _, length := range []time.Duration{0, -time.Second, -300 * 24 * time.Hour} {
		q := c.question()
		q.NotAfter = q.NotBefore.Add(length)
		s.want(t, exchange.Invalid, asker, exchange.OpRequestOpen, s.fresh(), q)
		give := &exchange.GiveGrant{Request: c.request, NotBefore: q.NotBefore, NotAfter: q.NotAfter}
		s.want(t, exchange.Invalid, decider, exchange.OpGrantGive, s.fresh(), give)
	}
}
