package main

import (
	"context"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/events"
)

// RequestWithdrawOptions say why.
type RequestWithdrawOptions struct {
	CommandOptions
	Reason string
}

func newRequestWithdrawCommand(a *app) *cobra.Command {
	var opts RequestWithdrawOptions
	cmd := &cobra.Command{
		Use:     "withdraw REQUEST",
		Short:   "Withdraw a request of the department that is still open",
		Example: `  chancery request withdraw r-t3ys2vkk5gkmllm5ffxlqr6b5q -d health --reason "No longer needed"`,
		Args:    takes("a REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "reason"); err != nil {
				return err
			}
			return runRequestWithdraw(cmd.Context(), a, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Reason, "reason", "", "why, for the record")
	a.addCommandFlags(cmd, &opts.CommandOptions)
	return cmd
}

func runRequestWithdraw(ctx context.Context, a *app, request string, opts RequestWithdrawOptions) error {
	body := &exchange.EndRequest{Request: request, Reason: opts.Reason}
	if err := body.Validate(); err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	return a.command(ctx, profile, events.RequestWithdraw, body, opts.CommandOptions)
}
