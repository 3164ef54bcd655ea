package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
)

func newDatasetCommand(a *app) *cobra.Command {
	return newNoun("dataset", "A department's named data: publish it, look through the catalogue",
		newDatasetPublishCommand(a), newDatasetCertifyCommand(a), newDatasetTermsCommand(a), newDatasetWithdrawCommand(a),
		newDatasetListCommand(a), newDatasetShowCommand(a))
}

func newDatasetListCommand(a *app) *cobra.Command {
	return newListCommand(a, listing[exchange.Dataset]{
		noun:  exchange.NounDataset,
		short: "List the catalogue of every department",
		example: `  chancery dataset list
  chancery dataset list --party census --json`,
		head: []string{"DATASET", "TITLE", "VERSIONS", "COLUMNS", "USES", "REQUESTERS", "STATE", "ID"},
		row: func(d exchange.Dataset) []string {
			return []string{d.Owner + "/" + d.Name, d.Title, fmt.Sprint(d.Versions), fmt.Sprint(len(d.Columns)),
				fmt.Sprint(d.Terms.MaxUses), anyOf(d.Terms.Requesters), string(d.State), d.ID}
		},
	})
}

// anyOf prints a list in which none means any.
func anyOf(list []string) string {
	if len(list) == 0 {
		return "any"
	}
	return strings.Join(list, ", ")
}

// joined prints a list of words.
func joined[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// obligationsText prints what binds the grantee.
func obligationsText(o exchange.Obligations) string {
	var parts []string
	if o.DeleteWithin > 0 {
		parts = append(parts, "delete within "+spanText(o.DeleteWithin))
	}
	if o.NoOnwardSharing {
		parts = append(parts, "no onward sharing")
	}
	return strings.Join(parts, ", ")
}
