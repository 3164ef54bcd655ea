package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
)

func newGrantCommand(a *app) *cobra.Command {
	return newNoun("grant", "Decide on a request, and use what was decided",
		newGrantGiveCommand(a), newGrantRefuseCommand(a), newGrantRevokeCommand(a), newGrantRedeemCommand(a),
		newGrantListCommand(a), newGrantShowCommand(a))
}

func newGrantListCommand(a *app) *cobra.Command {
	return newListCommand(a, listing[exchange.Grant]{
		noun:  exchange.NounGrant,
		short: "List grants of every department",
		example: `  chancery grant list --party health
  chancery grant list --state revoked --json`,
		parent: "dataset",
		head:   []string{"GRANT", "FROM", "TO", "PURPOSE", "USES", "FROM TIME", "UNTIL", "STATE"},
		row: func(g exchange.Grant) []string {
			return []string{g.ID, g.Owner, g.Grantee, g.Purpose, fmt.Sprint(g.MaxUses), clock(g.NotBefore), clock(g.NotAfter), string(g.State)}
		},
	})
}
