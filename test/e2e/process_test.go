package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	pollEvery = 50 * time.Millisecond
	// patience bounds every wait for the network; it is far more than the wait
	// takes on a machine with nothing else to do.
	patience = 90 * time.Second
)

// poll asks until the answer is nil, or returns the last one when the limit is
// over.
func poll(limit time.Duration, ask func() error) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("after %s: %w", limit, err)
		}
	}
}

// await polls within the test's patience.
func await(t *testing.T, what string, ask func() error) {
	t.Helper()
	if err := poll(patience, ask); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// process is a running process.
type process struct {
	pid  int
	name string
}

func (p process) String() string { return fmt.Sprintf("%s (%d)", p.name, p.pid) }

// processesOf finds the processes that a directory concerns: by its command
// line, its working directory or its environment, since not every program of
// the network takes its directory as an argument.
func processesOf(dir string) []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return []process{{0, err.Error()}} // as good as a process that cannot be found: nobody may call it clean
	}
	var found []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() || !concerns(entry.Name(), dir) {
			continue
		}
		name, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		found = append(found, process{pid, strings.TrimSpace(string(bytes.ReplaceAll(name, []byte{0}, []byte{' '})))})
	}
	return found
}

func concerns(pid, dir string) bool {
	at := filepath.Join("/proc", pid)
	if status, err := os.ReadFile(filepath.Join(at, "stat")); err != nil || bytes.Contains(status, []byte(") Z ")) {
		return false // gone, or dead and not yet waited for
	}
	if cwd, err := os.Readlink(filepath.Join(at, "cwd")); err == nil && strings.HasPrefix(cwd, dir) {
		return true
	}
	for _, file := range []string{"cmdline", "environ"} {
		if text, err := os.ReadFile(filepath.Join(at, file)); err == nil && bytes.Contains(text, []byte(dir)) {
			return true
		}
	}
	return false
}

// leavesNothing waits until no process of the directory is left.
func leavesNothing(t *testing.T, dir string, within time.Duration) {
	t.Helper()
	err := poll(within, func() error {
		if left := processesOf(dir); len(left) > 0 {
			return fmt.Errorf("%d processes left: %v", len(left), left)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

var errNotYet = errors.New("not yet")
