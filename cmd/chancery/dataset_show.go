package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

func newDatasetShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show DATASET",
		Short: "Show a dataset's columns, terms and versions",
		Long:  "Show a dataset, named OWNER/NAME or by its id, with its columns, terms and versions.",
		Example: `  chancery dataset show census/population
  chancery dataset show census/population --json | jq -r .latest`,
		Args: takes("a DATASET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDatasetShow(cmd.Context(), a, args[0])
		},
	}
}

// shownDataset is a dataset with its versions, oldest first.
type shownDataset struct {
	exchange.Dataset
	Objects []exchange.Object `json:"objects"`
}

func runDatasetShow(ctx context.Context, a *app, ref string) error {
	if err := checkDataset(ref); err != nil {
		return err
	}
	var shown shownDataset
	err := a.read(ctx, func(ctx context.Context, client *ledger.Client) (err error) {
		if err := client.Get(ctx, exchange.NounDataset, ref, &shown.Dataset); err != nil {
			return err
		}
		shown.Objects, err = recordsOf[exchange.Object](ctx, client, exchange.Query{Noun: exchange.NounObject, Parent: shown.ID})
		return err
	})
	if err != nil {
		return err
	}
	return a.result(shown, shown.write)
}

func (d shownDataset) write(w io.Writer) {
	var f fields
	f.add("dataset", "%s/%s", d.Owner, d.Name)
	f.add("id", "%s", d.ID)
	f.add("title", "%s", d.Title)
	f.add("description", "%s", d.Description.Description)
	f.add("licence", "%s", d.Licence)
	f.add("media type", "%s", d.MediaType)
	f.add("keywords", "%s", joined(d.Keywords))
	f.add("state", "%s", d.State)
	addTerms(&f, d.Terms)
	f.add("registered", "%s", clock(d.Since))
	addChange(&f, d.Change)
	f.write(w)
	if len(d.Columns) > 0 {
		fmt.Fprintln(w)
		t := newTable("COLUMN", "TYPE", "UNIT", "DESCRIPTION")
		for _, c := range d.Columns {
			t.add(c.Name, string(c.Type), c.Unit, c.Description)
		}
		t.write(w)
	}
	if len(d.Objects) > 0 {
		fmt.Fprintln(w)
		t := newTable("VERSION", "OBJECT", "FILE", "ROWS", "SIZE", "SEALED DIGEST", "REGISTERED")
		for _, o := range d.Objects {
			t.add(fmt.Sprint(o.Version), o.ID, o.FileName, fmt.Sprint(o.Rows), size(o.Size), short(o.SealedDigest), clock(o.Since))
		}
		t.write(w)
	}
}
