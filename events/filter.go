package events

import (
	"strings"

	"chancery/chaincode/exchange"
)

// Filter selects messages of one stream. Name is the last part of the durable
// consumer's name, after the worker's: it follows from what is selected, so
// that permissions can name it.
type Filter struct {
	Stream  string
	Name    string
	Subject string
}

// CommandsFilter selects every command, whoever the subject says it is from,
// so that a foreign one is refused and not overlooked.
func CommandsFilter() Filter {
	return Filter{Stream: StreamCommands, Name: "commands", Subject: join(string(KindCommand), ">")}
}

// LedgerFilter selects events of the ledger; an empty from or to is any.
func LedgerFilter(t exchange.EventType, from, to string) Filter {
	return factFilter(StreamLedger, KindLedger, t, from, to)
}

// WorkFilter selects steps between workers; an empty from or to is any.
func WorkFilter(t exchange.EventType, from, to string) Filter {
	return factFilter(StreamWork, KindWork, t, from, to)
}

// All selects everything that a stream holds, but of DEAD the dead letters
// alone: see [RetryFilter].
func All(stream string) Filter {
	return Filter{Stream: stream, Name: "all", Subject: join(string(kinds[stream]), ">")}
}

func factFilter(stream string, k Kind, t exchange.EventType, from, to string) Filter {
	if from == "" && to == "" {
		return Filter{stream, filterName(t), join(string(k), string(t), ">")}
	}
	return Filter{stream, filterName(t), join(string(k), string(t), anyToken(from), anyToken(to), "*")}
}

func filterName(t exchange.EventType) string { return strings.ReplaceAll(string(t), ".", "-") }

func anyToken(s string) string {
	if s == "" {
		return "*"
	}
	return s
}

// Durable is the name of a worker's consumer for a filter.
func Durable(worker string, f Filter) string { return worker + "-" + f.Name }

// CommandSpace is what the systems of a department may publish.
func CommandSpace(department string) string { return join(string(KindCommand), department, ">") }

// LedgerSpace is everything that the ledger says.
func LedgerSpace() string { return join(string(KindLedger), ">") }

// WorkSpace is every work event of one type from a department; an empty
// department is any.
func WorkSpace(t exchange.EventType, from string) string {
	if from == "" {
		return join(string(KindWork), string(t), ">")
	}
	return join(string(KindWork), string(t), from, ">")
}

// DeadSpace is every dead letter of a worker.
func DeadSpace(worker string) string { return join(string(KindDead), worker, ">") }

// RetryFilter selects the retries of a worker's dead letters; an empty worker
// is any.
func RetryFilter(worker string) Filter {
	return Filter{Stream: StreamDead, Name: "retry", Subject: join(string(KindRetry), anyToken(worker), ">")}
}

// RetrySpace is every retry of a dead letter.
func RetrySpace() string { return join(string(KindRetry), ">") }

// Everything is every subject of ours.
func Everything() string { return root + ".>" }
