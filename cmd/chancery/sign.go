package main

import (
	"context"
	"crypto/rand"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/workers"
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
	if _, err := exchange.NewOperation(command, op, body); err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	outcome, err := a.perform(ctx, profile, fits, command, op, body)
	if err != nil {
		return err
	}
	result := commandResult{Outcome: outcome}
	return a.result(result, result.write)
}

// perform is invoke that prints nothing. A refusal is an error with its code.
func (a *app) perform(ctx context.Context, profile workers.Profile, fits exchange.Role, command string, op exchange.Op, body exchange.Body) (outcome exchange.Outcome, err error) {
	operation, err := exchange.NewOperation(command, op, body)
	if err != nil {
		return outcome, err
	}
	err = a.ask(ctx, profile, fits, func(ctx context.Context, client *ledger.Client) (err error) {
		outcome, err = client.Invoke(ctx, operation)
		return err
	})
	if err != nil {
		return outcome, err
	}
	return outcome, outcome.Err()
}
