package events

import (
	"time"
	"unicode/utf8"

	"chancery/chaincode/exchange"
)

// Staged is the payload of [ObjectStaged]: a file of the spool waits to be
// sealed as a version of a registered dataset.
type Staged struct {
	Object      string   `json:"object"`  // id that the version will have
	Dataset     string   `json:"dataset"` // id
	Command     string   `json:"command"` // that asked for it
	File        string   `json:"file"`    // plain name of a file in the spool
	Source      string   `json:"source,omitempty"`
	DerivedFrom []string `json:"derivedFrom,omitempty"`
}

// Validate checks the payload by itself.
func (s *Staged) Validate() error {
	return firstError(
		checkID("object", exchange.NounObject, s.Object),
		checkID("dataset", exchange.NounDataset, s.Dataset),
		checkCommand(s.Command),
		exchange.CheckFileName("file", s.File),
		exchange.CheckSource(s.Source),
		exchange.CheckDerivedFrom(s.DerivedFrom))
}

// Sealed is the payload of [ObjectSealed]: the sealed bytes are on the kubo
// node, and this is what the ledger shall say of them.
type Sealed struct {
	Object string `json:"object"` // id that the version will have
	exchange.RegisterObject
}

// Validate checks the payload by itself.
func (s *Sealed) Validate() error {
	return firstError(checkID("object", exchange.NounObject, s.Object), s.RegisterObject.Validate())
}

// Accepted is the payload of [CommandAccepted]: what became of a command.
type Accepted struct {
	Department string    `json:"department"` // that asked
	Command    string    `json:"command"`
	Op         string    `json:"op"`                 // noun and verb of the subject
	ID         string    `json:"id,omitempty"`       // of the record that it made, changed or found
	Tx         string    `json:"tx,omitempty"`       // that did it first
	Repeated   bool      `json:"repeated,omitempty"` // the same had been said before
	Time       time.Time `json:"time"`
}

// Validate checks the payload by itself.
func (a *Accepted) Validate() error {
	return firstError(checkDepartment(a.Department), checkCommand(a.Command))
}

// Rejected is the payload of [exchange.CommandRejected] on the WORK stream: the
// answer to a command that was refused, by the ledger or before it. The fields
// are a subset of [exchange.OperationRecord], which the same event carries on
// the LEDGER stream where the refusal is recorded there.
type Rejected struct {
	Department string        `json:"department"`        // that asked
	Command    string        `json:"command,omitempty"` // none where the id itself was unusable
	Op         string        `json:"op"`                // noun and verb of the subject
	Code       exchange.Code `json:"code"`
	Message    string        `json:"message"`
	Time       time.Time     `json:"time"`
}

// Validate checks the payload by itself.
func (r *Rejected) Validate() error {
	if err := checkDepartment(r.Department); err != nil {
		return err
	}
	switch {
	case r.Command != "" && !exchange.ValidCommand(r.Command):
		return checkCommand(r.Command)
	case r.Code.Err("") == nil:
		return invalid("code %q is no refusal", clip(string(r.Code)))
	case len(r.Message) > maxReason:
		return invalid("message of %d bytes is longer than %d", len(r.Message), maxReason)
	}
	return nil
}

// maxReason bounds the text of a refusal or dead letter, in bytes.
const maxReason = 4096

// Reason clips the text of an error to what a refusal or dead letter may hold.
func Reason(err error) string {
	s := err.Error()
	if len(s) <= maxReason {
		return s
	}
	n := maxReason
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func checkID(field string, noun exchange.Noun, s string) error {
	if exchange.ValidID(noun, s) {
		return nil
	}
	return invalid("%s %q is not the id of a %s", field, clip(s), noun)
}

func checkDepartment(s string) error {
	if exchange.ValidName(s) {
		return nil
	}
	return invalid("department %q is not the name of a department", clip(s))
}

func checkCommand(s string) error {
	if exchange.ValidCommand(s) {
		return nil
	}
	return invalid("command id %q: use 1 to 128 of A-Z, a-z, 0-9 and ._:-, starting with a letter or digit", clip(s))
}
