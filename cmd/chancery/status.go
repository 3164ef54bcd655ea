package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chancery/compose/native"
)

func newStatusCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show every process of the network and every worker, and what is wrong",
		Long: `Show every process of the network with its memory, its processor time and the
cores that it keeps busy while it is watched, the height of every department's
ledger, and of every worker, by its own figures, how many messages wait for it
and for how long. A network that does not run, a part of it, or a worker that
does not do its work, is exit code 7.`,
		Example: `  chancery status
  chancery status --json | jq .total.residentBytes`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runStatus(cmd.Context(), a)
		},
	}
}

// measured is how long the parts are watched.
const measured = time.Second

func runStatus(ctx context.Context, a *app) error {
	seen, err := native.Status(ctx, a.data)
	if err != nil {
		return err
	}
	report := statusReport{Report: seen, Workers: []workerStatus{}}
	if report.Running {
		measure := func() error { return report.Measure(ctx, measured) }
		if err := a.watchWorkers(ctx, &report, measure); err != nil {
			return err
		}
	}
	err = a.result(report, func(w io.Writer) {
		writeReport(w, report.Report)
		writeWorkers(w, report.Workers)
	})
	if err != nil {
		return err
	}
	switch {
	case !report.Running:
		return faultf(errUnreachable, "no network runs from %s: start it with `chancery up`", report.DataDir)
	case !report.Healthy():
		return faultf(errUnreachable, "not healthy: %s", strings.Join(report.Problems, "; "))
	}
	return nil
}

func writeReport(w io.Writer, r native.Report) {
	if !r.Running {
		return
	}
	cores := func(n float64) string {
		if r.MeasuredSeconds == 0 {
			return ""
		}
		return fmt.Sprintf("%.2f", n)
	}
	t := newTable("PART", "STATE", "PID", "ADDRESS", "UPTIME", "RESTARTS", "MEMORY", "CPU", "CORES BUSY")
	for _, p := range slices.SortedFunc(slices.Values(r.Parts), byName) {
		t.add(p.Name, p.State, fmt.Sprint(p.PID), p.Address, seconds(p.UptimeSeconds), fmt.Sprint(p.Restarts),
			size(p.ResidentBytes), cpu(p.CPUSeconds), cores(p.Cores))
	}
	t.add("total", fmt.Sprintf("%d of %d", r.Total.Running, r.Total.Parts), "", "", "", fmt.Sprint(r.Total.Restarts),
		size(r.Total.ResidentBytes), cpu(r.Total.CPUSeconds), cores(r.Total.Cores))
	t.write(w)
	heights := make([]string, 0, len(r.Heights))
	for _, name := range slices.Sorted(maps.Keys(r.Heights)) {
		heights = append(heights, fmt.Sprintf("%s %d", name, r.Heights[name]))
	}
	fmt.Fprintf(w, "blocks: %s\n", strings.Join(heights, ", "))
}

// byName puts parts of no department first, then each department's together.
func byName(a, b native.PartStatus) int {
	return cmp.Or(cmp.Compare(a.Department, b.Department), cmp.Compare(a.Name, b.Name))
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(time.Second).String()
}

func cpu(s float64) string { return fmt.Sprintf("%.1f s", s) }
