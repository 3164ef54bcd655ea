package main

import (
	"context"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
)

// DatasetCertifyOptions say what the officer vouches for.
type DatasetCertifyOptions struct {
	Command   string
	Statement string
}

func newDatasetCertifyCommand(a *app) *cobra.Command {
	var opts DatasetCertifyOptions
	cmd := &cobra.Command{
		Use:   "certify OBJECT|DATASET",
		Short: "Put an officer's word for a version on record",
		Long: `Certify a version of a dataset of the department, with a statement of what is
vouched for, signed by an officer: of a DATASET the newest version. A dataset's
terms can demand it before a version is redeemed (dataset terms --certified). It
is said once for a version and cannot be taken back.`,
		Example: `  chancery dataset certify o-4xw7cqk2yqv7rdzv5m6ud2kq3e -d census --statement "Checked against the register of 1 March"
  chancery dataset certify census/population -d census --statement "Final figures"`,
		Args: takes("an OBJECT or a DATASET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "statement"); err != nil {
				return err
			}
			return runDatasetCertify(cmd.Context(), a, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Statement, "statement", "", "what the officer vouches for")
	addCommandFlag(cmd, &opts.Command)
	return cmd
}

func runDatasetCertify(ctx context.Context, a *app, ref string, opts DatasetCertifyOptions) error {
	body := &exchange.CertifyObject{Object: ref, Statement: opts.Statement}
	if !exchange.ValidID(exchange.NounObject, ref) {
		if err := checkDataset(ref); err != nil {
			return err
		}
		d, err := a.dataset(ctx, ref)
		if err != nil {
			return err
		}
		if d.Latest == "" {
			return faultf(errNotFound, "%s/%s has no version yet", d.Owner, d.Name)
		}
		a.say("the newest version of %s/%s is %s, version %d", d.Owner, d.Name, d.Latest, d.Versions)
		body.Object = d.Latest
	}
	return a.invoke(ctx, exchange.Officer, opts.Command, exchange.OpObjectCertify, body)
}
