package e2e

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
)

// study is a computation over a table of each department, and what it gives in
// the clear. Its weights have a common divisor and a negative one among them,
// its keys take more than one plaintext.
type study struct {
	name  string
	keys  []string
	plain map[string]string // by key; those that a table lacks are not in it
}

// studyKeys is how many keys a study has; health lacks one, labor another.
const (
	studyKeys  = 100
	healthLack = "7"
	laborLack  = "11"
)

// newStudy publishes the three tables and makes labor's keyring.
func (n network) newStudy(t *testing.T) study {
	t.Helper()
	s := study{name: newTable(t, "census").name, plain: make(map[string]string)}
	people, rates, counties := "region,people\n", "region,rate\n", "county,jobless\n"
	for i := 1; i <= studyKeys; i++ {
		key := fmt.Sprint(i)
		s.keys = append(s.keys, key)
		people += fmt.Sprintf("%d,%d\n", i, 1000*i*i)
		if key != healthLack {
			rates += fmt.Sprintf("%d,%s\n", i, thousandths(int64(i)))
		}
		if key != laborLack {
			for c := range 3 {
				counties += fmt.Sprintf("%d,%s\n", 1000*i+c, thousandths(int64(i*(c+1))))
			}
		}
		if key != healthLack && key != laborLack {
			// 2 · people/1000 − 4 · rate + 6 · mean of the counties, all exact.
			sum := big.NewRat(2*int64(i*i), 1)
			sum.Sub(sum, big.NewRat(4*int64(i), 1000))
			sum.Add(sum, big.NewRat(6*2*int64(i), 1000))
			s.plain[key] = sum.FloatString(3)
		}
	}
	n.publishNumbers(t, "census", s.name, people, "region:integer", "people:integer")
	n.publishNumbers(t, "health", s.name, rates, "region:integer", "rate:number")
	n.publishNumbers(t, "labor", s.name, counties, "county:integer", "jobless:number")
	n.must(t, "keyring", "create", s.name, "-d", "labor")
	return s
}

func thousandths(v int64) string { return big.NewRat(v, 1000).FloatString(3) }

func (n network) publishNumbers(t *testing.T, owner, name, content string, columns ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+"-"+owner+".csv")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"dataset", "publish", file, "-d", owner, "--name", name, "--title", "Numbers of " + name, "--licence", "CC0-1.0",
		"--action", "compute"}
	for _, c := range columns {
		args = append(args, "--column", c)
	}
	object := exchange.NewID(exchange.NounObject, n.profile(t, owner).MSP, ask[outcome](t, n, args...).Command)
	n.hear(t, owner, exchange.ObjectRegistered, object)
}

const studyInputs = `
  - {dataset: census/NAME, key: region, value: people, shift: -3, weight: 2}
  - {dataset: health/NAME, key: region, value: rate, weight: -4}
  - {dataset: labor/NAME, key: county, divisor: 1000, value: jobless, reduction: mean, weight: 6}`

// plan writes a plan over a study's tables.
func (s study) plan(t *testing.T, inputs string, valueBits int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "plan.yaml")
	text := fmt.Sprintf("operation: weighted-sum\nkeyring: labor/%s\npurpose: planning\nlegalBasis: Statistics Act, section 5\n"+
		"inputs: %s\nkeys: [\"%s\"]\nscale: 3\nvalueBits: %d\n",
		s.name, strings.ReplaceAll(inputs, "NAME", s.name), strings.Join(s.keys, `", "`), valueBits)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

type openedJob struct {
	outcome
	Digest string `json:"digest"`
}

func (n network) openJob(t *testing.T, file string) openedJob {
	t.Helper()
	return ask[openedJob](t, n, "job", "open", "--file", file, "-d", "health", "--for", "30m")
}

func (n network) approve(t *testing.T, job openedJob) {
	t.Helper()
	for _, department := range []string{"census", "health", "labor"} {
		n.must(t, "job", "approve", job.ID, "-d", department, "--spec", job.Digest)
	}
}

// TestJob computes over three departments' tables by the command line alone, and
// holds the result against the same sums in the clear.
func TestJob(t *testing.T) {
	n := shared(t)
	s := n.newStudy(t)
	job := n.openJob(t, s.plan(t, studyInputs, 40))
	n.fails(t, 5, nil, "job", "approve", job.ID, "-d", "census", "--spec", strings.Repeat("ab", 32))
	n.fails(t, 5, nil, "result", "open", job.ID, "-d", "health")
	n.approve(t, job)
	n.must(t, "job", "watch", job.ID, "-d", "census")

	type value struct{ Key, Value string }
	result := ask[struct {
		Values  []value
		Missing []struct {
			Department string
			Keys       []string
		}
	}](t, n, "result", "open", job.ID, "-d", "health")
	if len(result.Values) != len(s.plain) {
		t.Errorf("%d keys in the result, %d in the clear", len(result.Values), len(s.plain))
	}
	for _, v := range result.Values {
		if v.Value != s.plain[v.Key] {
			t.Errorf("key %s: %s, and %s in the clear", v.Key, v.Value, s.plain[v.Key])
		}
	}
	if m := fmt.Sprint(result.Missing); m != "[{health [7]} {labor [11]}]" {
		t.Errorf("missing: %s", m)
	}
	n.fails(t, 3, []string{"denied", "health"}, "result", "open", job.ID, "-d", "labor")
	n.altered(t, job.ID)
}

// altered changes a digit of the delivered result, which is noticed.
func (n network) altered(t *testing.T, job string) {
	t.Helper()
	file := filepath.Join(n.profile(t, "health").Inbox, job, "result.csv")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(content[:len(content)-2:len(content)-2], '9', '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	n.fails(t, 6, nil, "result", "open", job, "-d", "health")
}

// TestJobsThatAreRefused asks for what would show a department's values, or
// cannot be computed.
func TestJobsThatAreRefused(t *testing.T) {
	n := shared(t)
	s := n.newStudy(t)
	open := func(code int, words []string, inputs string, valueBits int) {
		t.Helper()
		n.fails(t, code, words, "job", "open", "--file", s.plan(t, inputs, valueBits), "-d", "health", "--for", "30m")
	}
	two := "\n  - {dataset: census/NAME, key: region, value: people, weight: 1}\n  - {dataset: health/NAME, key: region, value: rate, weight: 1}"
	open(2, []string{"1 departments besides the requester"}, two, 40)
	open(2, []string{"63"}, studyInputs, 62)
	open(2, []string{"255"}, strings.Replace(studyInputs, "weight: 2}", "weight: 513}", 1), 40)
	open(2, []string{"incomes"}, strings.Replace(studyInputs, "value: people", "value: incomes", 1), 40)
	n.fails(t, 2, []string{"labor"}, "job", "open", "--file", s.plan(t, studyInputs, 40), "-d", "labor", "--for", "30m")

	narrow := n.openJob(t, s.plan(t, studyInputs, 12)) // values up to 2.047
	n.approve(t, narrow)
	failed := n.run(t, "job", "watch", narrow.ID, "-d", "health")
	if failed.code != 1 || !strings.Contains(failed.stdout+failed.stderr, "people") {
		t.Errorf("a value out of range: %s", failed)
	}
	late := n.openJob(t, s.plan(t, studyInputs, 40))
	n.must(t, "job", "refuse", late.ID, "-d", "census", "--reason", "not for this purpose")
	n.fails(t, 5, nil, "job", "approve", late.ID, "-d", "labor", "--spec", late.Digest)
	n.fails(t, 3, nil, "job", "watch", late.ID, "-d", "labor")

	n.must(t, "keyring", "retire", "labor/"+s.name, "-d", "labor", "--reason", "a new one is there")
	n.fails(t, 5, []string{"retired"}, "job", "open", "--file", s.plan(t, studyInputs, 40), "-d", "health", "--for", "30m")
}
