package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
)

// commandID is what the caller calls a command, or else a random name.
func commandID(given string) string {
	if given != "" {
		return given
	}
	return rand.Text()
}

// addCommandFlag lets a caller name an operation, so that saying it twice does
// it once.
func addCommandFlag(cmd *cobra.Command, id *string) {
	cmd.Flags().StringVar(id, "command", "", "id of this command: the same id again answers with the first outcome (default: a random one)")
}

// invoke signs one operation as an identity of the department, in a
// transaction of its own, and prints its outcome.
func (a *app) invoke(ctx context.Context, fits exchange.Role, command string, op exchange.Op, body exchange.Body) error {
	operation, err := exchange.NewOperation(command, op, body)
	if err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	client, err := a.ledger(ctx, profile, string(fits))
	if err != nil {
		return err
	}
	defer client.Close()
	outcome, err := client.Invoke(ctx, operation)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if err := outcome.Err(); err != nil {
		return err
	}
	return a.result(outcome, func(w io.Writer) { writeOutcome(w, outcome) })
}

func writeOutcome(w io.Writer, o exchange.Outcome) {
	var f fields
	f.add("id", "%s", o.ID)
	f.add("outcome", "%s", o.Code)
	f.add("message", "%s", o.Message)
	f.add("command", "%s", o.Command)
	f.add("transaction", "%s", o.Tx)
	f.write(w)
}
