package events

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The streams of a department's bus.
const (
	StreamCommands = "COMMANDS" // what its systems ask
	StreamLedger   = "LEDGER"   // what the ledger said, in its order, once
	StreamWork     = "WORK"     // steps between its workers
	StreamDead     = "DEAD"     // what no retry could do, and what shall be tried once more
)

var kinds = map[string]Kind{
	StreamCommands: KindCommand, StreamLedger: KindLedger, StreamWork: KindWork, StreamDead: KindDead,
}

const day = 24 * time.Hour

// Streams are their configurations. LEDGER keeps everything and takes no
// duplicates by message id, since its publisher is fenced by the expected last
// sequence; COMMANDS drops what is said twice within ten minutes. These two and
// WORK take atomic batches, for each of which the disk is waited for once.
// Messages of LEDGER, COMMANDS and WORK cannot be deleted one by one, those of
// COMMANDS not be purged either; an administrator may purge LEDGER, which is
// rebuilt from the ledger.
func Streams() []jetstream.StreamConfig {
	commands := stream(StreamCommands, "what the department's systems ask")
	commands.MaxAge = 90 * day
	commands.Duplicates = 10 * time.Minute
	commands.AllowAtomicPublish = true
	commands.DenyDelete, commands.DenyPurge = true, true

	ledger := stream(StreamLedger, "what the ledger said, in its order, once")
	ledger.AllowAtomicPublish = true
	ledger.DenyDelete = true

	work := stream(StreamWork, "steps between the department's workers")
	work.MaxAge = 7 * day
	work.AllowAtomicPublish = true
	work.DenyDelete = true

	dead := stream(StreamDead, "what no retry could do, and what shall be tried once more")
	dead.Subjects = append(dead.Subjects, RetrySpace())
	dead.MaxAge = 90 * day
	return []jetstream.StreamConfig{commands, ledger, work, dead, advisoryStream()}
}

func stream(name, description string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        name,
		Description: description,
		Subjects:    []string{All(name).Subject},
		Retention:   jetstream.LimitsPolicy,
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardOld,
		AllowDirect: true,
		Replicas:    1,
	}
}
