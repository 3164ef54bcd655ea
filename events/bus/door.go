package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"chancery/chaincode/exchange"
	"chancery/events"
)

// doorQueue is the group in which several servers of one door share its
// requests.
const doorQueue = "intake"

// What waits between the server and the door's loop, which only hands it on.
// What does not fit is dropped, and its sender hears nothing: that is reached
// only where not even refusing is quick enough.
const (
	doorMessages = 64 << 10
	doorBytes    = 32 << 20
)

// Asked is a command at the synchronous door. Err says why it is none, in which
// case the envelope holds what could be read.
type Asked struct {
	events.Envelope
	Subject  string
	Deadline time.Time // by which its sender wants to hear something
	Err      error

	request micro.Request
}

// OpenDoor serves a department's synchronous door until the context ends, which
// is no error; requests that came before are still handed over. It calls answer
// for one request after another, in the order in which they came, so answer
// does not wait; [Asked.Reply] may come later, from any goroutine. Servers of
// several connections share the requests. They are found by NATS's micro
// services under the name chancery-intake.
func (c *Conn) OpenDoor(ctx context.Context, department string, answer func(*Asked)) error {
	ended := make(chan struct{})
	service, err := micro.AddService(c.nc, micro.Config{
		Name: "chancery-intake", Version: "1.0.0", QueueGroup: doorQueue,
		Description: "Commands of " + department + ", answered when they are committed",
		DoneHandler: func(micro.Service) { close(ended) },
	})
	if err != nil {
		return fmt.Errorf("open the door of %s: %w", department, classify(err))
	}
	err = service.AddEndpoint("commands", micro.HandlerFunc(func(r micro.Request) { answer(newAsked(r, time.Now())) }),
		micro.WithEndpointSubject(events.AskSpace(department)), micro.WithEndpointPendingLimits(doorMessages, doorBytes))
	if err == nil {
		err = c.Flush(ctx)
	}
	if err == nil {
		select {
		case <-ctx.Done():
		case <-ended:
			return errors.New("the door was closed by a fault of its connection")
		}
	}
	if stopped := service.Stop(); err == nil {
		err = stopped
	}
	if err != nil {
		return fmt.Errorf("door of %s: %w", department, classify(err))
	}
	return nil
}

func newAsked(r micro.Request, now time.Time) *Asked {
	a := &Asked{Subject: r.Subject(), request: r}
	a.Envelope, a.Err = events.ParseAsk(r.Subject(), nats.Header(r.Headers()), r.Data())
	wait, err := readTimeout(r.Headers().Values(events.TimeoutHeader))
	if a.Err == nil {
		a.Err = err
	}
	a.Deadline = now.Add(wait)
	return a
}

func readTimeout(values []string) (time.Duration, error) {
	if len(values) == 0 {
		return events.AskTimeout, nil
	}
	ms, err := strconv.ParseInt(values[0], 10, 32)
	wait := time.Duration(ms) * time.Millisecond
	if err != nil || len(values) > 1 || wait < time.Millisecond || wait > events.MaxAskTimeout {
		return events.AskTimeout, exchange.Errorf(exchange.Invalid, "header %s %.40q: 1 to %d milliseconds, once",
			events.TimeoutHeader, values, events.MaxAskTimeout.Milliseconds())
	}
	return wait, nil
}

// Reply answers with the attributes and data of an event, and, where it is no
// outcome, with the headers by which NATS's micro services tell an error.
func (a *Asked) Reply(e events.Envelope, fault string) error {
	msg, err := e.Msg()
	if err != nil {
		return err
	}
	header := msg.Header
	header.Del(nats.MsgIdHdr)
	if fault != "" {
		header.Set(micro.ErrorHeader, fault)
		header.Set(micro.ErrorCodeHeader, "503")
	}
	return classify(a.request.Respond(msg.Data, micro.WithHeaders(micro.Headers(header))))
}
