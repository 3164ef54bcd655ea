package main

import (
	"fmt"
	"io"
	"time"
)

// demoReport is what the demo prints.
type demoReport struct {
	Data        string       `json:"data"` // directory of the network
	Departments []string     `json:"departments"`
	Start       millis       `json:"startMs"`  // from nothing to a healthy network, builds included
	Commit      millis       `json:"commitMs"` // median submit-to-commit of a lone transaction
	Commits     int          `json:"commits"`  // how many were measured
	Steps       []demoStep   `json:"steps"`
	Checks      []demoCheck  `json:"checks"`
	Delivered   demoDelivery `json:"delivered"`
	Index       demoIndex    `json:"index"`
	Total       millis       `json:"totalMs"`
	Kept        bool         `json:"kept"` // the network and the file are still there
}

// demoStep is one thing that happened on the ledger.
type demoStep struct {
	What       string `json:"what"`
	Event      string `json:"event"`
	Department string `json:"department"` // that signed
	Signer     string `json:"signer"`     // name of the certificate
	Officer    string `json:"officer"`    // its id
	Block      uint64 `json:"block"`
	Tx         string `json:"tx"`
	Took       millis `json:"tookMs"` // from what set it off until a bus said so
}

// demoCheck is one thing that had to hold.
type demoCheck struct {
	What  string `json:"what"`
	Found string `json:"found"`
	Good  bool   `json:"good"`
}

// demoDelivery is the file that arrived.
type demoDelivery struct {
	File      string `json:"file"`
	Bytes     int    `json:"bytes"`
	Digest    string `json:"sha256"`
	Identical bool   `json:"identical"` // to the provider's source
}

// demoIndex is what was computed on ciphertexts.
type demoIndex struct {
	Job     string        `json:"job"`
	States  int           `json:"states"` // in the result
	File    string        `json:"file"`
	Highest []demoState   `json:"highest"`
	Missing []demoMissing `json:"missing"`
}

// demoState is one state with its index.
type demoState struct {
	State string `json:"state"`
	Key   string `json:"key"` // FIPS code
	Index string `json:"index"`
}

// demoMissing is a state that was asked for and is not in the result.
type demoMissing struct {
	State      string `json:"state"`
	Key        string `json:"key"`
	Department string `json:"department"` // whose table lacks it
}

// millis is a duration that is written in milliseconds.
type millis time.Duration

func (m millis) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%.1f", float64(time.Duration(m).Microseconds())/1000), nil
}

func (m millis) String() string {
	d := time.Duration(m)
	if d < 10*time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// good reports whether every check held.
func (r *demoReport) good() bool {
	for _, c := range r.Checks {
		if !c.Good {
			return false
		}
	}
	return len(r.Checks) > 0
}

func (r *demoReport) write(w io.Writer) {
	fmt.Fprintf(w, "Three departments, one ledger, no one in between (healthy after %s)\n\n", r.Start)
	steps := newTable("WHAT HAPPENED", "SIGNED BY", "BLOCK", "TRANSACTION", "TOOK", "÷ COMMIT")
	for _, s := range r.Steps {
		steps.add(s.What, s.Signer+" of "+s.Department, fmt.Sprint(s.Block), short(s.Tx), s.Took.String(), ratio(s.Took, r.Commit))
	}
	steps.write(w)
	fmt.Fprintf(w, "\n%s is what this network takes to commit one lone transaction (median of %d).\n\n", r.Commit, r.Commits)
	checks := newTable("WHAT HAD TO HOLD", "", "WHAT WAS FOUND")
	for _, c := range r.Checks {
		checks.add(c.What, map[bool]string{true: "yes", false: "NO"}[c.Good], c.Found)
	}
	checks.write(w)
	fmt.Fprintf(w, "\nhealth holds %s: %d bytes, SHA-256 %s\n", r.Delivered.File, r.Delivered.Bytes, r.Delivered.Digest)
	r.Index.write(w)
	if !r.Kept {
		fmt.Fprintln(w, "(The network and its files are removed now: --keep leaves them.)")
	}
	fmt.Fprintf(w, "All of it took %s.\n", r.Total)
}

func (x *demoIndex) write(w io.Writer) {
	fmt.Fprintf(w, "\nNeed index, computed by the contract on ciphertexts: the %d highest of %d states\n\n", len(x.Highest), x.States)
	states := newTable("STATE", "FIPS", "INDEX")
	for _, s := range x.Highest {
		states.add(s.State, s.Key, s.Index)
	}
	states.write(w)
	for _, m := range x.Missing {
		fmt.Fprintf(w, "Not in it: %s (%s), which %s has no row for.\n", m.State, m.Key, m.Department)
	}
	fmt.Fprintln(w)
}

func ratio(took, unit millis) string {
	if unit <= 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", float64(took)/float64(unit))
}
