package main

import (
	"context"
	"errors"
	"fmt"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/compose/native"
	"chancery/events/bus"
	"chancery/workers/ipfs"
	"chancery/workers/policy"
	"chancery/workers/receive"
)

// Exit codes of every verb.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitRefused     = 3
	exitNotFound    = 4
	exitConflict    = 5
	exitDigest      = 6
	exitUnreachable = 7
	exitOfficer     = 8
	exitInterrupted = 130
)

// exitHelp is what the root's help says of them.
const exitHelp = `Exit codes:
  0    done
  1    error
  2    usage: a flag, argument or document is wrong
  3    refused by policy: denied, refused, expired, exhausted or revoked
  4    not found
  5    conflict: something else was said under the same name, or the state forbids it
  6    digest mismatch
  7    the stack is unreachable or gave no answer in time
  8    left to an officer (policy test)
  130  interrupted`

// Errors that the command line itself finds.
var (
	errUsage       = errors.New("usage")
	errRefused     = errors.New("refused")
	errNotFound    = errors.New("not found")
	errDigest      = errors.New("digest mismatch")
	errUnreachable = errors.New("unreachable")
	errOfficer     = errors.New("left to an officer")
)

// fault is an error with one of the sentinels above, which it does not print.
type fault struct {
	kind error
	text string
	err  error
}

func (f *fault) Error() string { return f.text }

func (f *fault) Unwrap() []error { return []error{f.kind, f.err} }

// faultf makes an error of a kind; %w in the format wraps as usual.
func faultf(kind error, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &fault{kind: kind, text: err.Error(), err: err}
}

// usagef makes an error about flags, arguments or a document given by them.
func usagef(format string, args ...any) error { return faultf(errUsage, format, args...) }

// exitCodes maps sentinels to exit codes; the first match counts, so that an
// unreachable part is never taken for a missing record.
var exitCodes = []struct {
	err  error
	code int
}{
	{context.Canceled, exitInterrupted},
	{errUsage, exitUsage},
	{errDigest, exitDigest},
	{ipfs.ErrDamaged, exitDigest},
	{receive.ErrContested, exitDigest},
	{errUnreachable, exitUnreachable},
	{ledger.ErrUnreachable, exitUnreachable},
	{ledger.ErrUnknownOutcome, exitUnreachable},
	{bus.ErrUnreachable, exitUnreachable},
	{bus.ErrNoStream, exitUnreachable},
	{ipfs.ErrStalled, exitUnreachable},
	{native.ErrNoNetwork, exitUnreachable},
	{native.ErrNotRunning, exitUnreachable},
	{errRefused, exitRefused},
	{errOfficer, exitOfficer},
	{policy.ErrRules, exitUsage},
	{bus.ErrPermission, exitRefused},
	{ipfs.ErrDenied, exitRefused},
	{exchange.ErrDenied, exitRefused},
	{exchange.ErrExpired, exitRefused},
	{exchange.ErrExhausted, exitRefused},
	{exchange.ErrRevoked, exitRefused},
	{native.ErrRunning, exitConflict},
	{native.ErrPortBusy, exitConflict},
	{errNotFound, exitNotFound},
	{exchange.ErrNotFound, exitNotFound},
	{ipfs.ErrNotFound, exitNotFound},
	{exchange.ErrConflict, exitConflict},
	{exchange.ErrAgain, exitConflict},
	{exchange.ErrInvalid, exitUsage},
	{bus.ErrTooLarge, exitUsage},
	{context.DeadlineExceeded, exitUnreachable},
}

// exitCode is the one place where an error becomes an exit code.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	var started *startError
	if errors.As(err, &started) && started.code > 0 {
		return started.code
	}
	for _, row := range exitCodes {
		if errors.Is(err, row.err) {
			return row.code
		}
	}
	return exitError
}
