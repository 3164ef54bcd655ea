package chaos

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"chancery/workers/encrypt"
	"chancery/workers/intake"
	"chancery/workers/listen"
	"chancery/workers/pin"
	"chancery/workers/policy"
	"chancery/workers/receive"
	"chancery/workers/release"
	"chancery/workers/verify"
)

// steps are what each worker does to the world outside. Only listen writes
// batches; it acknowledges nothing, since it consumes nothing.
var steps = []struct {
	worker string
	steps  []step
}{
	{listen.Name, []step{stepPublish}},
	{intake.Name, []step{stepSubmit, stepCommit, stepPublish, stepAck}},
	{encrypt.Name, []step{stepPin, stepPublish, stepAck}},
	{pin.Name, []step{stepPin, stepSubmit, stepCommit, stepAck}},
	{verify.Name, []step{stepPin, stepSubmit, stepCommit, stepAck}},
	{policy.Name, []step{stepSubmit, stepCommit, stepAck}},
	{release.Name, []step{stepSubmit, stepCommit, stepPin, stepAck}},
	{receive.Name, []step{stepSubmit, stepCommit, stepAck}},
}

// points are all of them, dealt out to the departments, of which each one does
// everything; listen's, where it matters most, are for each.
func points() map[string][]point {
	all := make(map[string][]point)
	dealt := 0
	for _, w := range steps {
		for _, s := range w.steps {
			for _, side := range []side{before, after} {
				if w.worker == listen.Name {
					for _, d := range departments {
						all[d] = append(all[d], point{d, w.worker, side, s})
					}
					continue
				}
				d := departments[dealt%len(departments)]
				all[d] = append(all[d], point{d, w.worker, side, s})
				dealt++
			}
		}
	}
	for _, d := range departments {
		all[d] = append(all[d], point{d, listen.Name, before, stepBatch})
	}
	return all
}

// TestChaos does its worst to one network.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a real network: left out by -short")
	}
	began := time.Now()
	n := start(t)
	t.Logf("%s: the network runs", since(began))
	t.Run("killed at every point", func(t *testing.T) { killedAtEveryPoint(t, n) })
	t.Run("answers lost", func(t *testing.T) { answersLost(t, n) })
	t.Run("conflicts", func(t *testing.T) { conflicts(t, n) })
}

// killedAtEveryPoint kills each worker at each point under load, and a second
// listener of one department, and then counts.
func killedAtEveryPoint(t *testing.T, n *network) {
	began := time.Now()
	second := n.second(t, "labor")
	l := newLoad(t, n)

	ctx, end := context.WithCancel(t.Context())
	defer end()
	saying, stop := context.WithCancel(ctx)
	defer stop()
	var others, killers sync.WaitGroup
	ear := n.connect(t, "census", "dashboard")
	others.Go(func() { report(t, l.listen(ctx, ear)) })
	var said sync.WaitGroup
	said.Go(func() { report(t, l.run(saying)) })

	for _, list := range points() {
		killers.Go(func() {
			for i, p := range list {
				if err := n.killAt(ctx, p, i%2); err != nil {
					t.Error(err)
					return
				}
				t.Logf("%s: killed at %s", since(began), p)
			}
		})
	}
	killers.Go(func() {
		for _, p := range second.points() {
			if err := second.killAt(ctx, p); err != nil {
				t.Error(err)
				return
			}
			t.Logf("%s: killed at %s", since(began), p)
		}
	})
	killers.Wait()
	report(t, await(ctx, "a few hundred commands", l.enough))
	stop()
	said.Wait()
	report(t, await(ctx, "every effect of every command", l.complete))
	for _, d := range departments {
		report(t, await(ctx, "quiet", func() error { return n.idle(t, d) }))
	}
	t.Logf("%s: quiet", since(began))
	end()
	others.Wait()

	n.straighten(t)
	want, files := l.wanted(), 0
	for _, d := range departments {
		t.Logf("%s: %s", d, n.must(t, n.Dir(), "ledger", "verify", "-d", d))
		if err := difference(n.onLedger(t, d), want); err != nil {
			t.Errorf("ledger as %s has it: %v", d, err)
		}
		l.checkStreams(t, d)
		files += l.checkFiles(t, d)
	}
	t.Logf("%s: %d commands, %d effects, %d files", since(began), len(l.commands), len(want), files)
}

func since(began time.Time) time.Duration { return time.Since(began).Round(100 * time.Millisecond) }

// report is t.Error for what may be no error; any goroutine may call it.
func report(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// killAt kills a department's workers at a point, once they have passed it a
// number of times, and returns when new ones run.
func (n *network) killAt(ctx context.Context, p point, pass int) error {
	pid, err := n.pid(ctx, p.site)
	if err != nil {
		return err
	}
	if err := n.faults.await(ctx, p, pass, pid); err != nil {
		return err
	}
	return n.Restart(ctx, p.site+"-workers")
}

// await sets a trap and waits until it has killed.
func (f *faults) await(ctx context.Context, p point, pass, pid int) error {
	trap := f.set(p, pass, pid)
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-trap.fired:
		return trap.err
	case <-limit.C:
		return fmt.Errorf("no worker came to %s within %s", p, patience)
	case <-ctx.Done():
		return ctx.Err()
	}
}
