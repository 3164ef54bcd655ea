package listen

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
)

// Stream is what [Verify] needs of the bus.
type Stream interface {
	Tail(ctx context.Context, stream string) (bus.Tail, error)
	Read(ctx context.Context, f events.Filter, from uint64, yield func(*bus.Message) error) error
}

// VerifyConfig is what [Verify] works with.
type VerifyConfig struct {
	Channel string // whose blocks Ledger reads
	Ledger  Ledger
	Stream  Stream

	// Settle is how long the stream may hold nothing new, in time, before
	// what the ledger tells beyond its end counts as missing. Default 5 s.
	Settle time.Duration
	// Stall is how long the ledger may take for one block, in time, before it
	// counts as unreachable. Default 30 s.
	Stall time.Duration
	// Progress is told the report so far, without its findings, after each
	// block. Default: nobody.
	Progress func(Report)
}

// Verify reads the whole ledger and the whole stream LEDGER side by side and
// reports where they differ. What is committed and stored after its start is
// not judged, but a listener that is behind is waited for while it goes on.
//
// It returns [ledger.ErrUnreachable], [ledger.ErrFault], the errors of the bus,
// or the context's.
func Verify(ctx context.Context, cfg VerifyConfig) (Report, error) {
	if cfg.Settle == 0 {
		cfg.Settle = 5 * time.Second
	}
	if cfg.Stall == 0 {
		cfg.Stall = 30 * time.Second
	}
	report := Report{Findings: []Finding{}}
	// The tail first: what it holds then is of blocks that the peer has.
	tail, err := cfg.Stream.Tail(ctx, events.StreamLedger)
	if err != nil {
		return report, err
	}
	if report.Height, err = cfg.Ledger.Height(ctx); err != nil {
		return report, err
	}
	c := &comparison{channel: cfg.Channel, report: &report}
	if tail.Messages > 0 {
		c.through = tail.Sequence
	}
	facts, endFacts := iter.Pull2(cfg.facts(ctx, &report))
	defer endFacts()
	c.nextEvent = func() (*events.Envelope, error) {
		e, err, ok := facts()
		if !ok || err != nil {
			return nil, err
		}
		return &e, nil
	}
	messages, endMessages := iter.Pull2(cfg.messages(ctx))
	defer endMessages()
	c.nextMessage = func() (*bus.Message, error) {
		m, err, _ := messages()
		return m, err
	}
	if err := c.run(); err != nil {
		return report, fmt.Errorf("verify %s: %w", events.StreamLedger, err)
	}
	return report, nil
}

// facts are the ledger's events up to the report's height, in order.
func (cfg VerifyConfig) facts(ctx context.Context, r *Report) iter.Seq2[events.Envelope, error] {
	return func(yield func(events.Envelope, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var reader sync.WaitGroup
		defer reader.Wait()
		defer cancel()
		blocks, ended := make(chan ledger.Block, blocksAhead), make(chan error, 1)
		reader.Go(func() { ended <- feed(ctx, cfg.Ledger, 0, blocks) })
		for r.Blocks < r.Height {
			b, err := cfg.block(blocks, ended, r.Blocks)
			if err != nil {
				yield(events.Envelope{}, err)
				return
			}
			for e, err := range envelopes(cfg.Channel, b) {
				if !yield(e, err) {
					return
				}
			}
			r.Blocks++
			if cfg.Progress != nil {
				so := *r
				so.Findings = nil
				cfg.Progress(so)
			}
		}
	}
}

// block is the next one, if it comes in time.
func (cfg VerifyConfig) block(blocks <-chan ledger.Block, ended <-chan error, number uint64) (ledger.Block, error) {
	stall := time.NewTimer(cfg.Stall)
	defer stall.Stop()
	select {
	case b := <-blocks:
		return b, nil
	case err := <-ended:
		return ledger.Block{}, fmt.Errorf("read the ledger: %w", err)
	case <-stall.C:
		return ledger.Block{}, fmt.Errorf("%w: no block %d within %s", ledger.ErrUnreachable, number, cfg.Stall)
	}
}

const lookAgain = 100 * time.Millisecond // at a stream that may get more

var errEnough = errors.New("no more is wanted")

// messages are the stream's, in order, until it has had nothing new for the
// time to settle.
func (cfg VerifyConfig) messages(ctx context.Context) iter.Seq2[*bus.Message, error] {
	return func(yield func(*bus.Message, error) bool) {
		from, heard := uint64(1), time.Now()
		for {
			err := cfg.Stream.Read(ctx, events.All(events.StreamLedger), from, func(m *bus.Message) error {
				more := yield(m, nil)
				from, heard = m.Sequence+1, time.Now()
				if !more {
					return errEnough
				}
				return nil
			})
			if err == nil && time.Since(heard) < cfg.Settle {
				err = rest(ctx, lookAgain)
				if err == nil {
					continue
				}
			}
			if err != nil && !errors.Is(err, errEnough) {
				yield(nil, err)
			}
			return
		}
	}
}
