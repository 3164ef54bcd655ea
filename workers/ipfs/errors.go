package ipfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
)

var (
	// ErrInvalidCID says that a text is not the CID of a file as Add makes it.
	// Permanent.
	ErrInvalidCID = errors.New("invalid CID")

	// ErrNotFound says that the node does not have an object, asked without the
	// swarm. Permanent, as far as this node alone goes.
	ErrNotFound = errors.New("not stored at this node")

	// ErrDamaged says that the node has a block whose bytes are not those of
	// its address: its store was altered. Permanent.
	ErrDamaged = errors.New("stored block does not match its address")

	// ErrNotFile says that a CID leads to a directory or to something else that
	// is no file. Permanent.
	ErrNotFile = errors.New("not a file")

	// ErrDenied says that the node refuses these credentials, or this call to
	// them. Permanent.
	ErrDenied = errors.New("kubo denies access")

	// ErrStalled says that the node moved nothing for Config.Idle: nobody in
	// the swarm offers the object, or the node hangs. Temporary.
	ErrStalled = errors.New("kubo made no progress")

	errNotPinned = errors.New("not pinned")
)

// Error is what a kubo node answered instead of a result.
type Error struct {
	Status  int    // HTTP; 200 if the error came after the headers
	Message string // the node's own, at most 200 bytes
	kind    error  // the sentinel that it stands for, or nil
}

// Error says what the answer means, if that is known, and quotes it.
func (e *Error) Error() string {
	if e.kind != nil {
		return fmt.Sprintf("%v (kubo: %d, %s)", e.kind, e.Status, e.Message)
	}
	return fmt.Sprintf("kubo: %d, %s", e.Status, e.Message)
}

// Unwrap returns the sentinel that the message stands for.
func (e *Error) Unwrap() error { return e.kind }

// plain leaves out the method and URL that net/http puts before the node's own
// answer.
func plain(err error) error {
	if answer, ok := errors.AsType[*Error](err); ok {
		return answer
	}
	return err
}

// newError classes an answer. kubo has no codes: nearly every failure is status
// 500 with a text.
func newError(status int, message string) *Error {
	e := &Error{Status: status, Message: clip(strings.TrimSpace(message))}
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		e.kind = ErrDenied
		return e
	}
	for _, known := range []struct {
		text string
		kind error
	}{
		{"block was not found locally (offline)", ErrNotFound},
		{"different hash than requested", ErrDamaged},
		{"this dag node is a directory", ErrNotFile},
		{"unrecognized object type", ErrNotFile},
		{"not pinned", errNotPinned},
	} {
		if strings.Contains(message, known.text) {
			e.kind = known.kind
			return e
		}
	}
	return e
}

// Temporary reports whether the same call may succeed later: the node is down,
// busy, slow or closing, or the caller's context ended. What is wrong with the
// CID, the credentials, the stored bytes or the caller's own reader stays wrong.
func Temporary(err error) bool {
	for _, permanent := range []error{ErrInvalidCID, ErrNotFound, ErrDamaged, ErrNotFile, ErrDenied} {
		if errors.Is(err, permanent) {
			return false
		}
	}
	if answer, ok := errors.AsType[*Error](err); ok {
		return answer.Status == http.StatusOK || answer.Status >= 500 || answer.Status == http.StatusTooManyRequests
	}
	for _, temporary := range []error{
		ErrStalled, context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF,
	} {
		if errors.Is(err, temporary) {
			return true
		}
	}
	network, ok := errors.AsType[net.Error](err) // *url.Error and *net.OpError among them
	_, file := network.(syscall.Errno)           // it has their methods, but comes bare from files only
	return ok && !file
}
