package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"chancery/events/bus"
)

// DeadListOptions are those of the verb that lists dead letters.
type DeadListOptions struct {
	Worker string
	Open   bool
}

func newDeadListCommand(a *app) *cobra.Command {
	var opts DeadListOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the department's dead letters",
		Long: `List the department's dead letters: messages that a worker could not handle, in
the order in which it gave them up, with the reason; and messages that the bus
itself gave up on, because somebody told it to.`,
		Example: `  chancery dead list -d census
  chancery dead list -d census --worker release --open --json`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDeadList(cmd.Context(), a, opts)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&opts.Worker, "worker", "", "only those of this worker")
	cmd.Flags().BoolVar(&opts.Open, "open", false, "only those that were not retried")
	return cmd
}

// readDead uses the bus of the department to act as, as one who only reads.
func (a *app) readDead(ctx context.Context, use func(*bus.Conn) error) error {
	profile, err := a.profile()
	if err != nil {
		return err
	}
	conn, err := a.bus(ctx, profile, bus.UserDashboard)
	if err != nil {
		return err
	}
	defer conn.Close()
	return use(conn)
}

func runDeadList(ctx context.Context, a *app, opts DeadListOptions) error {
	a.adopt(ctx)
	list := []letter{}
	err := a.readDead(ctx, func(conn *bus.Conn) error {
		return a.readLetters(ctx, conn, 0, func(l letter) error {
			if (opts.Worker != "" && l.Worker != opts.Worker) || (opts.Open && l.Retried != nil) {
				return nil
			}
			l.Header, l.Body = nil, nil // shown one by one
			list = append(list, l)
			return nil
		})
	})
	if err != nil {
		return err
	}
	return a.result(list, func(w io.Writer) {
		t := newTable("ID", "TIME", "WORKER", "ATTEMPTS", "ORIGIN", "STATE", "REASON")
		for _, l := range list {
			t.add(fmt.Sprint(l.ID), clock(l.Time), l.Worker, fmt.Sprint(l.Attempts), l.origin(), l.state(), oneLine(l.Reason))
		}
		t.write(w)
	})
}

// oneLine fits a reason into a table.
func oneLine(s string) string {
	const most = 80
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

func newDeadShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show a dead letter with the message inside",
		Long:    "Show a dead letter: why it was given up, where its message stands, and the message's\nheader and body as far as the letter holds them.",
		Example: `  chancery dead show 12 -d census`,
		Args:    takes("an ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDeadShow(cmd.Context(), a, args)
		},
	}
}

func runDeadShow(ctx context.Context, a *app, args []string) error {
	ids, err := letterNumbers(args)
	if err != nil {
		return err
	}
	return a.readDead(ctx, func(conn *bus.Conn) error {
		l, err := a.letterAt(ctx, conn, ids[0])
		if err != nil {
			return err
		}
		return a.result(l, l.write)
	})
}

func (l letter) write(w io.Writer) {
	var f fields
	f.add("id", "%d", l.ID)
	f.add("time", "%s", clock(l.Time))
	f.add("worker", "%s", l.Worker)
	f.add("consumer", "%s", l.Consumer)
	f.add("attempts", "%d", l.Attempts)
	f.add("reason", "%s", oneLine(l.Reason))
	f.add("state", "%s", l.state())
	if l.Retried != nil {
		f.add("retried", "%s", clock(*l.Retried))
	}
	if l.RetryOf > 0 {
		f.add("retry of", "%d", l.RetryOf)
	}
	f.add("origin", "%s", l.origin())
	f.add("subject", "%s", l.Subject)
	for _, name := range slices.Sorted(maps.Keys(l.Header)) {
		f.add(name, "%s", strings.Join(l.Header[name], ", "))
	}
	f.add("body", "%d bytes", l.Size)
	f.write(w)
	if utf8.Valid(l.Body) {
		fmt.Fprintf(w, "\n%s\n", l.Body)
	} else {
		fmt.Fprintf(w, "\n%q\n", l.Body)
	}
	if l.Cut() {
		fmt.Fprintf(w, "(the first %d bytes)\n", len(l.Body))
	}
}
