package main

import (
	"context"
	"errors"
	"io"
	"time"

	"fmt"
	"github.com/spf13/cobra"

	"chancery/compose/native"
)

// downLimit is how long the parts may take to stop before they are killed.
const downLimit = time.Minute

func newDownCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Stop the network; its ledger and files stay",
		Example: `  chancery down
  chancery down --data /tmp/exchange`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDown(cmd.Context(), a)
		},
	}
}

// runDown stops the network; one that does not run is stopped already.
func runDown(ctx context.Context, a *app) error {
	if _, err := native.Open(a.data); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, downLimit)
	defer cancel()
	err := native.Down(limited, a.data)
	if err != nil && !errors.Is(err, native.ErrNotRunning) {
		return err
	}
	stopped := struct {
		DataDir string `json:"dataDir"`
		Stopped bool   `json:"stopped"` // it ran until now
	}{a.data, err == nil}
	return a.result(stopped, func(w io.Writer) {
		if stopped.Stopped {
			fmt.Fprintln(w, "stopped the network at", a.data)
			return
		}
		fmt.Fprintln(w, "no network runs from", a.data)
	})
}
