package main

import (
	"context"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/workers"
)

// GrantRedeemOptions say which use of the grant.
type GrantRedeemOptions struct {
	CommandOptions
	Slot int
}

// nextSlot stands for the first slot that is free.
const nextSlot = -1

func newGrantRedeemCommand(a *app) *cobra.Command {
	opts := GrantRedeemOptions{}
	cmd := &cobra.Command{
		Use:   "redeem GRANT",
		Short: "Use a grant that the department holds",
		Long: `Use one slot of a grant that the department holds. The provider then releases
the key, and the department's workers deliver the file to its inbox. The first
use happens by itself when the grant is given.`,
		Example: `  chancery grant redeem g-4xw7cqk2yqv7rdzv5m6ud2kq3e -d health
  chancery grant redeem g-4xw7cqk2yqv7rdzv5m6ud2kq3e -d health --slot 2`,
		Args: takes("a GRANT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGrantRedeem(cmd.Context(), a, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&opts.Slot, "slot", nextSlot, "which use, from 0 (default: the first that is free)")
	a.addCommandFlags(cmd, &opts.CommandOptions)
	return cmd
}

func runGrantRedeem(ctx context.Context, a *app, grant string, opts GrantRedeemOptions) error {
	if err := checkID(exchange.NounGrant, grant); err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	slot := opts.Slot
	if slot == nextSlot {
		if slot, err = a.freeSlot(ctx, profile, grant); err != nil {
			return err
		}
	}
	body := &exchange.RedeemGrant{Grant: grant, Slot: slot}
	return a.command(ctx, profile, events.GrantRedeem, body, opts.CommandOptions)
}

// freeSlot finds the first slot of a grant that nobody claimed, or whose
// release was refused. Of a grant that is used up it names the one after the
// last, for the ledger to refuse.
func (a *app) freeSlot(ctx context.Context, profile workers.Profile, grant string) (int, error) {
	var redemptions []exchange.Redemption
	err := a.ask(ctx, profile, exchange.Auditor, func(ctx context.Context, client *ledger.Client) (err error) {
		if err := client.Get(ctx, exchange.NounGrant, grant, new(exchange.Grant)); err != nil {
			return err
		}
		redemptions, err = recordsOf[exchange.Redemption](ctx, client, exchange.Query{Noun: exchange.NounRedemption, Parent: grant})
		return err
	})
	if err != nil {
		return 0, err
	}
	taken := make(map[int]bool, len(redemptions))
	for _, r := range redemptions {
		taken[r.Slot] = r.State != exchange.ReleaseDenied
	}
	slot := 0
	for taken[slot] {
		slot++
	}
	return slot, nil
}
