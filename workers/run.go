package workers

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Run runs workers until the context ends, then drains: it fetches no more,
// lets handlers finish within the grace period, hands back what they could
// not, and flushes. It returns an error for a wrong configuration only; a
// stop, also one that interrupts handlers, is none.
func Run(ctx context.Context, cfg Config, list []Worker) error {
	if cfg.Department == "" {
		return errors.New("run workers: whose they are is not given")
	}
	if len(list) == 0 {
		return errors.New("run workers: there are none")
	}
	seen := make(map[string]bool, len(list))
	for _, w := range list {
		if err := w.validate(); err != nil {
			return fmt.Errorf("run workers: %w", err)
		}
		if seen[w.Name] {
			return fmt.Errorf("run workers: %s is there twice", w.Name)
		}
		seen[w.Name] = true
	}
	cfg = cfg.withDefaults()
	ctx = cfg.withTracing(ctx)
	effects, release := afterGrace(ctx, cfg.Grace)
	defer release()
	var wg sync.WaitGroup
	for _, w := range list {
		wg.Go(func() { runWorker(ctx, effects, cfg, w) })
	}
	wg.Wait()
	return nil
}

// afterGrace is a context that lasts a grace period longer than its parent.
func afterGrace(ctx context.Context, grace time.Duration) (context.Context, func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-longer.Done():
		}
	})
	return longer, func() {
		stop()
		cancel()
	}
}

func runWorker(ctx, effects context.Context, cfg Config, w Worker) {
	log := zerolog.Ctx(ctx).With().Str("worker", w.Name).Logger()
	ctx, effects = log.WithContext(ctx), log.WithContext(effects)
	log.Info().Msg("worker started")
	var wg sync.WaitGroup
	for _, s := range w.Subscriptions {
		c := newConsumer(cfg, w, s)
		wg.Go(func() { c.run(ctx, effects) })
	}
	if len(w.Subscriptions) > 0 {
		c := newRetries(cfg, w)
		wg.Go(func() { c.run(ctx, effects) })
	}
	if w.Run != nil {
		wg.Go(func() { runLoop(ctx, cfg, w) })
	}
	wg.Wait()
	if err := w.Bus.Flush(effects); err != nil {
		log.Warn().Err(err).Msg("flush at stop")
	}
	log.Info().Msg("worker stopped")
}

// steady is how long a loop must have run for its next failure to count as the
// first.
const steady = time.Minute

func runLoop(ctx context.Context, cfg Config, w Worker) {
	log := zerolog.Ctx(ctx)
	what, running := "worker "+w.Name+", loop", cfg.Metrics.loop.WithLabelValues(w.Name)
	fails := cfg.Metrics.failures.WithLabelValues(w.Name)
	for failures := 1; ; failures++ {
		cfg.Metrics.mark(what, running, nil)
		began := time.Now()
		err := guard(ctx, func() error { return w.Run(ctx) })
		if ctx.Err() != nil || err == nil {
			return
		}
		if time.Since(began) > steady {
			failures = 1
		}
		fails.Inc()
		cfg.Metrics.mark(what, running, err)
		wait := backoff(cfg.Backoff, cfg.MaxBackoff, failures)
		log.Error().Err(err).Int("attempt", failures).Dur("ms", wait).Msg("loop failed, starts again")
		if pause(ctx, wait) != nil {
			return
		}
	}
}

// guard turns a panic into an error and logs where it came from.
func guard(ctx context.Context, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			zerolog.Ctx(ctx).Error().Interface("panic", r).Bytes("stack", debug.Stack()).Msg("handler panicked")
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return f()
}
