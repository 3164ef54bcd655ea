package listen

import (
	"context"
	"sync"
	"sync/atomic"

	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
)

// script is what a block, or a part of one, says on the stream.
type script struct {
	number uint64 // of the block
	last   bool   // part of it
	events []events.Envelope
	ready  []bus.Ready // the same, written
	err    error       // after which no more comes
}

// scribe writes the events of blocks as messages while others are on their way
// to the stream.
type scribe struct {
	channel string
	blocks  <-chan ledger.Block
	scripts chan script
	room    *room
	writing atomic.Bool // a script will follow
}

// scriptsAhead bounds the parts that wait, most of which are whole blocks
// without many events; room bounds the events.
const scriptsAhead = 256

func newScribe(channel string, blocks <-chan ledger.Block, room *room) *scribe {
	return &scribe{channel: channel, blocks: blocks, scripts: make(chan script, scriptsAhead), room: room}
}

// more reports whether a script is there or will be at once.
func (s *scribe) more() bool { return len(s.scripts) > 0 || len(s.blocks) > 0 || s.writing.Load() }

// run writes until the context ends or something cannot be written.
func (s *scribe) run(ctx context.Context) {
	for {
		select {
		case b := <-s.blocks:
			s.writing.Store(true)
			if !s.write(ctx, b) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// write writes a block, in parts that are no larger than a batch.
func (s *scribe) write(ctx context.Context, b ledger.Block) bool {
	part, bytes := script{number: b.Number}, 0
	for e, err := range envelopes(s.channel, b) {
		if err != nil {
			part.err = err
			break
		}
		if len(part.events) == bus.MaxBatch || (bytes+len(e.Data) > maxBytes && len(part.events) > 0) {
			if !s.hand(ctx, part, bytes) {
				return false
			}
			part, bytes = script{number: b.Number}, 0
		}
		part.events, part.ready = append(part.events, e), append(part.ready, bus.Write(e))
		bytes += len(e.Data)
	}
	part.last = true
	return s.hand(ctx, part, bytes) && part.err == nil
}

// hand gives a part to the writer once there is room.
func (s *scribe) hand(ctx context.Context, part script, bytes int) bool {
	if !s.room.take(ctx, len(part.events), bytes) {
		return false
	}
	if part.last {
		s.writing.Store(false) // whoever sees it finds the part, or waits for it in vain
	}
	select {
	case s.scripts <- part:
		return true
	case <-ctx.Done():
		return false
	}
}

// room bounds the events that are written and not on the stream yet, and so
// the memory that a listener takes that is far behind. A writer whose batch is
// not full always leaves room for another part.
type room struct {
	mu            sync.Mutex
	events, bytes int           // taken
	freed         chan struct{} // holds one word that some was given back
}

const (
	roomEvents = 4 * bus.MaxBatch
	roomBytes  = 4 * maxBytes
)

func newRoom() *room { return &room{freed: make(chan struct{}, 1)} }

// take waits until there is room. One goroutine may call it.
func (r *room) take(ctx context.Context, events, bytes int) bool {
	for {
		r.mu.Lock()
		fits := r.events == 0 || (r.events+events <= roomEvents && r.bytes+bytes <= roomBytes)
		if fits {
			r.events, r.bytes = r.events+events, r.bytes+bytes
		}
		r.mu.Unlock()
		if fits {
			return true
		}
		select {
		case <-r.freed:
		case <-ctx.Done():
			return false
		}
	}
}

func (r *room) give(events, bytes int) {
	r.mu.Lock()
	r.events, r.bytes = r.events-events, r.bytes-bytes
	r.mu.Unlock()
	select {
	case r.freed <- struct{}{}:
	default:
	}
}
