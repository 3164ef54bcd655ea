package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/workers"
	"chancery/workers/combine"
)

func TestHighest(t *testing.T) {
	values := []combine.Value{{Key: "1", Value: "-0.50"}, {Key: "2", Value: "10.00"}, {Key: "3", Value: "9.75"}, {Key: "4", Value: "10.00"}, {Key: "5", Value: "92233720368547758.08"}}
	for n, want := range map[int]string{1: "[5]", 3: "[5 2 4]", 5: "[5 2 4 3 1]", 9: "[5 2 4 3 1]"} {
		var keys []string
		for _, v := range highestOf(values, n) {
			keys = append(keys, v.Key)
		}
		if got := fmt.Sprint(keys); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if values[0].Key != "1" {
		t.Error("the values were sorted in place")
	}
}

func TestResultTable(t *testing.T) {
	r := combine.Result{Table: []byte("key,value\n1,2.0\na,1.0\n"), Values: []combine.Value{{Key: "1", Value: "2.0"}}}
	if got := string(tableOf(r, false)); got != string(r.Table) {
		t.Errorf("all of it: %q", got)
	}
	if got := string(tableOf(r, true)); got != "key,value\n1,2.0\n" {
		t.Errorf("a part: %q", got)
	}
	var text strings.Builder
	openedResult{Job: "j-1", Keys: 2, Values: r.Values, Missing: []combine.Missing{{Department: "labor", Keys: []string{"72", "3"}}}}.write(&text)
	for _, want := range []string{"keys        1 highest of 2\n", "no result for 72, 3, which labor lacks\n", "KEY  VALUE\n1      2.0\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in %q", want, text.String())
		}
	}
}

// TestNoResult says what a result waits for, and keeps refusals as they are.
func TestNoResult(t *testing.T) {
	failed := computed(exchange.JobFailed)
	failed.Change.Reason = "column rate is missing"
	for _, c := range []struct {
		err  error
		job  exchange.Job
		code int
		want string
	}{
		{exchange.Errorf(exchange.Denied, "for health"), computed(exchange.JobClosed), exitRefused, "for health"},
		{exchange.Errorf(exchange.Conflict, "no"), computed(exchange.JobComputed), exitConflict, "waits for labor (worker decrypt)"},
		{exchange.Errorf(exchange.Conflict, "no"), failed, exitConflict, "it is failed: column rate is missing"},
		{fmt.Errorf("x: %w", combine.ErrNotDelivered), computed(exchange.JobClosed), exitNotFound, "combine of health"},
		{fmt.Errorf("%w: y", combine.ErrAltered), computed(exchange.JobClosed), exitDigest, "y"},
		{exchange.Errorf(exchange.NotFound, "no job"), exchange.Job{}, exitNotFound, "no job"},
	} {
		err := noResult(c.err, c.job, workers.Profile{Department: "health", Inbox: "inbox"}, noon.Add(time.Minute))
		if exitCode(err) != c.code || !strings.Contains(err.Error(), c.want) {
			t.Errorf("exit code %d, %v; want %d, %q", exitCode(err), err, c.code, c.want)
		}
	}
}
