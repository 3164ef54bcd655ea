package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"chancery/compose/native"
	"chancery/workers"
)

func newRunCommand(a *app) *cobra.Command {
	names := strings.Join(workerNames(), ", ")
	cmd := &cobra.Command{
		Use:   "run [WORKER…]",
		Short: "Run a department's workers",
		Long: `Run workers of a department until told to stop: all of them, or those named.
Stopped, they fetch no more, finish what they have begun, and hand back the rest.

Workers: ` + names + `.

Log lines, one JSON object each, go to standard error. Figures for Prometheus are
served over HTTP on loopback, at /metrics; /readyz says whether every worker
runs. The first log line tells the address.`,
		Example: `  chancery run -d census
  chancery run -d census encrypt pin`,
		ValidArgs: workerNames(),
		Args: func(_ *cobra.Command, args []string) error {
			for i, name := range args {
				if !slices.Contains(workerNames(), name) {
					return usagef("there is no worker %q: use %s", name, names)
				}
				if slices.Contains(args[:i], name) {
					return usagef("worker %s is named twice", name)
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = workerNames()
			}
			return runRun(cmd.Context(), a, args)
		},
	}
	a.addSettings(cmd, "metrics-port")
	return cmd
}

func runRun(ctx context.Context, a *app, names []string) error {
	profile, err := a.profile()
	if err != nil {
		return err
	}
	ctx = a.logger().With().Str("department", profile.Department).Logger().WithContext(ctx)
	metrics := workers.NewMetrics(profile.Department)
	stop, err := a.serveMetrics(ctx, profile, metrics)
	if err != nil {
		return err
	}
	defer stop()
	staff, err := a.hire(ctx, profile, names, metrics)
	if err != nil {
		return err
	}
	defer staff.close()
	if err := native.AnnounceReady(); err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	return workers.Run(ctx, workers.Config{Department: profile.Department, Metrics: metrics}, staff.workers)
}
