package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/compose/native"
)

// state is what a network's directory records of it.
type state struct {
	Ports map[string]int
	Steps map[string]time.Time
	Parts []struct{ PID int }
}

// state reads the record; there is none before the first start.
func (n network) state() (s state, err error) {
	text, err := os.ReadFile(filepath.Join(n.dir, native.StateName))
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	return s, err
}

// TestLife takes one network through interrupted starts, a launcher that is
// killed, a stop and starts again, beside the shared one.
func TestLife(t *testing.T) {
	beside := shared(t)
	n := newNetwork(t, "life")
	for _, stage := range []struct {
		name string
		come func(state) bool
	}{
		{"before anything runs", func(s state) bool { return len(s.Ports) > 0 }},
		{"when parts start", func(s state) bool { return len(s.Parts) > 0 && s.Parts[0].PID > 0 }},
		{"when there is a channel", func(s state) bool { return !s.Steps["channel"].IsZero() }},
	} {
		t.Run("interrupted "+stage.name, func(t *testing.T) { n.interrupted(t, stage.come) })
	}
	n.up(t)
	s, _ := n.publish(t, "labor")
	t.Run("two networks side by side", func(t *testing.T) {
		other, published := beside.publish(t, "labor")
		if !n.absent(t, exchange.NounDataset, published.Dataset) || !n.absent(t, exchange.NounDataset, "labor/"+other.name) {
			t.Error("one network's dataset is on the other")
		}
		n.settled(t)
	})
	height := n.heightOf(t)
	t.Run("killed launcher", func(t *testing.T) {
		if err := syscall.Kill(n.status(t).Launcher, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		leavesNothing(t, n.dir, 5*time.Second)
		n.fails(t, 7, []string{"chancery up"}, "status")
	})
	t.Run("busy port", n.busyPort)
	t.Run("up again", func(t *testing.T) { height = n.resumed(t, s, height) })
	t.Run("down", func(t *testing.T) {
		n.must(t, "down")
		leavesNothing(t, n.dir, 0)
		n.must(t, "down") // it is stopped already
	})
	t.Run("up once more", func(t *testing.T) { n.resumed(t, s, height) })
	n.must(t, "down")
	beside.awaitHealthy(t)
}

// interrupted starts the network in the foreground and interrupts it.
func (n network) interrupted(t *testing.T, come func(state) bool) {
	up := n.command(t.Context(), t, "up")
	up.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	reached := poll(commandLimit, func() error { // there may be programs to build
		if s, err := n.state(); err != nil || !come(s) {
			return errNotYet
		}
		return nil
	})
	if err := up.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	_ = up.Wait() // the code says it
	if reached != nil || up.ProcessState.ExitCode() != 130 {
		t.Errorf("exit %d after %s, want 130 (%v)", up.ProcessState.ExitCode(), time.Since(began), reached)
	}
	leavesNothing(t, n.dir, 0)
}

// heightOf is the number of blocks, which every department's peer has.
func (n network) heightOf(t *testing.T) (height uint64) {
	t.Helper()
	await(t, "equal heights", func() error {
		heights := n.status(t).Heights
		height = heights["census"]
		if height == 0 || heights["health"] != height || heights["labor"] != height {
			return fmt.Errorf("heights are %v", heights)
		}
		return nil
	})
	return height
}

// busyPort takes a port of the network that is down.
func (n network) busyPort(t *testing.T) {
	s, err := n.state()
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(s.Ports["health-bus"])
	taken, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	n.fails(t, 5, []string{"health-bus", port, "busy"}, "up")
	n.fails(t, 5, []string{"health-bus", port, "busy"}, "up", "--detach")
	leavesNothing(t, n.dir, 0)
}

// resumed starts the network again: nothing is lost, and it works.
func (n network) resumed(t *testing.T, s table, height uint64) uint64 {
	n.up(t)
	if now := n.heightOf(t); now < height {
		t.Errorf("%d blocks, %d before", now, height)
	}
	if n.absent(t, exchange.NounDataset, s.owner+"/"+s.name) {
		t.Errorf("%s/%s is lost", s.owner, s.name)
	}
	_, published := n.publish(t, "census")
	n.attested(t, published.ID, 2)
	grant := n.give(t, "labor", n.open(t, "health", s).ID).ID
	n.delivered(t, "health", grant, s)
	n.settled(t)
	return n.heightOf(t)
}
