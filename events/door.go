package events

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chancery/chaincode/exchange"
)

// A command reaches intake by one of two doors. The durable one is the stream
// COMMANDS: the answer to a publication says that the command is on disk, and
// what becomes of it is an event. The synchronous one is a request on
//
//	chancery.api.<from>.<noun>.<verb>
//
// which no stream holds: its answer is what became of the command, and comes
// after the commit. The message is the same by either door, and so is what is
// checked, done and said on the stream WORK.

const doorPrefix = root + ".api."

// TimeoutHeader of a request by the synchronous door says for how many
// milliseconds its sender waits, 1 to [MaxAskTimeout]. Default: [AskTimeout].
const TimeoutHeader = "chancery-timeout"

// How long a request by the synchronous door may take. A server forgets where
// an answer goes after two minutes.
const (
	AskTimeout    = 30 * time.Second
	MaxAskTimeout = 90 * time.Second
)

// AskSubject is where a department's systems ask for a command to be carried
// out at once.
func AskSubject(from string, c Command) string {
	return doorPrefix + strings.TrimPrefix(CommandSubject(from, c).String(), commandPrefix)
}

// AskSpace is every subject of a department's synchronous door.
func AskSpace(department string) string { return doorPrefix + department + ".>" }

const commandPrefix = root + "." + string(KindCommand) + "."

// AskMsg writes a command as a request by the synchronous door, without a
// message id, since no stream is to drop a repeat.
func (e Envelope) AskMsg() (*nats.Msg, error) {
	m, err := e.Msg()
	if err != nil {
		return nil, err
	}
	if e.Address.Kind != KindCommand {
		return nil, invalid("%s is no command", e.Type)
	}
	m.Subject = AskSubject(e.Address.From, e.Address.Command())
	m.Header.Del(jetstream.MsgIDHeader)
	return m, nil
}

// ParseAsk reads a request by the synchronous door as the command that it is,
// with the address that it has on the stream. Errors are as in [Parse].
func ParseAsk(subject string, header nats.Header, data []byte) (Envelope, error) {
	rest, ok := strings.CutPrefix(subject, doorPrefix)
	if !ok {
		return Envelope{Data: data}, invalid("subject %q does not start with %q", clip(subject), doorPrefix)
	}
	return Parse(commandPrefix+rest, header, data)
}

// CommandUnsettled is the answer of the synchronous door that no outcome is
// known within the time that was given.
const CommandUnsettled exchange.EventType = "command.unsettled"

// Delay says why a command has no outcome yet.
type Delay string

const (
	Overloaded  Delay = "overloaded"  // intake has too much to do; the command was not begun
	Unreachable Delay = "unreachable" // the ledger is away; nothing was ordered
	Unknown     Delay = "unknown"     // it may or may not be committed
	Contended   Delay = "contended"   // others wrote the same records every time; nothing was done
	Faulty      Delay = "faulty"      // something is wrong with intake or its ledger; an operator must look
)

// Delays are all of them.
var Delays = []Delay{Overloaded, Unreachable, Unknown, Contended, Faulty}

// Unsettled is the payload of [CommandUnsettled]. Asking again under the same
// command id is harmless, by either door.
type Unsettled struct {
	Department string    `json:"department"`
	Command    string    `json:"command,omitempty"` // none where the id itself was unusable
	Op         string    `json:"op"`
	Code       Delay     `json:"code"`
	Message    string    `json:"message"`
	RetryAfter int       `json:"retryAfter"` // ms; the least time to wait before asking again
	Time       time.Time `json:"time"`
}

// Validate checks the payload by itself.
func (u *Unsettled) Validate() error {
	if err := checkDepartment(u.Department); err != nil {
		return err
	}
	for _, d := range Delays {
		if u.Code == d {
			return nil
		}
	}
	return invalid("code %q is none of %v", clip(string(u.Code)), Delays)
}

func (u *Unsettled) Error() string { return fmt.Sprintf("%s: %s", u.Code, u.Message) }

// Answer is what the synchronous door says of a command: one of its fields.
type Answer struct {
	Accepted  *Accepted
	Rejected  *Rejected
	Unsettled *Unsettled
}

// Err is nil for an accepted command, an [*exchange.Error] for a rejected one,
// else the [*Unsettled].
func (a Answer) Err() error {
	switch {
	case a.Rejected != nil:
		return a.Rejected.Code.Err(a.Rejected.Message)
	case a.Unsettled != nil:
		return a.Unsettled
	}
	return nil
}

// ParseAnswer reads an answer of the synchronous door by its ce-type. Fields
// that a later version may add are ignored.
func ParseAnswer(header nats.Header, data []byte) (Answer, error) {
	var a Answer
	var payload exchange.Body
	t := header.Get(prefix + "type")
	switch t {
	case CEType(CommandAccepted):
		a.Accepted = new(Accepted)
		payload = a.Accepted
	case CEType(exchange.CommandRejected):
		a.Rejected = new(Rejected)
		payload = a.Rejected
	case CEType(CommandUnsettled):
		a.Unsettled = new(Unsettled)
		payload = a.Unsettled
	default:
		return a, invalid("answer of type %q", clip(t))
	}
	if err := json.Unmarshal(data, payload); err != nil {
		return Answer{}, invalid("answer %s: %v", t, err)
	}
	if err := payload.Validate(); err != nil {
		return Answer{}, fmt.Errorf("answer %s: %w", t, err)
	}
	return a, nil
}
