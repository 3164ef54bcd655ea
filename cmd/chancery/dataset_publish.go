package main

import (
	"context"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/events"
)

// DatasetPublishOptions describe the dataset and this version of it. A flag
// goes before the document of Metadata.
type DatasetPublishOptions struct {
	CommandOptions
	Dataset     datasetFlags
	Metadata    string
	Source      string
	DerivedFrom []string
	Replace     bool
}

func newDatasetPublishCommand(a *app) *cobra.Command {
	var opts DatasetPublishOptions
	cmd := &cobra.Command{
		Use:   "publish FILE",
		Short: "Seal a file and register it as the next version of a dataset",
		Long: `Ask the department's workers to seal a file, register it as the next version of
a dataset, and let the other departments check it. The dataset is registered
first where it is new.

The file is copied into the department's spool unless it is there already. The
dataset is described by flags, or by a document (YAML or JSON) with the fields of
its registration: name, title, description, keywords, licence, mediaType,
columns and terms. A flag goes before the document.`,
		Example: `  chancery dataset publish population.csv -d census --name population \
    --title "Population by state" --licence "Public domain" \
    --column state:string --column population:integer:people \
    --requester health --max-uses 1 --max-duration 30d
  chancery dataset publish population.csv -d census --metadata population.yaml`,
		Args: takes("a FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dataset, err := readMetadata(opts.Metadata)
			if err != nil {
				return err
			}
			if err := opts.Dataset.apply(cmd.Flags(), &dataset, args[0]); err != nil {
				return err
			}
			return runDatasetPublish(cmd.Context(), a, args[0], dataset, opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Metadata, "metadata", "", "document (YAML or JSON) that describes the dataset")
	opts.Dataset.addTo(flags)
	flags.StringVar(&opts.Source, "source", "", "where this version's data comes from")
	flags.StringSliceVar(&opts.DerivedFrom, "derived-from", nil, "id or SHA-256 of what this version was made from; may be repeated")
	flags.BoolVar(&opts.Replace, "replace", false, "replace another file of the same name in the spool")
	a.addCommandFlags(cmd, &opts.CommandOptions)
	return cmd
}

func runDatasetPublish(ctx context.Context, a *app, file string, dataset exchange.RegisterDataset, opts DatasetPublishOptions) error {
	if err := dataset.Validate(); err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	name, copied, err := spool(ctx, profile.Spool, file, opts.Replace)
	if err != nil {
		return err
	}
	if copied {
		a.say("copied %s into %s", file, profile.Spool)
	}
	body := &events.PublishDataset{Dataset: dataset, File: name, Source: opts.Source, DerivedFrom: opts.DerivedFrom}
	return a.command(ctx, profile, events.DatasetPublish, body, opts.CommandOptions)
}
