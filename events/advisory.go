package events

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// StreamAdvisory is where the server's own word is kept of each message that it
// delivers to a consumer no more: the backstop of dead letters.
//
// Two such advisories are captured. "Terminated" follows each dead letter, since
// that is how a worker ends its message's deliveries; its reason names the
// letter, see [LetterReason]. "Maximum deliveries" cannot happen to consumers as
// the workers keep them, which have none. So an advisory without a letter says
// that somebody else had a hand in it: an administrator who terminated a
// message or bounded a consumer, or a worker that is not ours. See
// [bus.Conn.Adopt] for what is done then.
const StreamAdvisory = "ADVISORY"

const (
	advisories  = "$JS.EVENT.ADVISORY.CONSUMER."
	maxAdvisory = 64 << 20 // bytes of the stream: some hundred thousand
)

// AdvisoryFilter selects all that the stream holds.
func AdvisoryFilter() Filter {
	return Filter{Stream: StreamAdvisory, Name: "all", Subject: advisories + ">"}
}

func advisoryStream() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        StreamAdvisory,
		Description: "messages that the server gave up on",
		Subjects:    []string{advisories + "MAX_DELIVERIES.>", advisories + "MSG_TERMINATED.>"},
		Retention:   jetstream.LimitsPolicy,
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardOld,
		MaxAge:      90 * day,
		MaxBytes:    maxAdvisory,
		AllowDirect: true,
		Replicas:    1,
	}
}

// GivenUp is an advisory: the server delivers a message to a consumer no more.
type GivenUp struct {
	Type       string    `json:"type"`
	Time       time.Time `json:"timestamp"`
	Stream     string    `json:"stream"`
	Consumer   string    `json:"consumer"`
	Sequence   uint64    `json:"stream_seq"`
	Deliveries int       `json:"deliveries"`
	Reason     string    `json:"reason"` // of a termination, if one was given
}

// ParseGivenUp reads an advisory. Its errors have the code [exchange.Invalid].
func ParseGivenUp(data []byte) (GivenUp, error) {
	var g GivenUp
	if err := json.Unmarshal(data, &g); err != nil {
		return g, invalid("advisory: %v", err)
	}
	if !tokenish(g.Stream, 255) || !tokenish(g.Consumer, 255) || g.Sequence == 0 || g.Deliveries < 0 {
		return g, invalid("advisory names no message of a consumer")
	}
	return g, nil
}

// letterMark begins the reason under which a worker ends a message's
// deliveries when its dead letter is on the stream.
const letterMark = "dead letter "

// LetterReason is that reason: it names the letter by its id, so that the
// server's advisory about the message tells that it is not lost.
func LetterReason(id string) string { return letterMark + id }

// Letter is the id of the dead letter that the advisory names; empty: none.
func (g *GivenUp) Letter() string {
	id, ok := strings.CutPrefix(g.Reason, letterMark)
	if !ok {
		return ""
	}
	return id
}

// Worker is whose consumer it was, see [Durable].
func (g *GivenUp) Worker() string {
	worker, _, _ := strings.Cut(g.Consumer, "-")
	return Token(worker)
}
