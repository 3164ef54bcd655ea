package listen

import (
	"fmt"

	"chancery/events"
)

// Fault is a way in which the stream LEDGER can be wrong.
type Fault string

const (
	Missing   Fault = "missing"   // the ledger tells of it, the stream does not
	Repeated  Fault = "repeated"  // its place on the stream is passed already
	Misplaced Fault = "misplaced" // it stands before or after where the ledger has it
	Altered   Fault = "altered"   // it says something else than the ledger does
	Foreign   Fault = "foreign"   // it is no event of the ledger
	Beyond    Fault = "beyond"    // it tells of a block that the ledger does not have
)

// Finding is one thing that is wrong with the stream.
type Finding struct {
	Fault Fault `json:"fault"`
	// Sequence is the message's, from 1; 0 where it is missing.
	Sequence uint64 `json:"sequence,omitempty"`
	// Place is where on the ledger the event stands, or claims to; nil where
	// the message says none. Of several missing it is the first one's.
	Place *Place `json:"place,omitempty"`
	// Through is the place of the last of several missing.
	Through *Place `json:"through,omitempty"`
	// Count is how many events or messages, 1 or more.
	Count uint64 `json:"count"`
	// Detail says what is wrong with the message; may be empty.
	Detail string `json:"detail,omitempty"`
}

// Place is where on the ledger an event stands.
type Place struct {
	Block      uint64 `json:"block"`
	TxIndex    int    `json:"txIndex"`    // in the block, from 0
	EventIndex int    `json:"eventIndex"` // in the transaction, from 0
	Tx         string `json:"tx"`
}

func placeAt(p events.Position) *Place { return &Place{p.Block, p.TxIndex, p.EventIndex, p.Tx} }

func (p Place) position() events.Position {
	return events.Position{Block: p.Block, TxIndex: p.TxIndex, EventIndex: p.EventIndex}
}

// String names the place as people count it.
func (p Place) String() string {
	return fmt.Sprintf("block %d, transaction %d, event %d (%s)", p.Block, p.TxIndex, p.EventIndex, p.Tx)
}

// String tells the finding in one line.
func (f Finding) String() string {
	text := string(f.Fault) + ": "
	switch {
	case f.Count > 1:
		text += fmt.Sprintf("%d events from %s to %s", f.Count, f.Place, f.Through)
	case f.Sequence == 0:
		text += "the event of " + f.Place.String()
	case f.Place == nil:
		text += fmt.Sprintf("message %d", f.Sequence)
	default:
		text += fmt.Sprintf("message %d, %s", f.Sequence, f.Place)
	}
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	return text
}

// Report is what [Verify] found.
type Report struct {
	Height   uint64    `json:"height"`   // blocks that the ledger had
	Blocks   uint64    `json:"blocks"`   // of them compared
	Events   uint64    `json:"events"`   // of the contract in these blocks
	Messages uint64    `json:"messages"` // of the stream compared with them
	Findings []Finding `json:"findings"` // in the order of the comparison, at most [MaxFindings]
	Cut      bool      `json:"cut"`      // there were more; the comparison ended there
	Behind   bool      `json:"behind"`   // the stream ends before the ledger does, and what there is of it is right
}

// MaxFindings bounds the findings of one comparison.
const MaxFindings = 100

// Complete says that the stream holds every event of the ledger, in its order,
// once and unaltered, and nothing else.
func (r Report) Complete() bool { return len(r.Findings) == 0 }
