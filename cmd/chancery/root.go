package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"chancery/compose/native"
)

const rootHelp = `Chancery lets departments share sealed data: objects on IPFS, every request,
grant, use and verdict on a Hyperledger Fabric ledger, and only the grantee
that redeemed a use receives a key. What may not be shown at all they compute on
while it is encrypted: see chancery job.

Things take a noun and a verb (chancery grant give …); the stack takes bare
verbs (chancery up). Results go to standard output, everything else to standard
error. Every value below may also be set by its CHANCERY_ variable
(CHANCERY_DATA, CHANCERY_DEPARTMENT, …) or by a key of chancery.yaml in the
working directory, or of the file that CHANCERY_CONFIG names: flag before
variable before file before default.

` + exitHelp

// execute runs the command line and returns its exit code.
func execute(ctx context.Context, a *app, args []string) int {
	if step := native.BuilderStep(args[0]); step != "" {
		return a.report(native.RunBuilder(step, args[1:]))
	}
	root, err := newRootCommand(a)
	if err != nil {
		return a.report(err)
	}
	root.SetArgs(args[1:])
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err = root.ExecuteContext(ctx)
	if err != nil && ctx.Err() != nil {
		return exitInterrupted
	}
	return a.report(err)
}

// report prints an error and returns its exit code.
func (a *app) report(err error) int {
	code := exitCode(err)
	switch {
	case code == exitOK || code == exitInterrupted:
	case a.json:
		line, _ := json.Marshal(struct {
			Error string `json:"error"`
			Exit  int    `json:"exit"`
		}{err.Error(), code})
		fmt.Fprintln(a.err, string(line))
	default:
		fmt.Fprintln(a.err, "chancery: "+err.Error())
	}
	return code
}

func newRootCommand(a *app) (*cobra.Command, error) {
	data, err := native.DefaultDataDir()
	if err != nil {
		return nil, err
	}
	root := &cobra.Command{
		Use:           "chancery",
		Short:         "Share sealed data between departments that do not trust one another",
		Long:          rootHelp,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noVerb,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return a.settle()
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w: see %s --help", err, cmd.CommandPath())
	})
	a.known = a.flags(data)
	root.PersistentFlags().SortFlags = false
	for _, name := range everywhere {
		root.PersistentFlags().AddFlag(a.known.Lookup(name))
	}

	root.AddGroup(&cobra.Group{ID: "things", Title: "Things:"}, &cobra.Group{ID: "stack", Title: "The stack:"})
	root.SetHelpCommandGroupID("stack")
	root.CompletionOptions.DisableDefaultCmd = true
	things := []*cobra.Command{
		newDatasetCommand(a), newRequestCommand(a), newGrantCommand(a), newObjectCommand(a),
		newKeyringCommand(a), newJobCommand(a), newResultCommand(a),
		newDepartmentCommand(a), newOfficerCommand(a), newPolicyCommand(a), newKeyCommand(a), newHistoryCommand(a), newWatchCommand(a),
		newLedgerCommand(a), newDeadCommand(a),
	}
	stack := []*cobra.Command{
		newDemoCommand(a), newUpCommand(a), newDownCommand(a), newStatusCommand(a), newRunCommand(a), newServeCommand(a), newBenchCommand(a),
		newConfigCommand(a), newEnvCommand(a), newCompletionCommand(), newVersionCommand(a),
	}
	for _, c := range things {
		c.GroupID = "things"
	}
	for _, c := range stack {
		c.GroupID = "stack"
	}
	root.AddCommand(append(things, stack...)...)
	return root, a.complete(root)
}

// newNoun makes the parent of a noun's verbs.
func newNoun(noun, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   noun,
		Short: short,
		Args:  noVerb,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// noVerb refuses a word that names no verb, and suggests the ones it may mean.
func noVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "see " + cmd.CommandPath() + " --help"
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("%s has no verb %q: %s", cmd.CommandPath(), args[0], hint)
}

// takes names the arguments that a verb takes, all of them needed.
func takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usagef("%s needs %s: see %s --help", cmd.CommandPath(), names[len(args)], cmd.CommandPath())
		case len(args) > len(names):
			return usagef("%s takes no %q: see %s --help", cmd.CommandPath(), args[len(names)], cmd.CommandPath())
		}
		return nil
	}
}

// needFlags refuses to go on without flags that have no default.
func needFlags(cmd *cobra.Command, names ...string) error {
	var errs []error
	for _, name := range names {
		if f := cmd.Flags().Lookup(name); f.Value.String() == "" || f.Value.String() == "[]" {
			errs = append(errs, usagef("%s needs --%s (%s)", cmd.CommandPath(), name, f.Usage))
		}
	}
	return errors.Join(errs...)
}
