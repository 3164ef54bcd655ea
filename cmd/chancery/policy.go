package main

import "github.com/spf13/cobra"

func newPolicyCommand(a *app) *cobra.Command {
	return newNoun("policy", "Rules that decide requests", newPolicyTestCommand(a))
}
