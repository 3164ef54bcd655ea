package main

import (
	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
)

// EndOptions are those of the verbs that end something with a reason.
type EndOptions struct {
	Command string
	Reason  string
}

func addEndFlags(cmd *cobra.Command, opts *EndOptions) {
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&opts.Reason, "reason", "", "why, for the record")
	addCommandFlag(cmd, &opts.Command)
}

func newGrantRefuseCommand(a *app) *cobra.Command {
	var opts EndOptions
	cmd := &cobra.Command{
		Use:     "refuse REQUEST",
		Short:   "Refuse an open request",
		Long:    "Refuse an open request to the department, with a reason, signed by an officer.",
		Example: `  chancery grant refuse r-t3ys2vkk5gkmllm5ffxlqr6b5q -d census --reason "No legal basis named"`,
		Args:    takes("a REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "reason"); err != nil {
				return err
			}
			body := &exchange.EndRequest{Request: args[0], Reason: opts.Reason}
			return a.invoke(cmd.Context(), exchange.Officer, commandID(opts.Command), exchange.OpRequestRefuse, body)
		},
	}
	addEndFlags(cmd, &opts)
	return cmd
}

func newGrantRevokeCommand(a *app) *cobra.Command {
	var opts EndOptions
	cmd := &cobra.Command{
		Use:   "revoke GRANT",
		Short: "Revoke a grant that the department gave",
		Long: `Revoke a grant that the department gave, with a reason, signed by an officer.

It stops every release that has not happened yet. A key once released cannot be
recalled.`,
		Example: `  chancery grant revoke g-4xw7cqk2yqv7rdzv5m6ud2kq3e -d census --reason "Project ended"`,
		Args:    takes("a GRANT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "reason"); err != nil {
				return err
			}
			body := &exchange.RevokeGrant{Grant: args[0], Reason: opts.Reason}
			return a.invoke(cmd.Context(), exchange.Officer, commandID(opts.Command), exchange.OpGrantRevoke, body)
		},
	}
	addEndFlags(cmd, &opts)
	return cmd
}
