package main

import (
	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
)

func newDepartmentCommand(a *app) *cobra.Command {
	return newNoun("department", "The departments on the channel",
		newDepartmentRegisterCommand(a), newDepartmentSuspendCommand(a), newDepartmentReinstateCommand(a),
		newDepartmentListCommand(a), newDepartmentShowCommand(a))
}

func newDepartmentListCommand(a *app) *cobra.Command {
	return newListCommand(a, listing[exchange.Department]{
		noun:    exchange.NounDepartment,
		short:   "List the departments on the channel",
		example: `  chancery department list`,
		head:    []string{"DEPARTMENT", "TITLE", "MSP", "STATUS", "SINCE"},
		row: func(d exchange.Department) []string {
			return []string{d.Name, d.Title, d.MSP, string(d.Status), clock(d.Since)}
		},
	})
}
