package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"chancery/events"
	"chancery/events/bus"
)

// RebuildOptions are those of the verb that fills a stream anew.
type RebuildOptions struct {
	Yes bool
}

func newLedgerRebuildCommand(a *app) *cobra.Command {
	var opts RebuildOptions
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Fill the department's stream of ledger events anew",
		Long: `Take everything out of the stream LEDGER of the department's bus and have its
running worker listen fill it again from block 0, then verify it.

Sequences keep rising and consumers stay, so every worker sees every event
again, which is harmless to them; a view of one's own must go on by the event's
place on the ledger. It is for a stream that ` + "`chancery ledger verify`" + ` finds
wrong, or that belongs to a ledger which was made anew.`,
		Example: `  chancery ledger rebuild -d census --yes`,
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runLedgerRebuild(cmd.Context(), a, opts)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&opts.Yes, "yes", false, "really do it")
	a.addSettings(cmd, "wait")
	return cmd
}

func runLedgerRebuild(ctx context.Context, a *app, opts RebuildOptions) error {
	if !opts.Yes {
		return usagef("this empties the stream %s of the department's bus and has every worker see every event again: say --yes", events.StreamLedger)
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	client, err := a.openLedger(ctx, profile)
	if err != nil {
		return err
	}
	defer client.Close()
	conn, err := a.bus(ctx, profile, bus.UserAdmin)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Purge(ctx, events.StreamLedger); err != nil {
		return err
	}
	a.say("the stream %s of %s is empty; its worker listen fills it", events.StreamLedger, profile.Department)
	report, err := a.verifyLedger(ctx, profile, client, conn, time.Duration(a.wait))
	if err != nil {
		return err
	}
	if report.Behind {
		return faultf(errUnreachable, "nothing more came for %s: run the worker listen of %s, and look at it with `chancery ledger verify`", a.wait.String(), profile.Department)
	}
	return a.verified(profile, report)
}
