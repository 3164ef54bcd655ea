package listen

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
)

// Name of the worker.
const Name = "listen"

// Ledger is what listen needs of the ledger client.
type Ledger interface {
	Height(ctx context.Context) (uint64, error)
	Blocks(ctx context.Context, from uint64, yield func(ledger.Block) error) error
}

// Bus is what listen needs of the bus.
type Bus interface {
	Tail(ctx context.Context, stream string) (bus.Tail, error)
	PublishReady(ctx context.Context, batch []bus.Ready, after bus.Tail) (uint64, error)
}

// Config is what listen works with.
type Config struct {
	Channel string // whose blocks Ledger reads
	Ledger  Ledger
	Bus     Bus

	// Check is how often a quiet stream is looked at for what was taken away,
	// in time. Default 2 s.
	Check time.Duration
	// Standby is how long another listener that was ahead may take with new
	// events before this one publishes them, in time. Default 1 s.
	Standby time.Duration
	// Registerer takes listen's figures. Default: nobody sees them.
	Registerer prometheus.Registerer
}

// New returns the worker.
func New(cfg Config) workers.Worker {
	if cfg.Check == 0 {
		cfg.Check = 2 * time.Second
	}
	if cfg.Standby == 0 {
		cfg.Standby = time.Second
	}
	return workers.Worker{Name: Name, Run: (&listener{cfg, newFigures(cfg.Registerer)}).run}
}

type listener struct {
	Config
	figures *figures
}

const (
	blocksAhead = 8                      // blocks read before they are written as messages
	awayPause   = 500 * time.Millisecond // before a bus that is away is tried again
)

// run goes on from wherever the stream ends for as long as the bus, the
// stream and the ledger fit together.
func (l *listener) run(ctx context.Context) error {
	log := zerolog.Ctx(ctx)
	for {
		err := l.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		switch {
		case errors.Is(err, errMoved):
			log.Warn().Err(err).Msg("stream is rebuilt from what is left")
		case errors.Is(err, bus.ErrUnreachable), errors.Is(err, bus.ErrNoStream):
			log.Warn().Err(err).Msg("bus is away, tries again")
			if rest(ctx, awayPause) != nil {
				return nil
			}
		default:
			return err
		}
	}
}

// follow reads where the stream ends and publishes what comes after it, until
// something fails.
func (l *listener) follow(ctx context.Context) error {
	tail, err := l.Bus.Tail(ctx, events.StreamLedger)
	if err != nil {
		return err
	}
	w := &writer{listener: l, end: &tail, room: newRoom()}
	if err := w.absorb(ctx, tail); err != nil {
		return err
	}
	from := uint64(0)
	if w.place != nil {
		from = w.place.Block
	}
	zerolog.Ctx(ctx).Info().Uint64("block", from).Uint64("sequence", tail.Sequence).Msg("reads the ledger")

	ctx, cancel := context.WithCancel(ctx)
	var others sync.WaitGroup
	defer others.Wait()
	defer cancel()
	blocks, ended := make(chan ledger.Block, blocksAhead), make(chan error, 1)
	scribe := newScribe(l.Channel, blocks, w.room)
	others.Go(func() { l.watchHeight(ctx) })
	others.Go(func() { ended <- feed(ctx, l.Ledger, from, blocks) })
	others.Go(func() { scribe.run(ctx) })
	return w.write(ctx, scribe, ended)
}

// write publishes what the scribe has written until something fails. It takes
// all that is there or about to be, up to a batch, so that it stores many blocks
// at once when it is behind and each at once when it is not.
func (w *writer) write(ctx context.Context, from *scribe, ended <-chan error) error {
	check := time.NewTicker(w.Check)
	defer check.Stop()
	for {
		w.tell()
		select {
		case s := <-from.scripts:
			if err := w.take(s); err != nil {
				return err
			}
			more := from.more()
			if more && !w.full() {
				continue
			}
			if err := w.flush(ctx, !more); err != nil {
				return err
			}
		case <-check.C:
			if err := w.look(ctx); err != nil {
				return err
			}
		case err := <-ended:
			return fmt.Errorf("read the ledger: %w", err)
		}
	}
}

// rest waits for a time or the end of the context.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
