package main

import (
	"context"
	"crypto/rand"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
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
	var outcome exchange.Outcome
	err = a.ask(ctx, profile, fits, func(ctx context.Context, client *ledger.Client) (err error) {
		outcome, err = client.Invoke(ctx, operation)
		return err
	})
	if err != nil {
		return err
	}
	if err := outcome.Err(); err != nil {
		return err
	}
	result := commandResult{Outcome: outcome}
	return a.result(result, result.write)
}
