package main

import (
	"context"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/events"
)

// RequestOpenOptions say what is asked for.
type RequestOpenOptions struct {
	CommandOptions
	Object     string
	Purpose    string
	LegalBasis string
	Actions    []string
	Spec       string
	NotBefore  moment
	NotAfter   moment
	For        span
	Uses       int
}

func newRequestOpenCommand(a *app) *cobra.Command {
	var opts RequestOpenOptions
	cmd := &cobra.Command{
		Use:   "open DATASET",
		Short: "Ask another department for a dataset",
		Long: `Ask another department for a dataset, named OWNER/NAME or by its id, under its
terms (chancery dataset show). The department's worker signs the request; an
officer or a rule of the other department decides.`,
		Example: `  chancery request open census/population -d health \
    --purpose "Hospital capacity planning" --legal-basis "Public Health Act, section 12" \
    --uses 1 --for 7d`,
		Args: takes("a DATASET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "purpose", "legal-basis"); err != nil {
				return err
			}
			return runRequestOpen(cmd.Context(), a, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Purpose, "purpose", "", "what the data is for, in one line")
	flags.StringVar(&opts.LegalBasis, "legal-basis", "", "what allows it, in one line")
	flags.StringSliceVar(&opts.Actions, "action", []string{"read"}, "action to ask for: read or compute")
	flags.StringVar(&opts.Spec, "spec", "", "hash of the job, where the action is compute")
	flags.StringVar(&opts.Object, "object", "", "an exact version (id); default: the latest at the time of use")
	flags.IntVar(&opts.Uses, "uses", 1, "number of uses")
	flags.Var(&opts.For, "for", "how long the grant shall be valid (default 1d)")
	flags.Var(&opts.NotBefore, "not-before", "from when (default: now)")
	flags.Var(&opts.NotAfter, "not-after", "until when, instead of --for")
	a.addCommandFlags(cmd, &opts.CommandOptions)
	return cmd
}

func runRequestOpen(ctx context.Context, a *app, dataset string, opts RequestOpenOptions) error {
	if err := checkDataset(dataset); err != nil {
		return err
	}
	if opts.For != 0 && !opts.NotAfter.IsZero() {
		return usagef("--for and --not-after both say when it ends: give one")
	}
	if opts.For == 0 && opts.NotAfter.IsZero() {
		opts.For = span(day)
	}
	body := &exchange.OpenRequest{
		Dataset: dataset, Object: opts.Object, Purpose: opts.Purpose, LegalBasis: opts.LegalBasis,
		Actions: actionsOf(opts.Actions), Spec: opts.Spec,
		NotBefore: opts.NotBefore.Time, NotAfter: opts.NotAfter.Time, ValidFor: opts.For.seconds(), Uses: opts.Uses,
	}
	if err := body.Validate(); err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	return a.command(ctx, profile, events.RequestOpen, body, opts.CommandOptions)
}
