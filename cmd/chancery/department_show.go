package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

func newDepartmentShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "show DEPARTMENT",
		Short:   "Show a department and the recipient that keys are wrapped for",
		Example: `  chancery department show census`,
		Args:    takes("a DEPARTMENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDepartmentShow(cmd.Context(), a, args[0])
		},
	}
}

func runDepartmentShow(ctx context.Context, a *app, name string) error {
	if !exchange.ValidName(name) {
		return usagef("%q is not the name of a department", name)
	}
	var d exchange.Department
	err := a.read(ctx, func(ctx context.Context, client *ledger.Client) error {
		return client.Get(ctx, exchange.NounDepartment, name, &d)
	})
	if err != nil {
		return err
	}
	return a.result(d, func(w io.Writer) {
		var f fields
		f.add("department", "%s", d.Name)
		f.add("title", "%s", d.Title)
		f.add("msp", "%s", d.MSP)
		f.add("status", "%s", d.Status)
		f.add("fingerprint", "%s", exchange.RecipientFingerprint(d.Recipient))
		f.add("recipient", "%s", d.Recipient)
		f.add("registered", "%s", clock(d.Since))
		addChange(&f, d.Change)
		f.write(w)
	})
}
