package main

import (
	"context"
	"fmt"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
)

const requestsWhat = "commands in atomic batches → request.opened on the bus"

func benchRequests() benchmark {
	return benchmark{
		name:  "requests",
		about: "requests a second, against raw Fabric with one key a transaction at its best concurrency",
		lines: func(BenchOptions) []benchLine { return []benchLine{{What: requestsWhat, Target: atLeast(15)}} },
		run:   func(ctx context.Context, b *bench) error { return b.requests(ctx) },
	}
}

// concurrencies are tried to find the one at which raw Fabric is fastest.
var concurrencies = []int{64, 128, 256, 400}

// requests measures, in turns, commands that become events and transactions of
// the raw chaincode, each for the same time.
func (b *bench) requests(ctx context.Context) error {
	if err := b.ready(ctx); err != nil {
		return err
	}
	if err := b.restProvider(ctx); err != nil {
		return err
	}
	probes, err := b.findConcurrency(ctx)
	if err != nil {
		return err
	}
	var ours, raw []float64
	var busy, rawBusy string
	for round := range b.opts.Rounds {
		if err := b.quiet(ctx); err != nil {
			return err
		}
		before := b.usage(ctx)
		rate, err := b.commandRate(ctx, fmt.Sprintf("requests%d", round), b.opts.turn())
		if err != nil {
			return err
		}
		busy = b.usage(ctx).since(before)
		if err := b.quiet(ctx); err != nil {
			return err
		}
		before = b.usage(ctx)
		t := b.rawRate(ctx, fmt.Sprintf("requests%d", round), b.inFlight, b.opts.turn())
		if err := t.err(); err != nil {
			return fmt.Errorf("raw Fabric: %w", err)
		}
		rawBusy = b.usage(ctx).since(before)
		ours, raw = append(ours, rate), append(raw, t.perSecond())
		b.say("requests, round %d of %d: ours %s/s, raw %s/s", round+1, b.opts.Rounds, number(rate), number(t.perSecond()))
	}
	b.capacity, b.rawCapacity = median(ours), median(raw)
	b.report.fill(benchLine{
		Benchmark: "requests", What: requestsWhat, Ours: figureOf("requests/s", ours),
		Than: fmt.Sprintf("raw Fabric, one PutState of %d bytes, %d in flight", rawValue, b.inFlight), Baseline: figureOf("tx/s", raw),
		Detail: fmt.Sprintf("raw by concurrency: %s. Cores busy in the last round: ours %s; raw %s.%s", probes, busy, rawBusy, b.restingNote()),
	})
	return nil
}

// findConcurrency tries raw Fabric at several concurrencies.
func (b *bench) findConcurrency(ctx context.Context) (probes string, err error) {
	if b.inFlight > 0 {
		return "found before", nil
	}
	best := 0.0
	for _, n := range concurrencies {
		t := b.rawRate(ctx, fmt.Sprintf("probe%d", n), n, b.opts.turn()/2)
		if err := t.err(); err != nil {
			return "", fmt.Errorf("raw Fabric with %d in flight: %w", n, err)
		}
		if probes != "" {
			probes += ", "
		}
		probes += fmt.Sprintf("%d in flight %s tx/s", n, number(t.perSecond()))
		if t.perSecond() > best {
			best, b.inFlight = t.perSecond(), n
		}
	}
	b.rawCapacity = best
	b.say("raw Fabric: %s", probes)
	return probes, nil
}

// rawRate writes keys by the raw chaincode, so many at once.
func (b *bench) rawRate(ctx context.Context, series string, callers int, d time.Duration) tally {
	return closedLoad(ctx, callers, d, func(ctx context.Context, n int) error {
		_, err := b.put(ctx, b.name(series, n))
		return err
	})
}

const (
	// backlog is how many commands wait at most for their events: enough that no
	// part runs dry, and few enough that the end comes soon after the last.
	backlog = 8000
	// tailPoll is how often the end of LEDGER is looked at.
	tailPoll = 20 * time.Millisecond
	// stallLimit is how long nothing may move before that is a failure.
	stallLimit = time.Minute
)

// commandRate publishes commands for a time, as fast as they become events, and
// returns how many did in a second: from the first command to the last event.
func (b *bench) commandRate(ctx context.Context, series string, d time.Duration) (float64, error) {
	from, err := b.asker.events.Tail(ctx, events.StreamLedger)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	published, arrived := 0, 0
	moved := start
	var last time.Time
	for publishing := true; publishing || arrived < published; {
		if publishing = publishing && time.Since(start) < d; publishing && published-arrived+bus.MaxBatch <= backlog {
			if err := b.publishCommands(ctx, series, published, bus.MaxBatch); err != nil {
				return 0, err
			}
			published += bus.MaxBatch
			continue
		}
		before := arrived
		err := poll(ctx, tailPoll, func() (bool, error) {
			tail, err := b.asker.events.Tail(ctx, events.StreamLedger)
			arrived = int(tail.Sequence - from.Sequence)
			if arrived > before {
				last = time.Now()
				moved = last
				return true, err
			}
			if err == nil && time.Since(moved) > stallLimit {
				err = faultf(errUnreachable, "%d of %d commands became events, and none within %s", arrived, published, stallLimit)
			}
			return false, err
		})
		if err != nil {
			return 0, err
		}
	}
	if err := b.checkOpened(ctx, series, from.Sequence+1, published); err != nil {
		return 0, err
	}
	return float64(published) / last.Sub(start).Seconds(), nil
}

// checkOpened counts what the stream holds since: a request for every command,
// each once, and nothing else.
func (b *bench) checkOpened(ctx context.Context, series string, from uint64, published int) error {
	seen := make(map[string]bool, published)
	others := 0
	err := b.asker.events.Read(ctx, events.All(events.StreamLedger), from, func(m *bus.Message) error {
		if m.Err != nil || m.Address.Event() != exchange.RequestOpened || seen[m.Correlation] {
			others++
			return nil
		}
		seen[m.Correlation] = true
		return nil
	})
	if err != nil {
		return err
	}
	for n := range published {
		if !seen[b.name(series, n)] {
			return fmt.Errorf("command %s did not become an event, and %d others came", b.name(series, n), others)
		}
	}
	return nil
}

// publishCommands publishes a run of commands of a series, as one where they are
// several.
func (b *bench) publishCommands(ctx context.Context, series string, from, n int) error {
	list := make([]events.Envelope, n)
	for i := range list {
		var err error
		if list[i], err = b.command(series, from+i, time.Now()); err != nil {
			return err
		}
	}
	_, err := b.asker.systems.PublishAll(ctx, list)
	return err
}
