package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chancery/compose/native"
	"chancery/workers"
)

// departments of every network here.
var departments = []string{"census", "health", "labor"}

// network is one that the binary runs from a directory.
type network struct{ dir string }

// newNetwork names a network that is still to be started.
func newNetwork(t *testing.T, name string) network {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a real network: left out by -short")
	}
	return network{filepath.Join(root, name)}
}

var startShared sync.Once

// shared is the network of all tests that leave it as they found it, running
// and healthy.
func shared(t *testing.T) network {
	t.Helper()
	n := newNetwork(t, "shared")
	startShared.Do(func() { n.up(t) })
	if _, err := os.Stat(filepath.Join(n.dir, native.StateName)); err != nil {
		t.Fatal("the shared network did not start")
	}
	return n
}

// up starts the network in the background and returns when it is healthy.
func (n network) up(t *testing.T) {
	t.Helper()
	n.must(t, "up", "--detach")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs are in %s", filepath.Join(n.dir, "logs"))
		}
	})
}

// answer is what a command said.
type answer struct {
	code           int
	stdout, stderr string
}

func (a answer) String() string {
	return fmt.Sprintf("exit %d\nstdout: %s\nstderr: %s", a.code, a.stdout, a.stderr)
}

// commandLimit bounds one command: a start with everything to build is the
// longest.
const commandLimit = 8 * time.Minute

// command prepares the binary with arguments, the network's directory added.
func (n network) command(ctx context.Context, t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, file, append(args, "--data", n.dir)...)
	cmd.Dir = root
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "CHANCERY_") })
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// run runs the binary.
func (n network) run(t *testing.T, args ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandLimit)
	defer cancel()
	cmd := n.command(ctx, t, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatalf("chancery %s: %v", strings.Join(args, " "), err)
	}
	return answer{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// must runs the binary, which has to succeed.
func (n network) must(t *testing.T, args ...string) answer {
	t.Helper()
	a := n.run(t, args...)
	if a.code != 0 {
		t.Fatalf("chancery %s: %s", strings.Join(args, " "), a)
	}
	return a
}

// fails runs the binary, which has to end with a code and an error that holds
// every word.
func (n network) fails(t *testing.T, code int, words []string, args ...string) {
	t.Helper()
	a := n.run(t, args...)
	if a.code != code {
		t.Errorf("chancery %s: want exit %d: %s", strings.Join(args, " "), code, a)
	}
	for _, word := range words {
		if !strings.Contains(a.stderr, word) {
			t.Errorf("chancery %s: no word of %q: %s", strings.Join(args, " "), word, a)
		}
	}
}

// ask runs a verb with --json and reads its result.
func ask[T any](t *testing.T, n network, args ...string) T {
	t.Helper()
	a := n.must(t, append(args, "--json")...)
	var v T
	if err := json.Unmarshal([]byte(a.stdout), &v); err != nil {
		t.Fatalf("chancery %s: %v: %s", strings.Join(args, " "), err, a)
	}
	return v
}

// profile is how to reach a department's parts.
func (n network) profile(t *testing.T, department string) workers.Profile {
	t.Helper()
	p, err := workers.LoadProfile(filepath.Join(n.dir, department))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// status is how the network is.
func (n network) status(t *testing.T) native.Report {
	t.Helper()
	report, err := native.Status(t.Context(), n.dir)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// part finds a process of the network.
func (n network) part(t *testing.T, name string) native.PartStatus {
	t.Helper()
	report := n.status(t)
	i := slices.IndexFunc(report.Parts, func(p native.PartStatus) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no part %s in %+v", name, report)
	}
	return report.Parts[i]
}

// signal sends a signal to a part's process.
func (n network) signal(t *testing.T, part string, s syscall.Signal) {
	t.Helper()
	pid := n.part(t, part).PID
	if pid <= 0 {
		t.Fatalf("%s has no process", part)
	}
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatalf("%s to %s: %v", s, part, err)
	}
}

// kill ends the processes of parts, all at once, and waits until new ones do
// their work.
func (n network) kill(t *testing.T, parts ...string) {
	t.Helper()
	before := map[string]int{}
	for _, name := range parts {
		before[name] = n.part(t, name).Restarts
	}
	for _, name := range parts {
		n.signal(t, name, syscall.SIGKILL)
	}
	await(t, fmt.Sprintf("restart of %v", parts), func() error {
		for _, name := range parts {
			if n.part(t, name).Restarts == before[name] {
				return fmt.Errorf("%s: %w", name, errNotYet)
			}
		}
		return n.healthy(t)
	})
}

func (n network) healthy(t *testing.T) error {
	t.Helper()
	if report := n.status(t); !report.Healthy() {
		return fmt.Errorf("not healthy: %v", report.Problems)
	}
	return nil
}

// awaitHealthy waits until every part does its work.
func (n network) awaitHealthy(t *testing.T) {
	t.Helper()
	await(t, "health", func() error { return n.healthy(t) })
}
