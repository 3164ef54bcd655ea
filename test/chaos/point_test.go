package chaos

import (
	"fmt"
	"sync"
	"syscall"
)

// step is something that a worker does to the world outside of its process.
type step string

const (
	stepPublish step = "publish" // a message, or the last of a batch
	stepBatch   step = "batch"   // a message of a batch that is not its last
	stepAck     step = "ack"     // of a message that was handled
	stepSubmit  step = "submit"  // an endorsed transaction, to the orderer
	stepCommit  step = "commit"  // the question whether it was committed
	stepPin     step = "pin"     // of a file, which may be added by it
)

// side is where a process dies: before anything of the step has left it, or
// when the step is done and the process does not know yet.
type side string

const (
	before side = "before"
	after  side = "after"
)

// point is where a process dies. A site is a process of workers: a
// department's, or a second one of it.
type point struct {
	site, worker string
	side         side
	step         step
}

func (p point) String() string { return fmt.Sprintf("%s: %s %s %s", p.site, p.worker, p.side, p.step) }

// faults kills processes at points, one after the other at each site. The
// proxies of all sites use it at once.
type faults struct {
	mu    sync.Mutex
	traps map[string]*trap // by site
}

// trap is a point that is waited for.
type trap struct {
	point point
	pass  int // how often it may be reached before
	pid   int
	err   error         // of the kill
	fired chan struct{} // closed then
}

// set waits for a process to reach a point for the time pass + 1, and kills it
// there. It takes the place of the trap before.
func (f *faults) set(p point, pass, pid int) *trap {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.traps == nil {
		f.traps = make(map[string]*trap)
	}
	t := &trap{point: p, pass: pass, pid: pid, fired: make(chan struct{})}
	f.traps[p.site] = t
	return t
}

// reached is told by a proxy that holds back a step. If it answers true, the
// process is killed and nothing more of the step may pass.
func (f *faults) reached(p point) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.traps[p.site]
	if t == nil || t.point != p {
		return false
	}
	if t.pass > 0 {
		t.pass--
		return false
	}
	delete(f.traps, p.site)
	t.err = syscall.Kill(t.pid, syscall.SIGKILL)
	close(t.fired)
	return true
}
