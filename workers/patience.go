package workers

import "time"

const (
	// Patience is how long a message waits for a part that is away, in time;
	// after that its failures count.
	Patience = 7 * 24 * time.Hour

	awayPause = 5 * time.Second
)

// Patient is the verdict on a handler's error where one of the tests says that
// a part is away (the ledger, the kubo node): a [Retry] without end as long as
// the message is younger than [Patience]. Any other error stays as it is.
func Patient(m *Message, err error, away ...func(error) bool) error {
	if err == nil || Rejected(err) || Retried(err) || time.Since(m.Stored) > Patience {
		return err
	}
	for _, is := range away {
		if is(err) {
			return Retry(awayPause, err)
		}
	}
	return err
}
