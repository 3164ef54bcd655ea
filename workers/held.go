package workers

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
)

// held knows the messages of a consumer that have no verdict yet: those that
// are here, for which heartbeats go out, and those that shall come again. Safe
// for concurrent use.
type held struct {
	mu    sync.Mutex
	here  map[uint64]holding   // by sequence in the stream
	later map[uint64]time.Time // when each was stored
}

type holding struct {
	raw    jetstream.Msg
	stored time.Time
}

// add notes a message that came. It says no where the same is here already: the
// server sent it again because it heard nothing of it for too long.
func (h *held) add(seq uint64, msg jetstream.Msg, stored time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.here == nil {
		h.here, h.later = make(map[uint64]holding), make(map[uint64]time.Time)
	}
	delete(h.later, seq)
	if _, is := h.here[seq]; is {
		return false
	}
	h.here[seq] = holding{msg, stored}
	return true
}

// remove takes a message out before its verdict is told; again says that it
// comes again.
func (h *held) remove(seq uint64, again bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if again {
		h.later[seq] = h.here[seq].stored
	}
	delete(h.here, seq)
}

func (h *held) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.here)
}

// oldest is when the oldest message without a verdict was stored; zero: none is
// known. Up to floor all have one, be it from another copy of the worker.
func (h *held) oldest(floor uint64) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.later, func(seq uint64, _ time.Time) bool { return seq <= floor })
	var first time.Time
	for _, m := range h.here {
		first = earlier(first, m.stored)
	}
	for _, stored := range h.later {
		first = earlier(first, stored)
	}
	return first
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// messages are those here, in the order of the stream.
func (h *held) messages() []jetstream.Msg {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]jetstream.Msg, 0, len(h.here))
	for _, seq := range slices.Sorted(maps.Keys(h.here)) {
		list = append(list, h.here[seq].raw)
	}
	return list
}

// beat tells the server, until ctx ends, that what is here is being worked on.
func (h *held) beat(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for _, msg := range h.messages() {
			if err := msg.InProgress(); err != nil {
				zerolog.Ctx(ctx).Debug().Err(err).Msg("heartbeat")
			}
		}
	}
}
