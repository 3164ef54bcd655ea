package events

import (
	"strings"

	"chancery/chaincode/exchange"
)

// Command names what a department may ask for: noun and verb.
type Command string

const (
	DatasetPublish  Command = "dataset.publish"
	RequestOpen     Command = Command(exchange.OpRequestOpen)
	RequestWithdraw Command = Command(exchange.OpRequestWithdraw)
	GrantRedeem     Command = Command(exchange.OpGrantRedeem)
	JobOpen         Command = Command(exchange.OpJobOpen)
	JobWithdraw     Command = Command(exchange.OpJobWithdraw)
)

// Work events: steps between a department's own workers, and the answers that
// its systems get. A command that is refused before it reaches the ledger is
// an [exchange.CommandRejected] too.
const (
	CommandAccepted exchange.EventType = "command.accepted" // → systems: the command is done, or under way
	ObjectStaged    exchange.EventType = "object.staged"    // intake → encrypt: a file waits in the spool
	ObjectSealed    exchange.EventType = "object.sealed"    // encrypt → pin: sealed bytes wait on the kubo node
)

// DeliveryFailed is the dead letter: what no retry could do.
const DeliveryFailed exchange.EventType = "delivery.failed"

// DeliveryRetried asks for the message of a dead letter to be handled again.
const DeliveryRetried exchange.EventType = "delivery.retried"

// WorkEvents is every event of the WORK stream, in the order of the flow.
var WorkEvents = []exchange.EventType{CommandAccepted, exchange.CommandRejected, ObjectStaged, ObjectSealed}

const (
	typePrefix = "chancery."
	typeSuffix = ".v1"
)

// CEType is the CloudEvents type of an event or command.
func CEType[T ~string](name T) string { return typePrefix + string(name) + typeSuffix }

// SchemaURI is the identifier of the JSON Schema of an event or command, as
// ce-dataschema carries it and package schemas serves it.
func SchemaURI[T ~string](name T) string {
	return "urn:chancery:schemas:" + string(name) + typeSuffix
}

// validToken takes 1 to 64 of a-z, 0-9 and -.
func validToken(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// validWord is half of a name: a token of 1 to 32 that begins with a letter.
func validWord(s string) bool {
	return validToken(s) && len(s) <= 32 && s[0] >= 'a' && s[0] <= 'z'
}

// parseType reads noun and past participle or verb out of a CloudEvents type.
func parseType(s string) (noun, verb string, err error) {
	name, ok := strings.CutPrefix(s, typePrefix)
	name, versioned := strings.CutSuffix(name, typeSuffix)
	noun, verb, _ = strings.Cut(name, ".")
	if !ok || !versioned || !validWord(noun) || !validWord(verb) {
		return "", "", invalid("type %q is not chancery.<noun>.<past or verb>.v1", clip(s))
	}
	return noun, verb, nil
}

func invalid(format string, args ...any) error {
	return exchange.Errorf(exchange.Invalid, format, args...)
}

// clip shortens what an error message quotes.
func clip(s string) string {
	if len(s) <= 80 {
		return s
	}
	return strings.ToValidUTF8(s[:80], "") + "…"
}
