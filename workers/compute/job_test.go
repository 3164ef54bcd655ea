package compute_test

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/test/data"
	"chancery/test/workertest"
	"chancery/workers"
	"chancery/workers/combine"
	"chancery/workers/compute"
	"chancery/workers/decrypt"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func column(name string, of exchange.ColumnType) exchange.Column {
	return exchange.Column{Name: name, Type: of}
}

// needIndex is the three tables of the demo, and the job over them.
func needIndex(t *testing.T) *workertest.Computation {
	t.Helper()
	c := workertest.NewComputation(t, begin)
	for _, in := range []workertest.Input{
		{Member: c.Census, Name: "population", MediaType: "text/csv", Content: file(t, "population_engineers_hurricanes.csv"),
			Columns: []exchange.Column{column("state", exchange.String), column("id", exchange.Integer), column("population", exchange.Integer),
				column("engineers", exchange.Number), column("hurricanes", exchange.Integer)},
			Input: exchange.Input{Key: "id", Value: "population", Shift: -6, Weight: 1}},
		{Member: c.Health, Name: "obesity", MediaType: "application/json", Content: file(t, "obesity.json"),
			Columns: []exchange.Column{column("id", exchange.Integer), column("rate", exchange.Number), column("state", exchange.String)},
			Input:   exchange.Input{Key: "id", Value: "rate", Weight: 100}},
		{Member: c.Labor, Name: "unemployment", MediaType: "text/tab-separated-values", Content: file(t, "unemployment.tsv"),
			Input: exchange.Input{Key: "id", Divisor: 1000, Value: "rate", Reduction: exchange.Mean, Weight: 200}},
	} {
		c.Publish(t, in, workertest.Terms())
	}
	c.Plan.Keys = strings.Fields("1 2 4 5 6 8 9 10 11 12 13 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 " +
		"39 40 41 42 44 45 46 47 48 49 50 51 53 54 55 56 72")
	return c
}

func file(t *testing.T, name string) string {
	t.Helper()
	text, err := data.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// few is a small job over three undeclared tables of one row for each key.
func few(t *testing.T, census, health, labor string) *workertest.Computation {
	t.Helper()
	c := workertest.NewComputation(t, begin)
	for _, in := range []workertest.Input{
		{Member: c.Census, Name: "a", Content: census}, {Member: c.Health, Name: "b", Content: health}, {Member: c.Labor, Name: "c", Content: labor},
	} {
		in.MediaType, in.Input = "text/csv", exchange.Input{Key: "k", Value: "v", Weight: 1}
		c.Publish(t, in, workertest.Terms())
	}
	c.Plan.Keys, c.Plan.Scale = []string{"1", "2", "3"}, 2
	return c
}

const table = "k,v\n1,1.50\n2,-2.25\n3,0\n"

func worker(m *workertest.Member, now func() time.Time) workers.Worker {
	return compute.New(compute.Config{
		Department: m.Name, MSP: m.MSP, Peer: m.Peer, Chaincode: workertest.Chaincode,
		Keys: m.Vault.Keys, Journal: m.Vault.Journal, Node: m.Node, Ledger: m, Now: now,
	})
}

func inbox(m *workertest.Member) string { return filepath.Join(m.Vault.Dir, "inbox") }

// staff is every worker of a job.
func staff(c *workertest.Computation) []workers.Worker {
	list := []workers.Worker{
		decrypt.New(decrypt.Config{
			Department: "labor", MSP: c.Labor.MSP, Peer: c.Labor.Peer, Chaincode: workertest.Chaincode,
			Keys: c.Labor.Vault.Keys, Journal: c.Labor.Vault.Journal, Ledger: c.Labor, Now: c.Now,
		}),
		combine.New(combine.Config{
			Department: "census", Inbox: inbox(c.Census), Keys: c.Census.Vault.Keys, Journal: c.Census.Vault.Journal, Ledger: c.Census,
		}),
	}
	for _, m := range []*workertest.Member{c.Census, c.Health, c.Labor} {
		list = append(list, worker(m, c.Now))
	}
	return list
}

func run(t *testing.T, c *workertest.Computation) {
	t.Helper()
	if verdicts := c.Run(t, staff(c)...); len(verdicts) > 0 {
		t.Fatalf("verdicts: %v", verdicts)
	}
}

func approveAll(t *testing.T, c *workertest.Computation) {
	t.Helper()
	for _, name := range []string{"census", "health", "labor"} {
		c.Approve(t, name)
	}
}

// TestNeedIndex is the whole job: equal to the plaintext calculation to the last
// digit, states that a table lacks named, and another department kept out.
func TestNeedIndex(t *testing.T) {
	c := needIndex(t)
	c.Open(t)
	run(t, c)
	if j := c.Look(t); !j.Masked || j.State != exchange.JobOpen {
		t.Fatalf("before approval the job is %s, masked: %t", j.State, j.Masked)
	}
	approveAll(t, c)
	run(t, c)
	if j := c.Look(t); j.State != exchange.JobClosed {
		t.Fatalf("the job is %s: %s", j.State, j.Change.Reason)
	}
	want, err := data.NeedIndex()
	if err != nil {
		t.Fatal(err)
	}
	r, err := combine.Open(t.Context(), c.Census, "census", inbox(c.Census), c.Job)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Values) != len(want) {
		t.Errorf("%d values, want %d", len(r.Values), len(want))
	}
	for _, v := range r.Values {
		if v.Value != want[v.Key] {
			t.Errorf("state %s: %s, want %s", v.Key, v.Value, want[v.Key])
		}
	}
	missing := make(map[string]string)
	for _, m := range r.Summary.Missing {
		missing[m.Department] = strings.Join(m.Keys, " ")
	}
	if len(missing) != 1 || missing["health"] != "11 72" {
		t.Errorf("missing are %v", missing)
	}
	rows, err := csv.NewReader(strings.NewReader(string(r.Table))).ReadAll()
	if err != nil || strings.Join(rows[0], " ") != "key value" || rows[1][0] != "1" {
		t.Errorf("the table begins with %v, %v", rows[:2], err)
	}
	if _, err := combine.Open(t.Context(), c.Health, "health", inbox(c.Health), c.Job); !errors.Is(err, exchange.ErrDenied) {
		t.Errorf("opened by another department: %v", err)
	}
}

// count is how many operations of a kind are on the ledger.
func count(c *workertest.Computation, of exchange.EventType) (n int) {
	list, _ := c.Events(0)
	for _, e := range list {
		if e.Type == of {
			n++
		}
	}
	return n
}

// TestReplay hands out every event again, after the job and in its middle.
func TestReplay(t *testing.T) {
	c := few(t, table, table, table)
	c.Open(t)
	approveAll(t, c)
	run(t, c)
	before := len(events(c))
	c.Replay()
	run(t, c)
	if after := len(events(c)); after != before {
		t.Errorf("a replay made %d events out of %d", after, before)
	}
	if err := os.RemoveAll(inbox(c.Census)); err != nil {
		t.Fatal(err)
	}
	c.Replay()
	run(t, c)
	if _, err := combine.Open(t.Context(), c.Census, "census", inbox(c.Census), c.Job); !errors.Is(err, combine.ErrNotDelivered) {
		t.Errorf("a result that its department moved away came again: %v", err)
	}
}

func events(c *workertest.Computation) []exchange.Event {
	list, _ := c.Events(0)
	return list
}

// TestKilled loses the answer of every operation once: before it reached the
// ledger, and after. What is said again is the same.
func TestKilled(t *testing.T) {
	for name, commits := range map[string]bool{"before the commit": false, "after the commit": true} {
		t.Run(name, func(t *testing.T) {
			c := few(t, table, table, table)
			said := make(map[string]string)
			for _, m := range []*workertest.Member{c.Census, c.Health, c.Labor} {
				m.Client.Answer = func(op exchange.Operation, next func() (exchange.Outcome, error)) (exchange.Outcome, error) {
					key := m.Name + " " + string(op.Op)
					first, again := said[key]
					said[key] = string(op.Body)
					switch {
					case again && first != string(op.Body):
						t.Errorf("%s said something else the second time", key)
					case again:
						return next()
					case commits:
						if _, err := next(); err != nil {
							return exchange.Outcome{}, err
						}
					}
					return exchange.Outcome{}, ledger.ErrUnknownOutcome
				}
			}
			c.Open(t)
			approveAll(t, c)
			for range 20 { // each time by new processes
				for _, err := range c.Run(t, staff(c)...) {
					if !workers.Retried(err) {
						t.Fatal(err)
					}
				}
				if c.Look(t).State == exchange.JobClosed {
					break
				}
				c.Replay()
			}
			c.Replay()
			run(t, c)
			if j := c.Look(t); j.State != exchange.JobClosed {
				t.Fatalf("the job is %s", j.State)
			}
			if len(said) < 10 {
				t.Errorf("only %d operations were said twice", len(said))
			}
			if _, err := combine.Open(t.Context(), c.Census, "census", inbox(c.Census), c.Job); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCopies has two copies of every worker take the same events.
func TestCopies(t *testing.T) {
	c := few(t, table, table, table)
	c.Open(t)
	approveAll(t, c)
	if verdicts := c.Run(t, append(staff(c), staff(c)...)...); len(verdicts) > 0 {
		t.Fatal(verdicts)
	}
	if j := c.Look(t); j.State != exchange.JobClosed {
		t.Fatalf("the job is %s", j.State)
	}
	if n := count(c, exchange.JobWasContributed); n != 3 {
		t.Errorf("%d contributions", n)
	}
}

// TestGcd has weights with a common divisor, which the packing divides out, and
// negative ones.
func TestGcd(t *testing.T) {
	c := few(t, table, table, table)
	c.Plan.Inputs[0].Weight, c.Plan.Inputs[1].Weight, c.Plan.Inputs[2].Weight = 1_000_000, -3_000_000, 500_000
	c.Open(t)
	approveAll(t, c)
	run(t, c)
	r, err := combine.Open(t.Context(), c.Census, "census", inbox(c.Census), c.Job)
	if err != nil {
		t.Fatal(err)
	}
	want := []combine.Value{{Key: "1", Value: "-2250000.00"}, {Key: "2", Value: "3375000.00"}, {Key: "3", Value: "0.00"}}
	if !slices.Equal(r.Values, want) {
		t.Errorf("got %v, want %v", r.Values, want)
	}
}

// TestNoKeyInAllTables ends the job by name.
func TestNoKeyInAllTables(t *testing.T) {
	c := few(t, "k,v\n1,1\n", "k,v\n2,1\n", table)
	c.Open(t)
	approveAll(t, c)
	run(t, c)
	if j := c.Look(t); j.State != exchange.JobFailed || j.Change.Reason != "no key of the job is in every table" {
		t.Errorf("the job is %s: %s", j.State, j.Change.Reason)
	}
}
