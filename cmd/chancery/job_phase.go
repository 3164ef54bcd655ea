package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"chancery/chaincode/exchange"
)

// phase is a part of a job's life, as the ledger's history tells it.
type phase struct {
	Name  string    `json:"phase"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until,omitzero"` // none: it is going on
	Took  int64     `json:"ms,omitempty"`   // by the transactions' times; of a phase that goes on, nothing
}

// phaseNames say what goes on in a state.
var phaseNames = map[exchange.JobState]string{
	exchange.JobOpen:        "approval",
	exchange.JobApproved:    "alignment",
	exchange.JobAligned:     "contribution",
	exchange.JobContributed: "evaluation",
	exchange.JobComputed:    "decryption",
	exchange.JobShared:      "result",
}

// phasesOf cuts a job's history, oldest version first, where its state changed.
func phasesOf(history []exchange.HistoryEntry) ([]phase, error) {
	phases := []phase{}
	var state exchange.JobState
	for _, e := range history {
		var j exchange.Job
		if err := json.Unmarshal(e.Record, &j); err != nil {
			return nil, fmt.Errorf("version of a job in %s: %w", e.Tx, err)
		}
		if j.State == state {
			continue
		}
		if n := len(phases); n > 0 && phases[n-1].Until.IsZero() {
			phases[n-1].Until = e.Time.UTC()
			phases[n-1].Took = phases[n-1].Until.Sub(phases[n-1].From).Milliseconds()
		}
		if name := phaseNames[j.State]; name != "" {
			phases = append(phases, phase{Name: name, From: e.Time.UTC()})
		}
		state = j.State
	}
	return phases, nil
}

func writePhases(w io.Writer, phases []phase) {
	t := newTable("PHASE", "FROM", "UNTIL", "TOOK")
	for _, p := range phases {
		took := ""
		if !p.Until.IsZero() {
			took = (time.Duration(p.Took) * time.Millisecond).String()
		}
		t.add(p.Name, clock(p.From), clock(p.Until), took)
	}
	t.write(w)
}

// awaited is what comes next in a job, and whom it waits for.
type awaited struct {
	Step string   `json:"step"` // of a job that is over: none
	From []string `json:"from,omitempty"`
}

// workerOf names a department's worker, whom a step waits for.
func workerOf(department, worker string) string {
	return fmt.Sprintf("%s (worker %s)", department, worker)
}

// awaits says what a job waits for.
func awaits(j exchange.Job, now time.Time) awaited {
	parties := func(done func(exchange.JobParty) bool, worker string) (names []string) {
		for _, p := range j.Parties {
			if !done(p) {
				names = append(names, workerOf(p.Department, worker))
			}
		}
		return names
	}
	if j.State.Over() || jobExpired(j, now) {
		return awaited{}
	}
	var next awaited
	requester := workerOf(j.Requester, "compute")
	switch j.State {
	case exchange.JobOpen:
		next.Step = "approval by every department whose data it takes"
		for _, p := range j.Parties {
			if p.ApprovedTx == "" {
				next.From = append(next.From, fmt.Sprintf("%s (an officer, or a rule)", p.Department))
			}
		}
	case exchange.JobApproved:
		next = awaited{"each department says which keys its tables lack, and the requester makes its mask", parties(func(p exchange.JobParty) bool { return p.Aligned }, "compute")}
		if !j.Masked && !slices.Contains(next.From, requester) {
			next.From = append(next.From, requester)
		}
	case exchange.JobAligned:
		next = awaited{"encrypted contributions", parties(func(p exchange.JobParty) bool { return p.ContributedTx != "" }, "compute")}
		if slices.Contains(next.From, requester) {
			next = awaited{"the requester's own contribution, before any other", []string{requester}}
		}
	case exchange.JobContributed:
		next = awaited{"evaluation by the contract", []string{requester}}
	case exchange.JobComputed:
		next = awaited{"the keyholder opens the masked result for the requester", []string{workerOf(j.Spec.Keyholder, "decrypt")}}
	case exchange.JobShared:
		next = awaited{"the requester takes the mask off and commits to the result", []string{workerOf(j.Requester, "combine")}}
	}
	return next
}

// text says it for people.
func (n awaited) text(j exchange.Job, now time.Time) string {
	switch {
	case n.Step != "":
		return fmt.Sprintf("%s: waits for %s", n.Step, strings.Join(n.From, ", "))
	case jobExpired(j, now):
		return "nothing: its deadline is over; open another job"
	case j.State == exchange.JobClosed:
		return fmt.Sprintf("nothing: %s has the result", j.Requester)
	}
	return "nothing: the job is over"
}
