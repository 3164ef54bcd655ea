package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
)

func newRequestCommand(a *app) *cobra.Command {
	return newNoun("request", "Ask another department for a dataset",
		newRequestOpenCommand(a), newRequestWithdrawCommand(a), newRequestListCommand(a), newRequestShowCommand(a))
}

func newRequestListCommand(a *app) *cobra.Command {
	return newListCommand(a, listing[exchange.Request]{
		noun:  exchange.NounRequest,
		short: "List requests of every department",
		example: `  chancery request list --state open --party census
  chancery request list --since -7d --json`,
		parent: "dataset",
		head:   []string{"REQUEST", "FROM", "TO", "PURPOSE", "USES", "UNTIL", "STATE", "GRANT"},
		row: func(r exchange.Request) []string {
			return []string{r.ID, r.Requester, r.Provider, r.Purpose, fmt.Sprint(r.Uses), clock(r.NotAfter), string(r.State), r.Grant}
		},
	})
}
