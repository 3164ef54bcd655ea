package listen

import (
	"context"
	"errors"
	"fmt"

	"github.com/rs/zerolog"

	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
)

// maxBytes bounds the data of one batch, in bytes; a single event may be
// larger.
const maxBytes = 8 << 20

// writer carries the events of blocks to the stream's end. One goroutine uses
// it.
type writer struct {
	*listener
	place   *events.Position  // of the last event on the stream; nil: there is none
	seen    bool              // the ledger was seen to hold place
	next    uint64            // number after the last block taken; 0: none was
	left    uint64            // messages on the stream when it was looked at
	pending []events.Envelope // not on the stream yet, in order
	bytes   int               // of their data
	standby bool              // another listener is ahead
}

// take adds a block's events that come after the place reached.
func (w *writer) take(b ledger.Block) error {
	if err := w.compare(b); err != nil {
		return err
	}
	w.next = b.Number + 1
	for e, err := range envelopes(w.Channel, b, w.place) {
		if err != nil {
			return err
		}
		w.pending = append(w.pending, e)
		w.bytes += len(e.Data)
	}
	return nil
}

// compare checks, when the block of the place reached is read, that the event
// that the stream tells of stands there.
func (w *writer) compare(b ledger.Block) error {
	if w.place == nil || w.seen || b.Number != w.place.Block {
		return nil
	}
	p := *w.place
	if p.TxIndex >= len(b.Txs) || b.Txs[p.TxIndex].ID != p.Tx || p.EventIndex >= len(b.Txs[p.TxIndex].Events) {
		return fmt.Errorf("%w: event %s is not in block %d at transaction %d", ErrOtherLedger, p.EventID(), p.Block, p.TxIndex)
	}
	w.seen = true
	return nil
}

// full reports whether what is pending makes a batch.
func (w *writer) full() bool { return len(w.pending) >= bus.MaxBatch || w.bytes >= maxBytes }

// drop takes the first n out of what is pending.
func (w *writer) drop(n int) {
	for _, e := range w.pending[:n] {
		w.bytes -= len(e.Data)
	}
	clear(w.pending[:n]) // the array outlives the slice
	w.pending = w.pending[n:]
}

// flush publishes full batches, and with all what is left as well. Before each
// it looks where the stream ends, so that it needs no memory of how the batch
// before ended, and notices what was taken away.
func (w *writer) flush(ctx context.Context, all bool) error {
	for w.full() || (all && len(w.pending) > 0) {
		if w.standby {
			if err := rest(ctx, w.Standby); err != nil {
				return err
			}
		}
		tail, err := w.tail(ctx)
		if err != nil {
			return err
		}
		if len(w.pending) == 0 {
			return nil
		}
		n := w.batch()
		last, err := w.Bus.PublishBatch(ctx, w.pending[:n], tail)
		if errors.Is(err, bus.ErrSequence) {
			zerolog.Ctx(ctx).Info().Err(err).Msg("another listener is ahead, stands by")
			w.standby = true
			continue
		}
		if err != nil {
			return err
		}
		w.standby = false
		workers.Published(ctx, w.pending[:n])
		w.figures.events.Add(float64(n))
		w.figures.flushed.SetToCurrentTime()
		w.reach(n, tail)
		zerolog.Ctx(ctx).Debug().Uint64("block", w.place.Block).Int("events", n).Uint64("sequence", last).Msg("published")
	}
	return nil
}

// batch is how many of the pending events make the next batch.
func (w *writer) batch() int {
	bytes := 0
	for n, e := range w.pending {
		if bytes += len(e.Data); n == bus.MaxBatch || (bytes > maxBytes && n > 0) {
			return n
		}
	}
	return len(w.pending)
}

// reach notes that the first n pending events are on the stream after tail.
func (w *writer) reach(n int, tail bus.Tail) {
	last := *w.pending[n-1].Position
	w.place, w.seen = &last, true
	w.left = tail.Messages + uint64(n)
	w.drop(n)
}

// look notices what happened to a quiet stream.
func (w *writer) look(ctx context.Context) error {
	_, err := w.tail(ctx)
	return err
}

func (w *writer) tail(ctx context.Context) (bus.Tail, error) {
	tail, err := w.Bus.Tail(ctx, events.StreamLedger)
	if err != nil {
		return tail, err
	}
	return tail, w.absorb(ctx, tail)
}

// absorb takes over where the stream ends. Ahead of the place reached: another
// listener wrote it, or this one did without hearing of it, and what is there
// is no longer pending. Behind it: errMoved.
func (w *writer) absorb(ctx context.Context, tail bus.Tail) error {
	before := w.left
	w.left = tail.Messages
	if tail.Last == nil {
		if w.place != nil {
			return errMoved
		}
		return nil
	}
	p, err := w.placeOf(tail.Last)
	if err != nil {
		return err
	}
	ahead := 1
	if w.place != nil {
		ahead = p.Compare(*w.place)
	}
	switch {
	case ahead < 0:
		return errMoved
	case ahead == 0:
		if p.Tx != w.place.Tx {
			return fmt.Errorf("%w: its last event is %s, and was %s", ErrOtherLedger, p.EventID(), w.place.EventID())
		}
		if tail.Messages < before {
			zerolog.Ctx(ctx).Warn().Uint64("messages", before-tail.Messages).Msg("stream lost its beginning: only a purge of all of it brings that back")
		}
		return nil
	}
	return w.pass(ctx, p)
}

// placeOf is the position of the stream's last message.
func (w *writer) placeOf(last *bus.Message) (events.Position, error) {
	if last.Err != nil || last.Position == nil {
		return events.Position{}, fmt.Errorf("%w: message %d on %s: %v", ErrForeign, last.Sequence, last.Subject, last.Err)
	}
	if p := *last.Position; p.Channel == w.Channel {
		return p, nil
	}
	return events.Position{}, fmt.Errorf("%w: channel %q, not %q", ErrOtherLedger, last.Position.Channel, w.Channel)
}

// pass moves the place ahead to p and drops what is pending up to there. That
// the ledger holds p is seen among the pending events, or later when its block
// is read, which the peer must have.
func (w *writer) pass(ctx context.Context, p events.Position) error {
	done, seen := 0, false
	for ; done < len(w.pending) && w.pending[done].Position.Compare(p) <= 0; done++ {
		seen = *w.pending[done].Position == p
	}
	if !seen && p.Block < w.next {
		return fmt.Errorf("%w: event %s, which is not in block %d at transaction %d", ErrOtherLedger, p.EventID(), p.Block, p.TxIndex)
	}
	if !seen {
		height, err := w.Ledger.Height(ctx)
		if err != nil {
			return err
		}
		if p.Block >= height {
			return fmt.Errorf("%w: it ends in block %d, the peer has %d blocks", ErrShortLedger, p.Block, height)
		}
	}
	w.place, w.seen = &p, seen
	w.drop(done)
	return nil
}
