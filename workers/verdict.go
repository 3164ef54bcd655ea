package workers

import (
	"errors"
	"time"
)

// A handler's error is its verdict:
//
//	nil                the message is acknowledged; the effect is durable
//	Retry(after, err)  it comes again after that time, without end
//	Reject(err)        it becomes a dead letter at once
//	any other error    it comes again with growing delay, and becomes a dead
//	                   letter after the subscription's MaxAttempts
//
// A handler that stops because its context ended gives no verdict: the message
// comes again, and that is no failure.

type retry struct {
	after time.Duration
	err   error
}

func (r *retry) Error() string { return r.err.Error() }
func (r *retry) Unwrap() error { return r.err }

// Retry asks for the message again after some time. It counts as no failed
// attempt: it is for what will come right by itself, such as a peer that is
// away or a record that is not there yet. A handler that must give up some day
// looks at [Message.Stored].
func Retry(after time.Duration, err error) error { return &retry{after, err} }

type reject struct{ err error }

func (r *reject) Error() string { return r.err.Error() }
func (r *reject) Unwrap() error { return r.err }

// Reject says that no retry will help.
func Reject(err error) error { return &reject{err} }

// Retried reports whether an error is a [Retry].
func Retried(err error) bool { return errors.As(err, new(*retry)) }

// Rejected reports whether an error is a [Reject].
func Rejected(err error) bool { return errors.As(err, new(*reject)) }
