package intake

import (
	"context"
	"fmt"
	"sync"
	"time"

	"chancery/events"
	"chancery/events/bus"
)

// tellLimit bounds one publication, in time.
const tellLimit = 30 * time.Second

// teller says many things at once: what comes while something is being stored
// is stored together right after, so that the bus waits for its disk once for
// all of them. Alone, a thing goes at once. It has a goroutine only while there
// is something to say. Safe for concurrent use.
type teller struct {
	publish func(context.Context, []events.Envelope) ([]bus.Stored, error)

	mu      sync.Mutex
	queue   []*saying // in order of arrival; each has a caller that waits
	talking bool
}

// saying is one event and its caller.
type saying struct {
	event events.Envelope
	done  chan error // holds one
}

// tell returns when the event is on disk. When the context ends before, the
// event may be stored all the same.
func (t *teller) tell(ctx context.Context, e events.Envelope) error {
	if err := e.Validate(); err != nil {
		return fmt.Errorf("tell %s: %w", e.Type, err)
	}
	s := &saying{e, make(chan error, 1)}
	t.mu.Lock()
	t.queue = append(t.queue, s)
	if !t.talking {
		t.talking = true
		go t.talk(context.WithoutCancel(ctx))
	}
	t.mu.Unlock()
	select {
	case err := <-s.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("tell %s: %w", e.Type, context.Cause(ctx))
	}
}

// talk publishes until nothing is left to say.
func (t *teller) talk(ctx context.Context) {
	for {
		t.mu.Lock()
		if len(t.queue) == 0 {
			t.talking, t.queue = false, nil
			t.mu.Unlock()
			return
		}
		n := min(len(t.queue), bus.MaxBatch)
		now := t.queue[:n]
		t.queue = t.queue[n:]
		t.mu.Unlock()
		t.say(ctx, now)
	}
}

// say publishes some things. What has a sequence is stored whatever became of
// the others.
func (t *teller) say(ctx context.Context, now []*saying) {
	ctx, cancel := context.WithTimeout(ctx, tellLimit)
	defer cancel()
	list := make([]events.Envelope, len(now))
	for i, s := range now {
		list[i] = s.event
	}
	stored, err := t.publish(ctx, list)
	for i, s := range now {
		if err != nil && (i >= len(stored) || stored[i].Sequence == 0) {
			s.done <- fmt.Errorf("tell %s: %w", s.event.Type, err)
			continue
		}
		s.done <- nil
	}
}
