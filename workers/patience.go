package workers

import (
	"errors"
	"syscall"
	"time"
)

const (
	// Patience is how long a message waits for a part that is away, in time;
	// after that its failures count.
	Patience = 7 * 24 * time.Hour

	shortPause = 2 * time.Second
	longPause  = 5 * time.Minute
)

// Pause is how long a message waits before it is tried again for something
// that will come by itself: a tenth of its age, at least 2 s and at most 5 min,
// so that what waits for long takes little from what does not.
func Pause(m *Message) time.Duration {
	return min(max(time.Since(m.Stored)/10, shortPause), longPause)
}

// Patient is the verdict on a handler's error where one of the tests says that
// a part is away (the ledger, the kubo node), where the disk is full, or for
// [ErrContended]: a [Retry] without end as long as the message is younger than
// [Patience]. Any other error stays as it is.
func Patient(m *Message, err error, away ...func(error) bool) error {
	if err == nil || Rejected(err) || Retried(err) || time.Since(m.Stored) > Patience {
		return err
	}
	for _, is := range append(away, passing) {
		if is(err) {
			return Retry(Pause(m), err)
		}
	}
	return err
}

// passing reports whether an error is of a kind that passes in every worker: a
// disk, or what is allowed of it, is used up, or others were in the way.
func passing(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, ErrContended)
}
