package chaos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"chancery/workers/listen"
)

// second is a second listener of a department, in a process of its own, which is
// started again whenever it ends.
type second struct {
	site   string
	faults *faults
	pids   chan int // of each process that starts
}

// second starts one, with proxies of its own, until the end of the test.
func (n *network) second(t *testing.T, department string) *second {
	t.Helper()
	s := &second{site: department + "-second", faults: &n.faults, pids: make(chan int)}
	data := t.TempDir()
	dir := filepath.Join(data, department)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := wired(t, s.site, &n.faults, n.profiles[department]).Save(dir); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(n.Dir(), "logs", s.site+".log"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer log.Close()
		// The kernel ends the process with the thread that started it.
		runtime.LockOSThread()
		for ctx.Err() == nil {
			cmd := exec.CommandContext(ctx, n.binary, "run", "--data", data, "-d", department, listen.Name)
			cmd.Stderr, cmd.SysProcAttr = log, childAttributes()
			if cmd.Start() != nil {
				return // whoever waits for it says so
			}
			select {
			case s.pids <- cmd.Process.Pid:
			case <-ctx.Done():
			}
			_ = cmd.Wait() // killed, or the test is over
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return s
}

// points are where it dies, each several times: it is the second to publish,
// unless the first is dead.
func (s *second) points() (list []point) {
	for range 3 {
		list = append(list,
			point{s.site, listen.Name, before, stepPublish},
			point{s.site, listen.Name, after, stepPublish})
	}
	return append(list, point{s.site, listen.Name, before, stepBatch})
}

// killAt kills it at a point.
func (s *second) killAt(ctx context.Context, p point) error {
	select {
	case pid := <-s.pids:
		return s.faults.await(ctx, p, 0, pid)
	case <-time.After(patience):
		return fmt.Errorf("%s did not start", s.site)
	}
}
