package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"chancery/events"
	"chancery/events/bus"
)

func newDeadRetryCommand(a *app) *cobra.Command {
	var opts ChooseOptions
	cmd := &cobra.Command{
		Use:   "retry [ID…]",
		Short: "Have the messages of dead letters handled again",
		Long: `Have the messages of dead letters handled again by the workers that gave them up,
and by no others: those named, or those of a worker, or all that were not retried
yet. Each letter is retried once, however often that is said; if the message
fails again it becomes another letter.`,
		Example: `  chancery dead retry 12 15 -d census
  chancery dead retry --worker release -d census`,
		Args: func(_ *cobra.Command, args []string) error { return opts.check(args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDeadRetry(cmd.Context(), a, opts, args)
		},
	}
	opts.addTo(cmd, "every letter not retried yet")
	return cmd
}

// settledLetter is what became of a letter.
type settledLetter struct {
	ID      uint64 `json:"id"`
	Worker  string `json:"worker"`
	Outcome string `json:"outcome"`
}

// The outcomes.
const (
	letterRetried = "retried"
	letterBefore  = "retried before" // nothing was done
	letterDropped = "dropped"
)

func runDeadRetry(ctx context.Context, a *app, opts ChooseOptions, args []string) error {
	return a.asAdmin(ctx, func(department string, conn *bus.Conn) error {
		list, err := a.choose(ctx, conn, opts, args, func(l letter) bool { return l.Retried == nil })
		if err != nil {
			return err
		}
		return a.settleLetters(list, func(l letter) (string, error) {
			return a.retryLetter(ctx, conn, department, l)
		})
	})
}

// retryLetter puts the retry on the letter's own subject, on which the stream
// holds one: so a second one, also at the same moment, adds nothing.
func (a *app) retryLetter(ctx context.Context, conn *bus.Conn, department string, l letter) (string, error) {
	if l.Retried != nil {
		return letterBefore, nil
	}
	l, err := a.letterAt(ctx, conn, l.ID)
	if err != nil {
		return "", err
	}
	retry, err := events.NewRetry(department, l.ID, l.Failed, time.Now().UTC())
	if err != nil {
		return "", err
	}
	stored, err := conn.PublishOnce(ctx, retry)
	if err != nil {
		return "", err
	}
	if stored.Duplicate {
		return letterBefore, nil
	}
	return letterRetried, nil
}

// settleLetters does something to each letter and prints what became of them,
// also when one of them fails.
func (a *app) settleLetters(list []letter, settle func(letter) (string, error)) error {
	done := []settledLetter{}
	var failed []error
	for _, l := range list {
		outcome, err := settle(l)
		if err != nil {
			failed = append(failed, fmt.Errorf("dead letter %d: %w", l.ID, err))
			if errors.Is(err, context.Canceled) || errors.Is(err, bus.ErrUnreachable) {
				break
			}
			continue
		}
		done = append(done, settledLetter{l.ID, l.Worker, outcome})
	}
	err := a.result(done, func(w io.Writer) {
		t := newTable("ID", "WORKER", "OUTCOME")
		for _, d := range done {
			t.add(fmt.Sprint(d.ID), d.Worker, d.Outcome)
		}
		t.write(w)
	})
	return errors.Join(append(failed, err)...)
}
