package listen

import (
	"context"
	"errors"
	"fmt"

	"github.com/rs/zerolog"

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
	end     *bus.Tail         // of the stream, as the last batch left it; nil: look
	left    uint64            // messages on the stream when it was looked at
	pending []events.Envelope // not on the stream yet, in order
	ready   []bus.Ready       // the same, written
	bytes   int               // of their data
	room    *room             // that pending takes
	standby bool              // another listener is ahead
}

// take adds what comes after the place reached. When the block of that place is
// read, the event that the stream tells of has to stand there.
func (w *writer) take(s script) error {
	if s.err != nil {
		return s.err
	}
	sought := w.place != nil && !w.seen && s.number == w.place.Block
	for i := range s.events {
		p := s.events[i].Position
		ahead := 1
		if w.place != nil {
			ahead = p.Compare(*w.place)
		}
		if sought && ahead == 0 && p.Tx == w.place.Tx {
			w.seen, sought = true, false
		}
		if ahead <= 0 {
			w.room.give(1, len(s.events[i].Data))
			continue
		}
		if sought {
			break
		}
		w.pending, w.ready = append(w.pending, s.events[i]), append(w.ready, s.ready[i])
		w.bytes += len(s.events[i].Data)
	}
	if sought && (s.last || len(s.events) > 0 && s.events[len(s.events)-1].Position.Compare(*w.place) > 0) {
		p := w.place
		return fmt.Errorf("%w: event %s is not in block %d at transaction %d", ErrOtherLedger, p.EventID(), p.Block, p.TxIndex)
	}
	if s.last {
		w.next = s.number + 1
	}
	return nil
}

// full reports whether what is pending makes a batch.
func (w *writer) full() bool { return len(w.pending) >= bus.MaxBatch || w.bytes >= maxBytes }

// drop takes the first n out of what is pending.
func (w *writer) drop(n int) {
	bytes := 0
	for _, e := range w.pending[:n] {
		bytes += len(e.Data)
	}
	w.bytes -= bytes
	w.room.give(n, bytes)
	clear(w.pending[:n]) // the arrays outlive the slices
	clear(w.ready[:n])
	w.pending, w.ready = w.pending[n:], w.ready[n:]
}

// flush publishes full batches, and with all what is left as well. Each is
// fenced by how the one before left the stream; where that is not so, it looks
// how the stream ends now, so that it needs no memory of how a batch ended, and
// notices what was taken away.
func (w *writer) flush(ctx context.Context, all bool) error {
	for w.full() || (all && len(w.pending) > 0) {
		if w.standby {
			if err := rest(ctx, w.Standby); err != nil {
				return err
			}
		}
		if w.end == nil || w.standby {
			if err := w.look(ctx); err != nil {
				return err
			}
			if len(w.pending) == 0 {
				return nil
			}
		}
		n, after := w.batch(), *w.end
		w.end = nil
		last, err := w.Bus.PublishReady(ctx, w.ready[:n], after)
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
		w.reach(n, after, last)
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

// reach notes that the first n pending events are on the stream, the last of
// them as the message of that sequence.
func (w *writer) reach(n int, before bus.Tail, last uint64) {
	e := w.pending[n-1]
	w.place, w.seen = e.Position, true
	w.end = &bus.Tail{
		Sequence: last, Messages: before.Messages + uint64(n), Created: before.Created,
		Last: &bus.Message{Envelope: e, Subject: e.Address.String(), Stream: events.StreamLedger, Sequence: last},
	}
	w.left = w.end.Messages
	w.drop(n)
}

// look reads how the stream ends and notices what happened to it.
func (w *writer) look(ctx context.Context) error {
	tail, err := w.Bus.Tail(ctx, events.StreamLedger)
	if err != nil {
		return err
	}
	w.end = &tail
	return w.absorb(ctx, tail)
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
