package e2e

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"chancery/test/data"
)

// TestDemo runs the demo from an empty directory, for a machine to read.
func TestDemo(t *testing.T) {
	n := newNetwork(t, "demo")
	a := n.must(t, "demo", "--json")
	var report struct {
		Departments []string `json:"departments"`
		Steps       []struct {
			Event  string `json:"event"`
			Signer string `json:"signer"`
			Block  uint64 `json:"block"`
			Tx     string `json:"tx"`
		} `json:"steps"`
		Checks []struct {
			What, Found string
			Good        bool
		} `json:"checks"`
		Delivered struct {
			Bytes     int    `json:"bytes"`
			Digest    string `json:"sha256"`
			Identical bool   `json:"identical"`
		} `json:"delivered"`
		Index struct {
			States  int
			Highest []struct{ State, Key, Index string }
			Missing []struct{ State, Department string }
		}
		Commit float64 `json:"commitMs"`
	}
	stdout := json.NewDecoder(strings.NewReader(a.stdout))
	if err := stdout.Decode(&report); err != nil {
		t.Fatalf("%v: %s", err, a)
	}
	if _, err := stdout.Token(); err != io.EOF {
		t.Errorf("standard output goes on after the report: %s", a)
	}
	if len(report.Departments) != 3 || len(report.Steps) < 12 || len(report.Checks) < 7 || report.Commit <= 0 {
		t.Errorf("the report is too short: %s", a.stdout)
	}
	for _, s := range report.Steps {
		if s.Event == "" || s.Signer == "" || s.Block == 0 || len(s.Tx) != 64 {
			t.Errorf("step %+v", s)
		}
	}
	for _, c := range report.Checks {
		if !c.Good {
			t.Errorf("%s: %s", c.What, c.Found)
		}
	}
	if d := report.Delivered; !d.Identical || d.Bytes == 0 || len(d.Digest) != 64 {
		t.Errorf("delivered %+v", d)
	}
	plain, err := data.NeedIndex()
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Index.Highest) != 10 || report.Index.States != len(plain) || len(report.Index.Missing) != 2 {
		t.Errorf("need index: %+v", report.Index)
	}
	for _, s := range report.Index.Highest {
		if plain[s.Key] != s.Index {
			t.Errorf("need index of %s is %s, and %s in the clear", s.State, s.Index, plain[s.Key])
		}
	}
	leavesNothing(t, n.dir, 5*time.Second)
}
