package ledger

import (
	"encoding/json"

	"chancery/chaincode/exchange"
)

// about are the fields by which bodies name the record that an operation
// changes.
type about struct {
	Name    string `json:"name"`
	Dataset string `json:"dataset"`
	Object  string `json:"object"`
	Request string `json:"request"`
	Grant   string `json:"grant"`
	Slot    int    `json:"slot"`
	Job     string `json:"job"`
}

// subjects says, for each noun that can be in a batch, which record an
// operation on it changes; none: a record of the operation's own.
var subjects = map[exchange.Noun]func(about) string{
	exchange.NounDataset:     func(a about) string { return a.Name },
	exchange.NounObject:      func(a about) string { return a.Dataset }, // counts its versions
	exchange.NounAttestation: func(a about) string { return a.Object },
	exchange.NounRequest:     func(a about) string { return a.Request },
	exchange.NounGrant:       func(a about) string { return a.Grant },
	exchange.NounRedemption:  func(a about) string { return exchange.UseID(a.Grant, a.Slot) },
	exchange.NounJob:         func(a about) string { return a.Job },
}

// keysOf names what no two operations in flight may share: the command id and
// the record that is changed. They are this client's own names, not ledger
// keys. Two operations that share one are applied in the order they came in,
// in different transactions; were one missed, the contract would still answer
// [exchange.Again].
func keysOf(op exchange.Operation) []string {
	var keys []string
	if op.Command != "" {
		keys = append(keys, "command "+op.Command)
	}
	row, _ := exchange.TransitionOf(op.Op)
	subject, ok := subjects[row.Noun]
	if !ok {
		return keys
	}
	var a about
	if err := json.Unmarshal(op.Body, &a); err != nil {
		return keys
	}
	if s := subject(a); s != "" {
		keys = append(keys, string(row.Noun)+" "+s)
	}
	return keys
}
