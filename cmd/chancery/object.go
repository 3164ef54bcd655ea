package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
)

func newObjectCommand(a *app) *cobra.Command {
	return newNoun("object", "The sealed versions of datasets: look at them, check their bytes, fetch what was granted",
		newObjectFetchCommand(a), newObjectVerifyCommand(a), newObjectListCommand(a), newObjectShowCommand(a))
}

func newObjectListCommand(a *app) *cobra.Command {
	return newListCommand(a, listing[exchange.Object]{
		noun:  exchange.NounObject,
		short: "List sealed versions of datasets",
		example: `  chancery object list --party census
  chancery object list --dataset d-4xw7cqk2yqv7rdzv5m6ud2kq3e --json`,
		parent: "dataset",
		head:   []string{"OBJECT", "OWNER", "FILE", "VERSION", "ROWS", "SIZE", "SEALED DIGEST", "CID", "STATE"},
		row: func(o exchange.Object) []string {
			return []string{o.ID, o.Owner, o.FileName, fmt.Sprint(o.Version), fmt.Sprint(o.Rows), size(o.Size),
				short(o.SealedDigest), o.CID, string(o.State)}
		},
	})
}
