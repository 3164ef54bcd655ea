package main

import (
	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
)

func newDepartmentSuspendCommand(a *app) *cobra.Command {
	var opts EndOptions
	cmd := &cobra.Command{
		Use:   "suspend",
		Short: "Stop everything that the department may sign",
		Long: `Suspend the department of --department, signed by its own admin: nobody of it can
sign anything, its workers included, and nobody can give it a grant, until its
admin reinstates it. No other department can do that to it.`,
		Example: `  chancery department suspend -d labor --reason "Keys may be lost"`,
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDepartmentChange(cmd, a, exchange.OpDepartmentSuspend, opts)
		},
	}
	addEndFlags(cmd, &opts)
	return cmd
}

func newDepartmentReinstateCommand(a *app) *cobra.Command {
	var opts EndOptions
	cmd := &cobra.Command{
		Use:     "reinstate",
		Short:   "End the suspension of the department",
		Example: `  chancery department reinstate -d labor --reason "Keys found"`,
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDepartmentChange(cmd, a, exchange.OpDepartmentReinstate, opts)
		},
	}
	addEndFlags(cmd, &opts)
	return cmd
}

func runDepartmentChange(cmd *cobra.Command, a *app, op exchange.Op, opts EndOptions) error {
	if err := needFlags(cmd, "reason"); err != nil {
		return err
	}
	if err := exchange.CheckReason(opts.Reason); err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	body := &exchange.ChangeDepartment{Name: profile.Department, Reason: opts.Reason}
	return a.invoke(cmd.Context(), exchange.Admin, opts.Command, op, body)
}
