package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// newBenchAttachedCommand runs another verb for as long as somebody holds the
// other end of its standard input, so that no server of a benchmark outlives it.
func newBenchAttachedCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:                "attached VERB…",
		Short:              "Run a verb until standard input ends",
		Example:            `  chancery bench attached serve bus --config bus.json`,
		Hidden:             true,
		DisableFlagParsing: true,
		Args:               cobra.ArbitraryArgs, // the verb checks its own
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := context.WithCancel(cmd.Context())
			defer stop()
			go func() {
				io.Copy(io.Discard, a.in) //nolint:errcheck // its end is the sign, whatever ends it
				stop()
			}()
			inner := newApp(strings.NewReader(""), a.out, a.err, a.lookup)
			code := execute(ctx, inner, append([]string{"chancery"}, args...))
			if code != exitOK && ctx.Err() == nil {
				return &startError{log: "its output", code: code}
			}
			return nil
		},
	}
}

// child is a process of ours that runs one verb.
type child struct {
	*exec.Cmd
	life io.WriteCloser
}

// startChild starts this program once more with a verb. What it says goes to
// out.
func startChild(out *os.File, verb ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("own program: %w", err)
	}
	c := &child{Cmd: exec.Command(self, append([]string{"bench", "attached"}, verb...)...)}
	c.Stdout, c.Stderr = out, out
	if c.life, err = c.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", strings.Join(verb, " "), err)
	}
	return c, nil
}

// childGrace is how long a process may take to end.
const childGrace = 20 * time.Second

// Close ends the process and waits until it has ended. However it ends, it was
// told to.
func (c *child) Close() error {
	c.life.Close()
	ended := make(chan struct{})
	go func() {
		c.Wait() //nolint:errcheck // see above
		close(ended)
	}()
	limit := time.NewTimer(childGrace)
	defer limit.Stop()
	select {
	case <-ended:
	case <-limit.C:
		c.Process.Kill()
		<-ended
	}
	return nil
}

// openChildLog opens the file that a child writes to.
func openChildLog(file string) (*os.File, error) {
	return os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}

// poll asks until the answer is yes, an error, or the context's end.
func poll(ctx context.Context, every time.Duration, ask func() (bool, error)) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
