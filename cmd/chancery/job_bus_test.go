package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
)

func TestJobOpenOverTheBus(t *testing.T) {
	o := newOffice(t)
	said := make(chan exchange.Body, 1)
	id := exchange.NewID(exchange.NounJob, "HealthMSP", "c1")
	o.answer(func(e events.Envelope) exchange.Outcome {
		body, err := events.DecodeCommand(e)
		if err != nil {
			return exchange.Outcome{Command: e.ID, Code: exchange.Invalid, Message: err.Error()}
		}
		said <- body
		return exchange.Outcome{Command: e.ID, Op: exchange.OpJobOpen, Code: exchange.OK, ID: id, Tx: "ab"}
	})
	file := writePlan(t, "plan.yaml", soundPlan+"deadline: 2100-01-31T12:00:00+02:00\n")
	code, stdout, stderr := o.run("job", "open", "--file", file, "--command", "c1", "--json")
	var got struct {
		ID   string        `json:"id"`
		Code exchange.Code `json:"code"`
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 || got.ID != id || got.Code != exchange.OK {
		t.Fatalf("exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	// The ledger is away: the job is open all the same.
	if !strings.Contains(stderr, "`chancery job show "+id+"` tries again") {
		t.Errorf("stderr %q", stderr)
	}
	body, ok := (<-said).(*exchange.OpenJob)
	if !ok || body.Keys[1] != "4" || !body.Deadline.Equal(time.Date(2100, 1, 31, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("said %+v", body)
	}

	// The bus drops the same command; its answer is found all the same.
	code, stdout, _ = o.run("job", "open", "--file", file, "--command", "c1", "--wait", "5s")
	if code != 0 || !strings.Contains(stdout, "outcome      exists") {
		t.Errorf("said again: exit code %d, %s", code, stdout)
	}
}

// TestJobWatch follows a job to each of its ends.
func TestJobWatch(t *testing.T) {
	later := func(state exchange.JobState, reason string) exchange.Job {
		j := computed(state)
		j.Spec.Deadline = time.Now().Add(time.Hour)
		j.Change = exchange.Change{By: "labor", Reason: reason}
		return j
	}
	opened := later(exchange.JobOpen, "")
	shared := exchange.Share{Job: opened.ID, Department: "labor", Requester: "health"}
	past := computed(exchange.JobOpen)
	past.Spec.Deadline = time.Now().Add(-time.Minute)
	lacking := later(exchange.JobApproved, "")
	lacking.Parties[1] = exchange.JobParty{Department: "labor", Aligned: true, Missing: []string{"2", "3"}}
	for name, c := range map[string]struct {
		events []exchange.Event
		code   int
		stdout string
		stderr string
	}{
		"closed": {[]exchange.Event{
			event(t, exchange.JobOpened, "health", opened.ID, opened),
			event(t, exchange.JobWasAligned, "labor", opened.ID, lacking),
			event(t, exchange.JobSharePosted, "labor", opened.ID, shared),
			event(t, exchange.JobWasClosed, "health", opened.ID, exchange.Result{Job: opened.ID, Requester: "health"}),
		}, exitOK, "1 of 2, lacks 2, 3", "`chancery result open " + opened.ID},
		"refused": {[]exchange.Event{
			event(t, exchange.JobOpened, "health", opened.ID, opened),
			event(t, exchange.JobWasRefused, "labor", opened.ID, later(exchange.JobRefused, "no basis")),
		}, exitRefused, "job.refused", "was refused by labor: no basis"},
		"failed": {[]exchange.Event{
			event(t, exchange.JobOpened, "health", opened.ID, opened),
			event(t, exchange.JobWasFailed, "labor", opened.ID, later(exchange.JobFailed, "column rate is missing")),
		}, exitError, "job.failed", "failed: column rate is missing"},
		"disputed": {[]exchange.Event{
			event(t, exchange.JobOpened, "health", opened.ID, opened),
			event(t, exchange.JobWasContested, "health", opened.ID, later(exchange.JobDisputed, "wrong numbers")),
		}, exitConflict, "job.contested", "health disputes the share of labor: wrong numbers"},
		"expired": {[]exchange.Event{
			event(t, exchange.JobOpened, "health", past.ID, past),
		}, exitRefused, "job.opened", "expired at"},
		"shared, over time, closed": {[]exchange.Event{
			event(t, exchange.JobOpened, "health", past.ID, past),
			event(t, exchange.JobSharePosted, "labor", past.ID, shared),
			event(t, exchange.JobWasClosed, "health", past.ID, exchange.Result{Job: past.ID, Requester: "health"}),
		}, exitOK, "job.closed", ""},
		"another's": {[]exchange.Event{
			event(t, exchange.JobOpened, "health", exchange.NewID(exchange.NounJob, "LaborMSP", "c9"), opened),
		}, exitUnreachable, "", "the peer of health is away"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			say(t, o.bus.Connect(t, "listen"), c.events)
			code, stdout, stderr := o.run("job", "watch", opened.ID)
			if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
				t.Errorf("exit code %d, want %d\n%s%s", code, c.code, stdout, stderr)
			}
			if c.stdout != "" && strings.Count(stdout, "\n") != len(c.events) {
				t.Errorf("%d events as %s", len(c.events), stdout)
			}
		})
	}
}

// TestJobWatchWaits has the end come while the job is watched, and its deadline.
func TestJobWatchWaits(t *testing.T) {
	o := newOffice(t)
	listen := o.bus.Connect(t, "listen")
	j := computed(exchange.JobOpen)
	j.Spec.Deadline = time.Now().Add(time.Hour)
	say(t, listen, []exchange.Event{event(t, exchange.JobOpened, "health", j.ID, j)})
	told := make(chan error, 1)
	go func() {
		j.State, j.Change = exchange.JobWithdrawn, exchange.Change{By: "health", Reason: "wrong year"}
		data, err := exchange.Encode(j)
		if err == nil {
			err = tellAt(t.Context(), listen, 8, []exchange.Event{{Type: exchange.JobWasWithdrawn, From: "health", To: exchange.ToAll, ID: j.ID, Data: data}})
		}
		told <- err
	}()
	code, stdout, stderr := o.run("job", "watch", j.ID, "--json")
	if err := <-told; err != nil {
		t.Fatal(err)
	}
	if code != exitRefused || !strings.Contains(stderr, "was withdrawn by health: wrong year") || strings.Count(stdout, "\n") != 2 {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	due := computed(exchange.JobOpen)
	due.ID = exchange.NewID(exchange.NounJob, "HealthMSP", "c2")
	due.Spec.Deadline = time.Now().Add(time.Second - lateEvents)
	data, err := exchange.Encode(due)
	if err != nil {
		t.Fatal(err)
	}
	if err := tellAt(t.Context(), listen, 9, []exchange.Event{{Type: exchange.JobOpened, From: "health", To: exchange.ToAll, ID: due.ID, Data: data}}); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := o.run("job", "watch", due.ID); code != exitRefused || !strings.Contains(stderr, "expired at") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
