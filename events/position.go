package events

import (
	"cmp"
	"strconv"
)

// Position says where on the ledger an event stands. Positions of one channel
// are ordered by block, transaction index and event index.
type Position struct {
	Channel    string
	Block      uint64
	TxIndex    int // in the block, from 0
	EventIndex int // in the transaction, from 0
	Tx         string
	Code       string // validation code of the transaction, "VALID"
}

// EventID is the ce-id of the event at this position: "<txid>.<index>".
func (p Position) EventID() string { return p.Tx + "." + strconv.Itoa(p.EventIndex) }

// Compare is negative when p comes before q, positive when after.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Block, q.Block), cmp.Compare(p.TxIndex, q.TxIndex), cmp.Compare(p.EventIndex, q.EventIndex))
}

func (p Position) validate() error {
	switch {
	case !tokenish(p.Channel, 249):
		return invalid("channel %q is not the name of a channel", clip(p.Channel))
	case !tokenish(p.Tx, 128):
		return invalid("tx %q is not a transaction id", clip(p.Tx))
	case !tokenish(p.Code, 64):
		return invalid("code %q is not a validation code", clip(p.Code))
	case p.TxIndex < 0 || p.EventIndex < 0:
		return invalid("txindex %d and eventindex %d must not be negative", p.TxIndex, p.EventIndex)
	}
	return nil
}

// tokenish takes 1 to most characters of A-Z, a-z, 0-9 and ._-
func tokenish(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
