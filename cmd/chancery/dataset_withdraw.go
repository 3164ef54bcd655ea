package main

import (
	"context"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
)

func newDatasetWithdrawCommand(a *app) *cobra.Command {
	var opts EndOptions
	cmd := &cobra.Command{
		Use:   "withdraw DATASET",
		Short: "Take a dataset of the department out of the catalogue, for good",
		Long: `Withdraw a dataset of the department, with a reason, signed by an officer.

Nobody can ask for it, be given a grant, or redeem one any more; what was redeemed
before is still released. A name that was withdrawn cannot be used again.`,
		Example: `  chancery dataset withdraw census/population -d census --reason "Superseded by population-2026"`,
		Args:    takes("a DATASET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "reason"); err != nil {
				return err
			}
			return runDatasetWithdraw(cmd.Context(), a, args[0], opts)
		},
	}
	addEndFlags(cmd, &opts)
	return cmd
}

func runDatasetWithdraw(ctx context.Context, a *app, ref string, opts EndOptions) error {
	if err := checkDataset(ref); err != nil {
		return err
	}
	if err := exchange.CheckReason(opts.Reason); err != nil {
		return err
	}
	d, err := a.dataset(ctx, ref)
	if err != nil {
		return err
	}
	body := &exchange.Withdraw{Dataset: d.ID, Reason: opts.Reason}
	return a.invoke(ctx, exchange.Officer, opts.Command, exchange.OpDatasetWithdraw, body)
}
