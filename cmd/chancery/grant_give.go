package main

import (
	"context"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

// GrantGiveOptions narrow what was asked for; what is left out is taken from
// the request and the terms.
type GrantGiveOptions struct {
	Command         string
	Uses            int
	NotBefore       moment
	NotAfter        moment
	Object          string
	Actions         []string
	DeleteWithin    span
	NoOnwardSharing bool
}

func newGrantGiveCommand(a *app) *cobra.Command {
	var opts GrantGiveOptions
	cmd := &cobra.Command{
		Use:   "give REQUEST",
		Short: "Give a grant for an open request",
		Long: `Give a grant for an open request to the department, signed by an officer.

A grant may be narrower than the request and the dataset's terms, never wider.
What no flag names is taken from the two, whichever is narrower. Obligations are
those of the terms and what the flags add.`,
		Example: `  chancery grant give r-t3ys2vkk5gkmllm5ffxlqr6b5q -d census
  chancery grant give r-t3ys2vkk5gkmllm5ffxlqr6b5q -d census --uses 1 --not-after +7d --delete-within 30d`,
		Args: takes("a REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGrantGive(cmd.Context(), a, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&opts.Uses, "uses", 0, "number of uses at most")
	flags.Var(&opts.NotBefore, "not-before", "valid from this time")
	flags.Var(&opts.NotAfter, "not-after", "valid until this time")
	flags.StringVar(&opts.Object, "object", "", "this version only (id)")
	flags.StringSliceVar(&opts.Actions, "action", nil, "allow this action: read or compute")
	flags.Var(&opts.DeleteWithin, "delete-within", "oblige the grantee to delete it so long after the release")
	flags.BoolVar(&opts.NoOnwardSharing, "no-onward-sharing", false, "oblige the grantee to share it with nobody")
	addCommandFlag(cmd, &opts.Command)
	return cmd
}

func runGrantGive(ctx context.Context, a *app, request string, opts GrantGiveOptions) error {
	if err := checkID(exchange.NounRequest, request); err != nil {
		return err
	}
	body := &exchange.GiveGrant{
		Request: request, Object: opts.Object, Actions: actionsOf(opts.Actions), MaxUses: opts.Uses,
		NotBefore: opts.NotBefore.Time, NotAfter: opts.NotAfter.Time,
	}
	if opts.DeleteWithin != 0 || opts.NoOnwardSharing {
		if err := body.Validate(); err != nil {
			return err
		}
		terms, err := a.termsOf(ctx, request)
		if err != nil {
			return err
		}
		body.Obligations = opts.obligations(terms.Obligations)
	}
	return a.invoke(ctx, exchange.Officer, commandID(opts.Command), exchange.OpGrantGive, body)
}

// obligations are those of the terms and what the flags say besides.
func (o GrantGiveOptions) obligations(of exchange.Obligations) *exchange.Obligations {
	if o.DeleteWithin != 0 {
		of.DeleteWithin = o.DeleteWithin.seconds()
	}
	of.NoOnwardSharing = of.NoOnwardSharing || o.NoOnwardSharing
	return &of
}

// termsOf are the terms of the dataset that a request asks for.
func (a *app) termsOf(ctx context.Context, request string) (exchange.Terms, error) {
	var d exchange.Dataset
	err := a.read(ctx, func(ctx context.Context, client *ledger.Client) error {
		var r exchange.Request
		if err := client.Get(ctx, exchange.NounRequest, request, &r); err != nil {
			return err
		}
		return client.Get(ctx, exchange.NounDataset, r.Dataset, &d)
	})
	return d.Terms, err
}

func actionsOf(words []string) []exchange.Action {
	actions := make([]exchange.Action, len(words))
	for i, w := range words {
		actions[i] = exchange.Action(w)
	}
	return actions
}
