package main

import (
	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
)

func newOfficerCommand(a *app) *cobra.Command {
	return newNoun("officer", "Who may sign for a department, and as what",
		newOfficerEnrolCommand(a), newOfficerSuspendCommand(a), newOfficerReinstateCommand(a), newOfficerListCommand(a))
}

func newOfficerListCommand(a *app) *cobra.Command {
	return newListCommand(a, listing[exchange.OfficerRecord]{
		noun:    exchange.NounOfficer,
		short:   "List the certificates that may sign for each department",
		example: `  chancery officer list --party census`,
		head:    []string{"DEPARTMENT", "NAME", "ROLE", "STATUS", "SINCE", "ENROLLED BY", "ID"},
		row: func(o exchange.OfficerRecord) []string {
			return []string{o.Department, o.Name, string(o.Role), string(o.Status), clock(o.Since), signer(o.Change), o.ID}
		},
	})
}
