package native

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// shellPart runs a script of sh(1) that is ready once it makes the file ready
// in dir.
func shellPart(dir, script string) Part {
	ready := filepath.Join(dir, "ready")
	return Part{
		Name: "part", Role: roleWorkers, Path: "/bin/sh", Args: []string{"-c", script}, Dir: dir,
		Grace: limit, ReadyFile: ready,
		Ready: func(context.Context) error {
			_, err := os.Stat(ready)
			return err
		},
	}
}

// newTestKeeper keeps part and collects the states that it goes through.
func newTestKeeper(t *testing.T, part Part) (k *keeper, states func() string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	k = newKeeper(part, t.TempDir(), newNarrator(testOutput{t}), func(s PartStatus) {
		mu.Lock()
		defer mu.Unlock()
		if len(seen) == 0 || seen[len(seen)-1] != s.State {
			seen = append(seen, s.State)
		}
	})
	return k, func() string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(seen, " ")
	}
}

const announceAndStay = `touch ready; trap 'echo stopped >> log; exit 0' TERM; while :; do sleep 0.05; done`

func TestKeeperStartsAgainWhatEnds(t *testing.T) {
	dir := t.TempDir()
	k, states := newTestKeeper(t, shellPart(dir, announceAndStay))
	if err := k.launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := k.current().PID
	syscall.Kill(first, syscall.SIGKILL)
	wait(t, limit, func(context.Context) error {
		if s := k.current(); s.State != stateRunning || s.PID == first || s.Restarts != 1 {
			return fmt.Errorf("status %+v", s)
		}
		return nil
	})
	k.restart()
	wait(t, limit, func(context.Context) error {
		if s := k.current(); s.State != stateRunning || s.Restarts != 2 {
			return fmt.Errorf("status %+v", s)
		}
		return nil
	})
	k.stop()
	k.stop() // a second stop is no matter
	if s := k.current(); s.State != stateStopped || s.PID != 0 {
		t.Errorf("status %+v", s)
	}
	if got, want := states(), "starting running failed starting running starting running stopped"; got != want {
		t.Errorf("states %q, want %q", got, want)
	}
	if log, err := os.ReadFile(filepath.Join(dir, "log")); err != nil || string(log) != "stopped\nstopped\n" {
		t.Errorf("the part wrote %q (%v), want one line for each time it was asked to end", log, err)
	}
}

func TestKeeperQuotesTheLogOfAPartThatDoesNotStart(t *testing.T) {
	k, _ := newTestKeeper(t, shellPart(t.TempDir(), "echo no space left on device; exit 3"))
	err := k.launch(t.Context())
	k.stop()
	for _, want := range []string{"part ended while starting", "exit status 3", "no space left on device"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestKeeperReportsAMissingProgram(t *testing.T) {
	part := shellPart(t.TempDir(), "")
	part.Path = filepath.Join(part.Dir, "nothing")
	k, _ := newTestKeeper(t, part)
	err := k.launch(t.Context())
	k.stop()
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("error %v", err)
	}
}

func TestKeeperKillsAPartThatDoesNotEnd(t *testing.T) {
	part := shellPart(t.TempDir(), `trap '' TERM; touch ready; while :; do sleep 0.05; done`)
	part.Grace = 100 * time.Millisecond
	k, _ := newTestKeeper(t, part)
	if err := k.launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid := k.current().PID
	k.stop()
	assertGone(t, []int{pid})
}

func TestKeeperWaitsNoLongerThanItsContext(t *testing.T) {
	k, _ := newTestKeeper(t, shellPart(t.TempDir(), "while :; do sleep 0.05; done"))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := k.launch(ctx)
	k.stop()
	if err == nil || !strings.Contains(err.Error(), "wait for part") {
		t.Errorf("error %v", err)
	}
}

// TestPartsSeeNothingOfTheLaunchersConfiguration sets variables that would
// configure Fabric and kubo.
func TestPartsSeeNothingOfTheLaunchersConfiguration(t *testing.T) {
	t.Setenv("CORE_PEER_ADDRESS", "203.0.113.1:1")
	t.Setenv("IPFS_PATH", "/elsewhere")
	for _, variable := range baseEnv() {
		if strings.HasPrefix(variable, "CORE_") || strings.HasPrefix(variable, "IPFS_") {
			t.Errorf("parts see %s", variable)
		}
	}
}

func TestDialTLSDemandsTheRightCA(t *testing.T) {
	dir, other := newDepartment(t, "census"), newDepartment(t, "health")
	config, err := tlsConfig(filepath.Join(dir, "msp", "tlsca.pem"), filepath.Join(dir, "tls", "peer"))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", address(0))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go acceptTLS(listener, config)
	if err := dialTLS(t.Context(), listener.Addr().String(), filepath.Join(dir, "msp", "tlsca.pem"), ""); err != nil {
		t.Error(err)
	}
	if err := dialTLS(t.Context(), listener.Addr().String(), filepath.Join(other, "msp", "tlsca.pem"), ""); err == nil {
		t.Error("took a certificate of another department")
	}
}
