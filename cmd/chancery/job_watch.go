package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
)

func newJobWatchCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "watch JOB",
		Short: "Show a job's events as they come, until it is over",
		Long: `Show a job's events, one a line, as the department's bus carries them: first what
there was, then what comes, until the job is over or its deadline has passed by the
own clock. A bus that is away is waited for.

Exit codes: 0 closed, 1 failed, 3 refused, withdrawn or expired, 5 disputed.`,
		Example: `  chancery job watch j-4xw7cqk2yqv7rdzv5m6ud2kq3e -d health
  chancery job watch j-4xw7cqk2yqv7rdzv5m6ud2kq3e -d health --json | jq .type`,
		Args: takes("a JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runJobWatch(cmd.Context(), a, args[0])
		},
	}
}

func runJobWatch(ctx context.Context, a *app, id string) error {
	if err := checkID(exchange.NounJob, id); err != nil {
		return err
	}
	profile, err := a.anyProfile()
	if err != nil {
		return err
	}
	conn, err := a.bus(ctx, profile, bus.UserDashboard)
	if err != nil {
		return err
	}
	defer conn.Close()
	w := &jobTail{app: a, id: id, events: ledgerTail{app: a}}
	filter := events.Filter{Stream: events.StreamLedger, Subject: events.Subject{
		Kind: events.KindLedger, Noun: string(exchange.NounJob), Verb: "*", From: "*", To: "*", ID: id,
	}.String()}
	if err := conn.Read(ctx, filter, 0, w.take); err != nil {
		return w.ended(err)
	}
	if !w.known {
		// The department's bus may be a moment behind the ledger.
		if w.job, err = a.jobOf(ctx, id); err != nil {
			return err
		}
		if w.job.State.Over() {
			return w.ended(errJobOver)
		}
	}
	return w.follow(ctx, conn, filter)
}

// lateEvents is how long after a job's deadline its events are waited for: what
// was said in time takes a moment to come.
const lateEvents = 5 * time.Second

// errJobOver ends a watch; what became of the job is in it.
var errJobOver = errors.New("the job is over")

// jobTail prints one job's events and knows where the job stands.
type jobTail struct {
	app    *app
	id     string
	events ledgerTail
	job    exchange.Job // as its last event has it
	known  bool
	next   uint64 // sequence to go on from
}

// follow prints what comes until the job is over or expired.
func (w *jobTail) follow(ctx context.Context, conn *bus.Conn, f events.Filter) error {
	for {
		now := time.Now()
		if jobExpired(w.job, now.Add(-lateEvents)) {
			return exchange.Errorf(exchange.Expired, "job %s expired at %s while it was %s: `chancery job show %s` says whom it waited for",
				w.id, clock(w.job.Spec.Deadline), w.job.State, w.id)
		}
		limited, cancel := context.WithCancel(ctx)
		if w.job.State != exchange.JobShared { // which may be closed at any time
			limited, cancel = context.WithDeadline(ctx, w.job.Spec.Deadline.Add(lateEvents))
		}
		state := w.job.State
		err := w.app.follow(limited, conn, f, w.next, func(m *bus.Message) error {
			if err := w.take(m); err != nil {
				return err
			}
			if w.job.State != state && w.job.State == exchange.JobShared {
				return errNewDeadline
			}
			return nil
		})
		over := limited.Err() != nil && ctx.Err() == nil
		cancel()
		if !over && !errors.Is(err, errNewDeadline) {
			return w.ended(err)
		}
	}
}

// errNewDeadline ends the wait for a deadline that does not count any more.
var errNewDeadline = errors.New("the deadline does not count any more")

// take prints an event, once each.
func (w *jobTail) take(m *bus.Message) error {
	w.next = m.Sequence + 1
	if m.Err != nil {
		return w.events.show(m)
	}
	last := w.events.last
	if last != nil && m.Position.Compare(*last) <= 0 {
		return nil
	}
	if err := w.learn(m); err != nil {
		w.app.say("event %s of %s: %v", m.Address.Event(), w.id, err)
	}
	if err := w.print(m); err != nil {
		return err
	}
	if w.job.State.Over() {
		return errJobOver
	}
	return nil
}

// learn takes the job's state from an event.
func (w *jobTail) learn(m *bus.Message) error {
	switch m.Address.Event() {
	case exchange.JobSharePosted:
		w.job.State = exchange.JobShared
	case exchange.JobWasClosed:
		w.job.State = exchange.JobClosed
	default:
		j, err := events.Record[exchange.Job](m.Envelope)
		if err != nil {
			return err
		}
		w.job = j
	}
	w.known = true
	return nil
}

// print shows an event as watch does, with what is behind it.
func (w *jobTail) print(m *bus.Message) error {
	if w.app.json {
		return w.events.show(m)
	}
	w.events.last = m.Position
	_, err := fmt.Fprintf(w.app.out, "%s  %6d  %-17s  by %-12s  %s\n",
		clock(m.Time), m.Position.Block, m.Address.Event(), m.Address.From, w.detail(m))
	return err
}

// detail says how far the job is with an event.
func (w *jobTail) detail(m *bus.Message) string {
	j, of := w.job, len(w.job.Parties)
	count := func(done func(exchange.JobParty) bool) string {
		n := 0
		for _, p := range j.Parties {
			if done(p) {
				n++
			}
		}
		return fmt.Sprintf("%d of %d", n, of)
	}
	switch m.Address.Event() {
	case exchange.JobOpened:
		return fmt.Sprintf("%s, for %d keys over data of %s, until %s", j.Spec.Purpose, len(j.Spec.Keys), strings.Join(j.Spec.Providers(), ", "), clock(j.Spec.Deadline))
	case exchange.JobWasApproved:
		return count(func(p exchange.JobParty) bool { return p.ApprovedTx != "" })
	case exchange.JobWasAligned:
		text := count(func(p exchange.JobParty) bool { return p.Aligned })
		if p, found := j.Party(m.Address.From); found && len(p.Missing) > 0 {
			text += ", lacks " + someOf(p.Missing)
		}
		return text
	case exchange.JobWasContributed:
		return count(func(p exchange.JobParty) bool { return p.ContributedTx != "" })
	case exchange.JobWasRefused, exchange.JobWasWithdrawn, exchange.JobWasFailed, exchange.JobWasContested:
		return j.Change.Reason
	}
	return ""
}

// ended turns the end of the events into the outcome of the job.
func (w *jobTail) ended(err error) error {
	if !errors.Is(err, errJobOver) {
		return err
	}
	j := w.job
	switch j.State {
	case exchange.JobClosed:
		w.app.say("closed: `chancery result open %s` shows the result to %s", w.id, j.Requester)
		return nil
	case exchange.JobRefused, exchange.JobWithdrawn:
		return faultf(errRefused, "job %s was %s by %s: %s", w.id, j.State, j.Change.By, j.Change.Reason)
	case exchange.JobDisputed:
		return exchange.Errorf(exchange.Conflict, "%s disputes the share of %s: %s", j.Requester, j.Spec.Keyholder, j.Change.Reason)
	}
	return fmt.Errorf("job %s %s: %s", w.id, j.State, j.Change.Reason)
}
