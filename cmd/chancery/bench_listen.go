package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
	"chancery/workers/listen"
)

const (
	listenWhat   = "events from block 0 into a new stream"
	listenBlocks = "raw block reading alone"
	listenBatch  = "raw atomic batch publishing alone"
	listenMemory = "peak memory of the listener"
)

func benchListen() benchmark {
	return benchmark{
		name:  "listen",
		about: "events a second from block 0 into JetStream, synced to disk, against reading and publishing alone",
		lines: func(BenchOptions) []benchLine {
			return []benchLine{{What: listenWhat, Target: atLeast(0.8)}, {What: listenBlocks}, {What: listenBatch}, {What: listenMemory, Target: atMost(200)}}
		},
		run: func(ctx context.Context, b *bench) error { return b.listen(ctx) },
	}
}

// listen carries all that the ledger says to a new bus, in turns with its two
// halves: reading the blocks, and publishing as many messages.
func (b *bench) listen(ctx context.Context) error {
	if err := b.ready(ctx); err != nil {
		return err
	}
	if err := b.restProvider(ctx); err != nil {
		return err
	}
	n, err := b.fillLedger(ctx)
	if err != nil {
		return err
	}
	if err := b.quiet(ctx); err != nil {
		return err
	}
	height, err := b.asker.worker.Height(ctx)
	if err != nil {
		return err
	}
	messages, err := b.ledgerMessages(ctx)
	if err != nil {
		return err
	}
	var ours, reading, publishing, slower, peaks []float64
	early := ""
	for round := range b.opts.Rounds {
		carried, err := b.carry(ctx, round, n)
		if err != nil {
			return err
		}
		start := time.Now()
		if err := b.raw.blocks(ctx, height); err != nil {
			return fmt.Errorf("raw block reading: %w", err)
		}
		read := float64(n) / time.Since(start).Seconds()
		published, err := b.publishRaw(ctx, round, messages, n)
		if err != nil {
			return fmt.Errorf("raw publishing: %w", err)
		}
		ours, reading, publishing = append(ours, carried.rate), append(reading, read), append(publishing, published)
		slower, peaks = append(slower, min(read, published)), append(peaks, float64(carried.peak)/(1<<20))
		early = size(carried.early)
		b.say("listen, round %d of %d: ours %s events/s, reading alone %s, publishing alone %s", round+1, b.opts.Rounds,
			number(carried.rate), number(read), number(published))
	}
	b.report.fill(benchLine{Benchmark: "listen", What: listenWhat, Ours: figureOf("events/s", ours), Than: "the slower of its halves", Baseline: figureOf("events/s", slower),
		Detail: fmt.Sprintf("%d events in %d blocks", n, height)})
	b.report.fill(benchLine{Benchmark: "listen", What: listenBlocks, Ours: figureOf("events/s", reading)})
	b.report.fill(benchLine{Benchmark: "listen", What: listenBatch, Ours: figureOf("events/s", publishing)})
	b.report.fill(benchLine{Benchmark: "listen", What: listenMemory, Ours: figureOf("MiB", peaks),
		Detail: fmt.Sprintf("of its process, for a backlog of %d events; %s after a tenth of them", n, early)})
	return nil
}

// fillers is how many operations are submitted at once to fill the ledger.
const fillers = 1500

// fillLedger brings the ledger to the backlog that is asked for, waits until
// the department's own listener has told all of it, and returns how many events
// there are.
func (b *bench) fillLedger(ctx context.Context) (int, error) {
	tail, err := b.asker.events.Tail(ctx, events.StreamLedger)
	if err != nil {
		return 0, err
	}
	missing := b.opts.Events - int(tail.Messages)
	if missing <= 0 {
		return int(tail.Messages), nil
	}
	b.say("listen: fills the ledger with %d events", missing)
	if err := b.openMany(ctx, "fill", benchDataset, missing); err != nil {
		return 0, err
	}
	want := tail.Messages + uint64(missing)
	ctx, cancel := context.WithTimeoutCause(ctx, earLimit, faultf(errUnreachable, "the listener of %s did not tell of all %d events within %s", b.asker.name, missing, earLimit))
	defer cancel()
	err = poll(ctx, tailPoll, func() (bool, error) {
		tail, err = b.asker.events.Tail(ctx, events.StreamLedger)
		return tail.Messages >= want, err
	})
	return int(tail.Messages), err
}

// openMany opens requests for a dataset as the asker's worker, without a command
// on the bus.
func (b *bench) openMany(ctx context.Context, series, dataset string, n int) error {
	return eachOf(ctx, n, fillers, func(i int) error {
		outcome, err := workers.Submit(ctx, b.asker.worker, b.name(series, i), exchange.OpRequestOpen, b.request(dataset, 1))
		return errors.Join(err, outcome.Err())
	})
}

// carried is what a listener did.
type carried struct {
	rate  float64 // events a second
	peak  int64   // bytes of memory at most
	early int64   // bytes when a tenth was done
}

// carry runs the worker listen, a process of its own, against a new bus.
func (b *bench) carry(ctx context.Context, round, n int) (c carried, err error) {
	s, err := b.startBus(ctx, fmt.Sprintf("listen%d", round))
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	log, err := openChildLog(filepath.Join(s.dir, "listen.log"))
	if err != nil {
		return c, err
	}
	process, err := startChild(log, "run", listen.Name, "--data", s.dir, "--department", b.asker.name)
	if err = errors.Join(err, log.Close()); err != nil {
		return c, err
	}
	defer process.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, listenLimit, faultf(errUnreachable, "the listener did not tell of all %d events within %s", n, listenLimit))
	defer cancel()
	err = poll(ctx, time.Millisecond, func() (bool, error) {
		said, err := os.ReadFile(log.Name())
		return bytes.Contains(said, []byte(`"reads the ledger"`)), err
	})
	if err != nil {
		return c, fmt.Errorf("start of the listener: %w", err)
	}
	start := time.Now()
	err = poll(ctx, tailPoll, func() (bool, error) {
		tail, err := s.admin.Tail(ctx, events.StreamLedger)
		if err == nil && c.early == 0 && tail.Messages >= uint64(n/10) {
			c.early, err = memoryOf(process.Process.Pid, "VmRSS")
		}
		return tail.Messages >= uint64(n), err
	})
	if err != nil {
		return c, err
	}
	c.rate = float64(n) / time.Since(start).Seconds()
	c.peak, err = memoryOf(process.Process.Pid, "VmHWM")
	return c, err
}

// listenLimit bounds how long a listener may take for its backlog.
const listenLimit = 30 * time.Minute

// rawMessages bounds the messages that are held in memory to be published.
const rawMessages = 50_000

// ledgerMessages are messages as the listener writes them.
func (b *bench) ledgerMessages(ctx context.Context) (list []*nats.Msg, err error) {
	errEnough := errors.New("enough")
	err = b.asker.events.Read(ctx, events.All(events.StreamLedger), 1, func(m *bus.Message) error {
		if m.Err != nil {
			return m.Err
		}
		msg, err := m.Envelope.Msg()
		if list = append(list, msg); err == nil && len(list) == rawMessages {
			err = errEnough
		}
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err == nil && len(list) == 0 {
		err = errors.New("the stream LEDGER is empty")
	}
	return list, err
}

// publishRaw publishes so many messages to a new bus, one batch after the other,
// and returns how many it did in a second.
func (b *bench) publishRaw(ctx context.Context, round int, messages []*nats.Msg, n int) (rate float64, err error) {
	s, err := b.startBus(ctx, fmt.Sprintf("publish%d", round))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	conn, js, err := plainBus(s.profile, listen.Name)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	start := time.Now()
	for done := 0; done < n; {
		most := min(bus.MaxBatch, n-done, len(messages)-done%len(messages))
		if err := publishBatch(ctx, js, messages[done%len(messages):][:most]); err != nil {
			return 0, err
		}
		done += most
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

func publishBatch(ctx context.Context, js jetstream.JetStream, batch []*nats.Msg) error {
	p, err := jetstreamext.NewBatchPublisher(js, jetstreamext.BatchFlowControl{AckTimeout: bus.DefaultTimeout})
	if err != nil {
		return err
	}
	last := batch[len(batch)-1]
	for _, m := range batch[:len(batch)-1] {
		if err := p.AddMsg(m); err != nil {
			return err
		}
	}
	_, err = p.CommitMsg(ctx, last)
	last.Header.Del(jetstreamext.BatchCommitHeader) // it may be within another batch next
	return err
}
