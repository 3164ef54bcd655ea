package ipfs

import (
	"context"
	"fmt"
	"time"
)

// watch ends a transfer's context with ErrStalled when the node owes something
// for too long. It runs from the start, and pauses while others are owing.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	idle   time.Duration
	timer  *time.Timer
}

func newWatch(parent context.Context, idle time.Duration) *watch {
	w := &watch{idle: idle}
	w.ctx, w.cancel = context.WithCancelCause(parent)
	w.timer = time.AfterFunc(idle, func() {
		w.cancel(fmt.Errorf("%w for %v", ErrStalled, idle))
	})
	return w
}

// resume gives the node the whole time again.
func (w *watch) resume() { w.timer.Reset(w.idle) }

func (w *watch) pause() { w.timer.Stop() }

func (w *watch) end() {
	w.timer.Stop()
	w.cancel(context.Canceled)
}

// explain returns why the transfer's context ended, if it did, in place of the
// error that this led to.
func (w *watch) explain(err error) error {
	if cause := context.Cause(w.ctx); cause != nil && err != nil {
		return cause
	}
	return plain(err)
}
