package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

const (
	// suggestLimit is how long a shell waits for what the ledger holds.
	suggestLimit = 2 * time.Second
	// suggestions are records that are suggested at most.
	suggestions = 100
)

// suggest finds what may stand in a place of the command line.
type suggest func(ctx context.Context) []string

// complete makes the shell suggest departments, identities, words of closed
// lists, and what the ledger holds, throughout the command line. Where nothing
// can be found, nothing is suggested: a shell has no place for errors.
func (a *app) complete(root *cobra.Command) error {
	flags := map[string]suggest{
		"department": a.departmentNames, "party": a.departmentNames, "requester": a.departmentNames,
		"from": a.departmentNames, "to": a.departmentNames, "as": a.identityNames,
		"role": oneOf(exchange.Roles), "action": oneOf([]exchange.Action{exchange.Read, exchange.Compute}),
		"object": a.ids(exchange.NounObject, ""), "dataset": a.ids(exchange.NounDataset, ""), "job": a.ids(exchange.NounJob, ""),
	}
	arguments := map[string]suggest{
		"DATASET": a.datasetNames, "OBJECT|DATASET": a.datasetNames, "DEPARTMENT": a.departmentNames,
		"OBJECT": a.ids(exchange.NounObject, ""), "GRANT": a.ids(exchange.NounGrant, string(exchange.GrantGiven)),
		"REQUEST": a.ids(exchange.NounRequest, string(exchange.RequestOpen)), "OFFICER": a.identityNames, "KEY": a.keyNames,
		"KEYRING": a.keyringNames, "JOB": a.ids(exchange.NounJob, ""),
	}
	return a.completeVerbs(root, flags, arguments)
}

func (a *app) completeVerbs(cmd *cobra.Command, flags, arguments map[string]suggest) error {
	var errs []error
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		find := flags[f.Name]
		if f.Name == "state" {
			find = oneOf(filterStates(exchange.Noun(cmd.Parent().Name())))
		}
		if find != nil {
			errs = append(errs, cmd.RegisterFlagCompletionFunc(f.Name, a.completing(find)))
		}
	})
	if !cmd.HasParent() {
		for _, name := range everywhere {
			if find := flags[name]; find != nil {
				errs = append(errs, cmd.RegisterFlagCompletionFunc(name, a.completing(find)))
			}
		}
	}
	if _, argument, found := strings.Cut(cmd.Use, " "); found && arguments[strings.Trim(argument, "[]")] != nil {
		find := a.completing(arguments[strings.Trim(argument, "[]")])
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return find(cmd, args, word)
		}
	}
	for _, c := range cmd.Commands() {
		errs = append(errs, a.completeVerbs(c, flags, arguments))
	}
	return errors.Join(errs...)
}

// completing settles the settings first, which a shell does not.
func (a *app) completing(find suggest) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		if a.settle() != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), suggestLimit)
		defer cancel()
		return find(ctx), cobra.ShellCompDirectiveNoFileComp
	}
}

func oneOf[T ~string](list []T) suggest {
	return func(context.Context) []string {
		all := make([]string, len(list))
		for i, w := range list {
			all[i] = string(w)
		}
		return all
	}
}

// statesOf are the states of a noun's records, sorted.
func statesOf(noun exchange.Noun) (states []string) {
	for _, row := range exchange.Transitions {
		if row.Noun == noun {
			states = append(append(states, row.From...), row.To)
		}
	}
	slices.Sort(states)
	return slices.DeleteFunc(slices.Compact(states), func(s string) bool { return s == exchange.Absent })
}

func (a *app) departmentNames(context.Context) []string {
	names, _ := a.departments()
	return names
}

func (a *app) identityNames(context.Context) []string {
	profile, err := a.anyProfile()
	if err != nil {
		return nil
	}
	names, _ := identities(profile)
	return names
}

func (a *app) keyNames(context.Context) []string {
	profile, err := a.anyProfile()
	if err != nil {
		return nil
	}
	names, _ := allKeys(profile)
	return names
}

// datasetNames are the datasets in the catalogue, as OWNER/NAME.
func (a *app) datasetNames(ctx context.Context) []string {
	return suggested(ctx, a, exchange.NounDataset, string(exchange.Registered), func(d exchange.Dataset) string { return d.Owner + "/" + d.Name })
}

// keyringNames are the keyrings that new jobs may use, as KEYHOLDER/NAME.
func (a *app) keyringNames(ctx context.Context) []string {
	return suggested(ctx, a, exchange.NounKeyring, string(exchange.KeyringActive), keyringName)
}

// ids are those of a noun's records in a state, or in any.
func (a *app) ids(noun exchange.Noun, state string) suggest {
	return func(ctx context.Context) []string {
		return suggested(ctx, a, noun, state, func(r struct {
			ID string `json:"id"`
		}) string {
			return r.ID
		})
	}
}

// suggested are the first records of a noun, each by its name.
func suggested[T any](ctx context.Context, a *app, noun exchange.Noun, state string, name func(T) string) (found []string) {
	_ = a.read(ctx, func(ctx context.Context, client *ledger.Client) error {
		raws, _, err := records(ctx, client, exchange.Query{Noun: noun, State: state}, suggestions)
		if err != nil {
			return err
		}
		all, err := decodeAll[T](noun, raws)
		for _, r := range all {
			found = append(found, name(r))
		}
		return err
	})
	return found
}
