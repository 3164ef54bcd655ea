package main

import (
	"github.com/spf13/cobra"
)

// shells are those that completions are written for.
var shells = map[string]func(*cobra.Command) error{
	"bash":       func(root *cobra.Command) error { return root.GenBashCompletionV2(root.OutOrStdout(), true) },
	"zsh":        func(root *cobra.Command) error { return root.GenZshCompletion(root.OutOrStdout()) },
	"fish":       func(root *cobra.Command) error { return root.GenFishCompletion(root.OutOrStdout(), true) },
	"powershell": func(root *cobra.Command) error { return root.GenPowerShellCompletionWithDesc(root.OutOrStdout()) },
}

func newCompletionCommand() *cobra.Command {
	names := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print what makes a shell complete this command",
		Long: `Print a script that makes bash, zsh, fish or powershell complete verbs, flags,
departments, identities, and, where the ledger is there, datasets and ids.`,
		Example: `  source <(chancery completion bash)
  chancery completion fish > ~/.config/fish/completions/chancery.fish`,
		ValidArgs: names,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := takes("a SHELL")(cmd, args); err != nil {
				return err
			}
			if shells[args[0]] == nil {
				return usagef("%q is no shell that completions are written for: use %s", args[0], joined(names))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return shells[args[0]](cmd.Root()) },
	}
}
