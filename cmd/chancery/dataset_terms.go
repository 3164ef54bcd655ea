package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

// DatasetTermsOptions are the terms to set; none of them: show what holds.
type DatasetTermsOptions struct {
	Command  string
	Document string
	Terms    termsFlags
}

func newDatasetTermsCommand(a *app) *cobra.Command {
	var opts DatasetTermsOptions
	cmd := &cobra.Command{
		Use:   "terms DATASET",
		Short: "Show or set what a dataset's owner lets others ask for",
		Long: `Show the terms of a dataset, or set them, signed by an officer of its owner.

A flag changes what it names and leaves the rest; --document replaces them all by
a document (YAML or JSON) with the fields that "dataset terms --json" prints, to
which flags are applied. Requests and grants are held to the terms as they are
when they are made; grants given before keep theirs.`,
		Example: `  chancery dataset terms census/population
  chancery dataset terms census/population -d census --max-uses 3 --certified
  chancery dataset terms census/population -d census --requester health,labor --purpose=
  chancery dataset terms census/population -d census --document terms.yaml`,
		Args: takes("a DATASET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDatasetTerms(cmd.Context(), a, args[0], cmd.Flags(), opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Document, "document", "", "document (YAML or JSON) with all of the terms")
	opts.Terms.addTo(flags)
	addCommandFlag(cmd, &opts.Command)
	return cmd
}

func runDatasetTerms(ctx context.Context, a *app, ref string, flags *pflag.FlagSet, opts DatasetTermsOptions) error {
	if err := checkDataset(ref); err != nil {
		return err
	}
	terms := exchange.Terms{Actions: []exchange.Action{exchange.Read}, MaxUses: 1, MaxDuration: 1}
	if opts.Document != "" {
		terms = exchange.Terms{}
		if err := readDocument("--document", opts.Document, &terms); err != nil {
			return err
		}
	}
	changes := opts.Terms.apply(flags, &terms)
	if err := terms.Validate(); err != nil {
		return err
	}
	d, err := a.dataset(ctx, ref)
	if err != nil {
		return err
	}
	if !changes && opts.Document == "" {
		return a.result(d.Terms, func(w io.Writer) {
			var f fields
			f.add("dataset", "%s/%s", d.Owner, d.Name)
			addTerms(&f, d.Terms)
			f.write(w)
		})
	}
	if opts.Document == "" {
		terms = d.Terms
		opts.Terms.apply(flags, &terms)
	}
	body := &exchange.SetTerms{Dataset: d.ID, Terms: terms}
	return a.invoke(ctx, exchange.Officer, opts.Command, exchange.OpDatasetSetTerms, body)
}

// dataset reads a dataset by its id or OWNER/NAME.
func (a *app) dataset(ctx context.Context, ref string) (d exchange.Dataset, err error) {
	err = a.read(ctx, func(ctx context.Context, client *ledger.Client) error {
		return client.Get(ctx, exchange.NounDataset, ref, &d)
	})
	return d, err
}
