package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/compose/native"
)

func newEnvCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print the environment in which Fabric's own peer command works",
		Long: `Print export lines for Fabric's peer command to speak to the department's peer
as one of its identities, with the peer command itself first on the path.`,
		Example: `  eval "$(chancery env -d census --as officer)"
  peer chaincode query -C chancery -n chancery -c '{"Args":["List","{\"noun\":\"dataset\"}"]}'`,
		Args: takes(),
		RunE: func(*cobra.Command, []string) error { return runEnv(a) },
	}
}

func runEnv(a *app) error {
	network, err := native.Open(a.data)
	if err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	if _, err := a.identity(profile, exchange.Officer); err != nil {
		return err
	}
	env, err := network.PeerEnv(profile.Department, a.identityName(exchange.Officer))
	if err != nil {
		return err
	}
	values := make(map[string]string, len(env)+1)
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	values["PATH"] = filepath.Dir(network.PeerPath())
	return a.result(values, func(w io.Writer) {
		for _, entry := range env {
			name, value, _ := strings.Cut(entry, "=")
			fmt.Fprintf(w, "export %s=%s\n", name, quote(value))
		}
		fmt.Fprintf(w, "export PATH=%s:\"$PATH\"\n", quote(values["PATH"]))
	})
}

// quote makes one word of the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
