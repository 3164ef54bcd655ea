package exchange

import (
	"errors"
	"fmt"
	"strings"
)

// Code says how an operation ended. The list is closed: a client may switch
// over it without a default that guesses.
type Code string

const (
	OK        Code = "ok"        // done by this very operation
	Exists    Code = "exists"    // the same thing had been done before; nothing changed
	Invalid   Code = "invalid"   // the operation's own content is wrong
	Denied    Code = "denied"    // the caller may not do this
	NotFound  Code = "not-found" // a record that the operation names is not there
	Conflict  Code = "conflict"  // another thing was said under the same name, or the state forbids it
	Again     Code = "again"     // a key of this operation was written by the same transaction: submit anew
	Expired   Code = "expired"   // outside the time in which it was allowed
	Exhausted Code = "exhausted" // the grant has no such use
	Revoked   Code = "revoked"   // the grant was revoked
)

// Sentinels for errors.Is, one for each code that is an error.
var (
	ErrExists    = errors.New(string(Exists))
	ErrInvalid   = errors.New(string(Invalid))
	ErrDenied    = errors.New(string(Denied))
	ErrNotFound  = errors.New(string(NotFound))
	ErrConflict  = errors.New(string(Conflict))
	ErrAgain     = errors.New(string(Again))
	ErrExpired   = errors.New(string(Expired))
	ErrExhausted = errors.New(string(Exhausted))
	ErrRevoked   = errors.New(string(Revoked))
)

var sentinels = map[Code]error{
	Exists: ErrExists, Invalid: ErrInvalid, Denied: ErrDenied, NotFound: ErrNotFound, Conflict: ErrConflict,
	Again: ErrAgain, Expired: ErrExpired, Exhausted: ErrExhausted, Revoked: ErrRevoked,
}

// Error is a refusal by the contract. It unwraps to the sentinel of its code.
type Error struct {
	Code    Code
	Message string
}

// Errorf makes a refusal.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

func (e *Error) Unwrap() error { return sentinels[e.Code] }

// ParseError finds a refusal ("code: message") in the text that a peer hands
// on, which may put words of its own before it. It returns nil when the text
// holds none.
func ParseError(text string) *Error {
	for rest := text; rest != ""; {
		head, tail, found := strings.Cut(rest, ": ")
		if !found {
			return nil
		}
		word := head[strings.LastIndexByte(head, ' ')+1:]
		if _, ok := sentinels[Code(word)]; ok {
			return &Error{Code: Code(word), Message: tail}
		}
		rest = tail
	}
	return nil
}

// Err turns a code and message, as an [Outcome] carries them, into an error;
// nil for [OK] and [Exists], which both mean that the thing is done.
func (c Code) Err(message string) error {
	if c == OK || c == Exists {
		return nil
	}
	return &Error{Code: c, Message: message}
}
