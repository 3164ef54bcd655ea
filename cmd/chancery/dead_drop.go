package main

import (
	"context"

	"github.com/spf13/cobra"

	"chancery/events"
	"chancery/events/bus"
)

func newDeadDropCommand(a *app) *cobra.Command {
	var opts ChooseOptions
	cmd := &cobra.Command{
		Use:   "drop [ID…]",
		Short: "Take dead letters away for good",
		Long: `Take dead letters away for good, with what they hold: those named, or those of a
worker, or all. The message stays where it stood, and a retry that was asked for
still happens.`,
		Example: `  chancery dead drop 12 -d census
  chancery dead drop --worker release -d census`,
		Args: func(_ *cobra.Command, args []string) error { return opts.check(args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDeadDrop(cmd.Context(), a, opts, args)
		},
	}
	opts.addTo(cmd, "every letter")
	return cmd
}

func runDeadDrop(ctx context.Context, a *app, opts ChooseOptions, args []string) error {
	return a.asAdmin(ctx, func(_ string, conn *bus.Conn) error {
		list, err := a.choose(ctx, conn, opts, args, func(letter) bool { return true })
		if err != nil {
			return err
		}
		return a.settleLetters(list, func(l letter) (string, error) {
			return letterDropped, conn.Erase(ctx, events.StreamDead, l.ID)
		})
	})
}
