package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"chancery/chaincode/exchange"
)

// loads are the shares of capacity at which latency is measured, and what the
// middle of it may be at most, as a multiple of raw Fabric's.
var loads = []struct {
	percent int
	target  *target
}{{1, atMost(1.15)}, {50, nil}, {80, nil}}

func latencyWhat(percent int, p string) string {
	return fmt.Sprintf("command → event, %s at %d %% of capacity", p, percent)
}

func benchLatency() benchmark {
	return benchmark{
		name:  "latency",
		about: "from a command to its event at 1, 50 and 80 % of capacity, against a raw commit at as much of Fabric's",
		lines: func(BenchOptions) (lines []benchLine) {
			for _, l := range loads {
				lines = append(lines,
					benchLine{What: latencyWhat(l.percent, "p50"), Target: l.target},
					benchLine{What: latencyWhat(l.percent, "p99")})
			}
			return lines
		},
		run: func(ctx context.Context, b *bench) error { return b.latency(ctx) },
	}
}

// latency measures at each load, in turns, ours and raw Fabric.
func (b *bench) latency(ctx context.Context) error {
	if err := b.ready(ctx); err != nil {
		return err
	}
	if err := b.restProvider(ctx); err != nil {
		return err
	}
	if err := b.findCapacity(ctx); err != nil {
		return err
	}
	stop, err := b.hear(ctx)
	if err != nil {
		return err
	}
	defer stop()
	var errs []error
	for _, l := range loads {
		if err := b.latencyAt(ctx, l.percent); err != nil {
			if ctx.Err() != nil {
				return err
			}
			for _, p := range []string{"p50", "p99"} {
				b.report.fill(benchLine{Benchmark: "latency", What: latencyWhat(l.percent, p), Failed: err.Error()})
			}
			errs = append(errs, fmt.Errorf("at %d %%: %w", l.percent, err))
		}
	}
	return errors.Join(errs...)
}

// findCapacity measures what requests did not measure before.
func (b *bench) findCapacity(ctx context.Context) (err error) {
	if _, err := b.findConcurrency(ctx); err != nil {
		return err
	}
	if b.capacity > 0 {
		return nil
	}
	b.capacity, err = b.commandRate(ctx, "capacity", b.opts.turn())
	if err == nil {
		b.say("capacity: %s requests/s", number(b.capacity))
	}
	return err
}

func (b *bench) latencyAt(ctx context.Context, percent int) error {
	rate, rawRate := b.capacity*float64(percent)/100, b.rawCapacity*float64(percent)/100
	var ours, raw [2][]float64
	samples, rawSamples := 0, 0
	for round := range b.opts.Rounds {
		if err := b.quiet(ctx); err != nil {
			return err
		}
		series := fmt.Sprintf("latency%d-%d", percent, round)
		t := b.eventLatency(ctx, series, rate, b.opts.turn())
		if err := errors.Join(t.err(), ctx.Err()); err != nil {
			return err
		}
		if err := b.quiet(ctx); err != nil {
			return err
		}
		u := openLoad(ctx, rawRate, b.opts.turn(), maxInFlight, func(ctx context.Context, n int) error {
			_, err := b.put(ctx, b.name(series, n))
			return err
		})
		if err := errors.Join(u.err(), ctx.Err()); err != nil {
			return fmt.Errorf("raw Fabric: %w", err)
		}
		if t.failed > 0 || u.failed > 0 {
			return fmt.Errorf("%d commands and %d raw transactions failed: %w", t.failed, u.failed, errors.Join(t.first, u.first))
		}
		for i, p := range []float64{50, 99} {
			ours[i], raw[i] = append(ours[i], t.took.at(p)), append(raw[i], u.took.at(p))
		}
		samples, rawSamples = samples+t.done, rawSamples+u.done
		b.say("latency at %d %%, round %d of %d: ours p50 %s ms, raw %s ms", percent, round+1, b.opts.Rounds,
			number(t.took.at(50)), number(u.took.at(50)))
	}
	for i, p := range []string{"p50", "p99"} {
		b.report.fill(benchLine{
			Benchmark: "latency", What: latencyWhat(percent, p), Ours: figureOf("ms", ours[i]),
			Than: "raw submit → commit, " + p, Baseline: figureOf("ms", raw[i]),
			Detail: fmt.Sprintf("%s commands/s, %d of them; raw %s tx/s, %d of them", number(rate), samples, number(rawRate), rawSamples),
		})
	}
	return nil
}

// maxInFlight bounds the calls of a load that is sent at a steady rate.
const maxInFlight = 900

// eventLatency publishes commands at a steady rate and measures each until its
// event is on the bus. Those that are due at once are published as one.
func (b *bench) eventLatency(ctx context.Context, series string, rate float64, d time.Duration) tally {
	var (
		c     counter
		group sync.WaitGroup
		room  = make(chan struct{}, publishGroups)
	)
	start := time.Now()
	dueAt := func(n int) time.Time { return start.Add(time.Duration(float64(n) / rate * float64(time.Second))) }
	for next := 0; dueAt(next).Sub(start) < d && rest(ctx, time.Until(dueAt(next))) == nil; {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		first, now := next, time.Now()
		for next++; next-first < publishMost && dueAt(next).Before(now) && dueAt(next).Sub(start) < d; next++ {
		}
		arrivals := make([]<-chan heardEvent, next-first)
		for i := range arrivals {
			arrivals[i] = b.heard.expect(exchange.RequestOpened, b.name(series, first+i))
		}
		group.Go(func() {
			err := b.publishCommands(ctx, series, first, len(arrivals))
			<-room
			for i, came := range arrivals {
				var h heardEvent
				if err == nil {
					h, err = b.heard.wait(ctx, came, nil)
				}
				c.add(h.at.Sub(dueAt(first+i)), err)
			}
		})
	}
	group.Wait()
	c.t.elapsed = time.Since(start)
	return c.t
}

const (
	publishGroups = 16  // publications at once
	publishMost   = 500 // commands in one
)

// rest waits, unless the time is over, for a time or the end of the context.
func rest(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
