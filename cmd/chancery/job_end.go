package main

import (
	"context"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/events"
)

func newJobRefuseCommand(a *app) *cobra.Command {
	var opts EndOptions
	cmd := &cobra.Command{
		Use:   "refuse JOB",
		Short: "Refuse a job over the department's data",
		Long: `Refuse a job over the department's data, with a reason, signed by an officer. It
ends the job for everyone. A job that was approved can still be refused, until the
keyholder has opened its result for the requester.`,
		Example: `  chancery job refuse j-4xw7cqk2yqv7rdzv5m6ud2kq3e -d census --reason "No legal basis is named"`,
		Args:    takes("a JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "reason"); err != nil {
				return err
			}
			body := &exchange.EndJob{Job: args[0], Reason: opts.Reason}
			return a.invoke(cmd.Context(), exchange.Officer, commandID(opts.Command), exchange.OpJobRefuse, body)
		},
	}
	addEndFlags(cmd, &opts)
	return cmd
}

// JobWithdrawOptions say why.
type JobWithdrawOptions struct {
	CommandOptions
	Reason string
}

func newJobWithdrawCommand(a *app) *cobra.Command {
	var opts JobWithdrawOptions
	cmd := &cobra.Command{
		Use:     "withdraw JOB",
		Short:   "Withdraw a job of the department that is still under way",
		Example: `  chancery job withdraw j-4xw7cqk2yqv7rdzv5m6ud2kq3e -d health --reason "Wrong year"`,
		Args:    takes("a JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "reason"); err != nil {
				return err
			}
			return runJobWithdraw(cmd.Context(), a, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Reason, "reason", "", "why, for the record")
	a.addCommandFlags(cmd, &opts.CommandOptions)
	return cmd
}

func runJobWithdraw(ctx context.Context, a *app, job string, opts JobWithdrawOptions) error {
	body := &exchange.EndJob{Job: job, Reason: opts.Reason}
	if err := body.Validate(); err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	return a.command(ctx, profile, events.JobWithdraw, body, opts.CommandOptions)
}
