package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/compose/native"
	"chancery/events/bus"
	"chancery/workers/ipfs"
)

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("anything"), 1},
		{ledger.ErrFault, 1},
		{usagef("no"), 2},
		{exchange.Errorf(exchange.Invalid, "no"), 2},
		{exchange.Errorf(exchange.Denied, "no"), 3},
		{exchange.Errorf(exchange.Expired, "no"), 3},
		{exchange.Errorf(exchange.Exhausted, "no"), 3},
		{exchange.Errorf(exchange.Revoked, "no"), 3},
		{bus.ErrPermission, 3},
		{exchange.Errorf(exchange.NotFound, "no"), 4},
		{exchange.Errorf(exchange.Conflict, "no"), 5},
		{exchange.Errorf(exchange.Again, "no"), 5},
		{native.ErrPortBusy, 5},
		{native.ErrRunning, 5},
		{faultf(errDigest, "no"), 6},
		{ipfs.ErrDamaged, 6},
		{ledger.ErrUnreachable, 7},
		{ledger.ErrUnknownOutcome, 7},
		{bus.ErrUnreachable, 7},
		{ipfs.ErrStalled, 7},
		{native.ErrNoNetwork, 7},
		{context.DeadlineExceeded, 7},
		{context.Canceled, 130},
		{&startError{log: "up.log", code: 5}, 5},
		{&startError{log: "up.log", code: -1}, 1}, // by a signal
	} {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("%v: %d, want %d", test.err, got, test.want)
		}
		if test.err != nil {
			if got := exitCode(fmt.Errorf("do it: %w", test.err)); got != test.want {
				t.Errorf("wrapped %v: %d, want %d", test.err, got, test.want)
			}
		}
	}
}

// TestExitHelp holds the help against the table.
func TestExitHelp(t *testing.T) {
	for _, row := range exitCodes {
		if !strings.Contains(exitHelp, "\n  "+strconv.Itoa(row.code)+" ") {
			t.Errorf("the help does not name exit code %d (%v)", row.code, row.err)
		}
	}
}

func TestFaultSaysItsTextOnly(t *testing.T) {
	cause := errors.New("cause")
	err := faultf(errUsage, "--flag: %w", cause)
	if err.Error() != "--flag: cause" || !errors.Is(err, cause) || !errors.Is(err, errUsage) {
		t.Errorf("%q", err)
	}
}
