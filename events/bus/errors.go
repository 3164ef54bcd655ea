package bus

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

var (
	// ErrUnreachable says that the bus did not answer in time. Whether a
	// message was stored is then not known: publish it again under the same
	// id, or read the stream's end.
	ErrUnreachable = errors.New("bus unreachable")
	// ErrPermission says that this user may not do that.
	ErrPermission = errors.New("not permitted on the bus")
	// ErrTooLarge says that the message is larger than the server takes.
	ErrTooLarge = errors.New("message too large for the bus")
	// ErrSequence says that the stream's end is not where the publisher
	// expected it: another one has written.
	ErrSequence = errors.New("stream has moved on")
	// ErrNoStream says that a stream is not there (yet).
	ErrNoStream = errors.New("no such stream")
)

// JetStream's codes for an expected last sequence that is not the last:
// plainly, and while another batch is in flight.
const (
	codeWrongSequence         jetstream.ErrorCode = 10071
	codeWrongSequenceConstant jetstream.ErrorCode = 10164
)

// classify adds the sentinel that an error of the client library stands for.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if code := apiCode(err); code == codeWrongSequence || code == codeWrongSequenceConstant {
		return fmt.Errorf("%w: %w", ErrSequence, err)
	}
	for _, row := range meanings {
		for _, cause := range row.causes {
			if errors.Is(err, cause) {
				return fmt.Errorf("%w: %w", row.sentinel, err)
			}
		}
	}
	return err
}

var meanings = []struct {
	sentinel error
	causes   []error
}{
	{ErrTooLarge, []error{nats.ErrMaxPayload}},
	{ErrPermission, []error{nats.ErrPermissionViolation, nats.ErrAuthorization, nats.ErrAuthExpired}},
	{ErrNoStream, []error{jetstream.ErrStreamNotFound, jetstream.ErrNoStreamResponse}},
	{ErrUnreachable, []error{
		nats.ErrTimeout, nats.ErrNoServers, nats.ErrConnectionClosed, nats.ErrDisconnected, nats.ErrReconnectBufExceeded,
		nats.ErrNoResponders, nats.ErrConnectionDraining, context.DeadlineExceeded,
		nats.ErrHeadersNotSupported, // before the first connection
		jetstreamext.ErrBatchPublishIncomplete,
	}},
}

func apiCode(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode
	}
	return 0
}

// denials hands the server's asynchronous refusals to whoever waits for the
// answer to a request on that subject. Safe for concurrent use.
type denials struct {
	mu      sync.Mutex
	waiting map[string]map[chan error]struct{} // by subject
}

var deniedSubject = regexp.MustCompile(`for Publish to "([^"]+)"`)

// tell wakes the waiters of the subject that a refusal names.
func (d *denials) tell(err error) {
	m := deniedSubject.FindStringSubmatch(err.Error())
	if m == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.waiting[m[1]] {
		select {
		case c <- err:
		default:
		}
	}
}

// during runs f with a context that ends when the server refuses the subject,
// and returns that refusal rather than f's own disappointment.
func (d *denials) during(ctx context.Context, subject string, f func(context.Context) error) error {
	refused := make(chan error, 1)
	d.add(subject, refused)
	defer d.remove(subject, refused)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case err := <-refused:
			cancel(err)
		case <-stop:
		}
	}()
	err := f(ctx)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, nats.ErrPermissionViolation) {
		return classify(cause)
	}
	return classify(err)
}

func (d *denials) add(subject string, c chan error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting == nil {
		d.waiting = make(map[string]map[chan error]struct{})
	}
	if d.waiting[subject] == nil {
		d.waiting[subject] = make(map[chan error]struct{})
	}
	d.waiting[subject][c] = struct{}{}
}

func (d *denials) remove(subject string, c chan error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.waiting[subject], c)
	if len(d.waiting[subject]) == 0 {
		delete(d.waiting, subject)
	}
}
