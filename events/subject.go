package events

import (
	"strings"

	"chancery/chaincode/exchange"
)

// Kind is the second token of a subject. It decides the stream.
type Kind string

const (
	KindCommand Kind = "cmd"
	KindLedger  Kind = "ledger"
	KindWork    Kind = "work"
	KindDead    Kind = "dead"
	KindRetry   Kind = "retry"
)

const root = "chancery"

// Subject is a NATS subject in parts:
//
//	chancery.cmd.<from>.<noun>.<verb>
//	chancery.ledger.<noun>.<past>.<from>.<to>.<id>
//	chancery.work.<noun>.<past>.<from>.<to>.<id>
//	chancery.dead.<worker>.<noun>.<past or verb>.<id>
//	chancery.retry.<worker>.<noun>.<past or verb>.<number of the dead letter>
type Subject struct {
	Kind   Kind
	Worker string // dead letters and their retries only
	From   string // department that acts; none in dead letters and their retries
	To     string // counterpart or [exchange.ToAll]; ledger and work only
	Noun   string
	Verb   string // verb of a command, past participle of an event
	ID     string // of the record; none in commands
}

// CommandSubject is where a department's systems publish a command.
func CommandSubject(from string, c Command) Subject {
	noun, verb, _ := strings.Cut(string(c), ".")
	return Subject{Kind: KindCommand, From: from, Noun: noun, Verb: verb}
}

// LedgerSubject is where an event of the ledger is published.
func LedgerSubject(e exchange.Event) Subject { return fact(KindLedger, e.Type, e.From, e.To, e.ID) }

// WorkSubject is where a step between workers is published.
func WorkSubject(t exchange.EventType, from, to, id string) Subject {
	return fact(KindWork, t, from, to, id)
}

func fact(k Kind, t exchange.EventType, from, to, id string) Subject {
	noun, past, _ := strings.Cut(string(t), ".")
	return Subject{Kind: k, Noun: noun, Verb: past, From: from, To: to, ID: id}
}

// DeadSubject is where a worker's dead letter of an event or command is
// published; id must be a token, see [Token].
func DeadSubject(worker, noun, verb, id string) Subject {
	return Subject{Kind: KindDead, Worker: worker, Noun: noun, Verb: verb, ID: id}
}

// Token is s itself where s may stand in a subject, else a digest of it.
func Token(s string) string {
	if validToken(s) {
		return s
	}
	return exchange.NewID(exchange.NounOperation, "", s)
}

// Event is noun and past participle, for everything but commands.
func (s Subject) Event() exchange.EventType { return exchange.EventType(s.Noun + "." + s.Verb) }

// Command is noun and verb, for commands.
func (s Subject) Command() Command { return Command(s.Noun + "." + s.Verb) }

// String writes the subject. It is a valid subject only if [Subject.Validate]
// says so.
func (s Subject) String() string {
	switch s.Kind {
	case KindCommand:
		return join(string(s.Kind), s.From, s.Noun, s.Verb)
	case KindDead, KindRetry:
		return join(string(s.Kind), s.Worker, s.Noun, s.Verb, s.ID)
	default:
		return join(string(s.Kind), s.Noun, s.Verb, s.From, s.To, s.ID)
	}
}

func join(tokens ...string) string { return root + "." + strings.Join(tokens, ".") }

// Validate checks every part that the kind has. Its errors have the code
// [exchange.Invalid].
func (s Subject) Validate() error {
	if !validWord(s.Noun) || !validWord(s.Verb) {
		return invalid("subject %q: %q is not a noun and a verb", clip(s.String()), clip(s.Noun+"."+s.Verb))
	}
	switch s.Kind {
	case KindCommand:
		return s.check("department", s.From, exchange.ValidName(s.From))
	case KindDead, KindRetry:
		if err := s.check("worker", s.Worker, validToken(s.Worker)); err != nil {
			return err
		}
	case KindLedger, KindWork:
		if err := s.check("department", s.From, exchange.ValidName(s.From)); err != nil {
			return err
		}
		if err := s.check("counterpart", s.To, exchange.ValidName(s.To)); err != nil {
			return err
		}
	default:
		return invalid("subject %q is of no known kind", clip(s.String()))
	}
	return s.check("id", s.ID, validToken(s.ID))
}

func (s Subject) check(part, value string, ok bool) error {
	if ok {
		return nil
	}
	return invalid("subject %q: %q cannot be a %s", clip(s.String()), clip(value), part)
}

// maxSubject bounds a subject in bytes; the longest valid one has 300.
const maxSubject = 400

// ParseSubject reads a subject. Its errors have the code [exchange.Invalid].
func ParseSubject(text string) (Subject, error) {
	if len(text) > maxSubject {
		return Subject{}, invalid("subject of %d bytes is longer than %d", len(text), maxSubject)
	}
	t := strings.Split(text, ".")
	if len(t) < 2 || t[0] != root {
		return Subject{}, invalid("subject %q does not start with %q and a kind", clip(text), root)
	}
	s, ok := fromTokens(Kind(t[1]), t[2:])
	if !ok {
		return Subject{}, invalid("subject %q has not the parts of its kind", clip(text))
	}
	return s, s.Validate()
}

func fromTokens(k Kind, t []string) (Subject, bool) {
	s := Subject{Kind: k}
	switch {
	case k == KindCommand && len(t) == 3:
		s.From, s.Noun, s.Verb = t[0], t[1], t[2]
	case (k == KindDead || k == KindRetry) && len(t) == 4:
		s.Worker, s.Noun, s.Verb, s.ID = t[0], t[1], t[2], t[3]
	case (k == KindLedger || k == KindWork) && len(t) == 5:
		s.Noun, s.Verb, s.From, s.To, s.ID = t[0], t[1], t[2], t[3], t[4]
	default:
		return Subject{}, false
	}
	return s, true
}
