package native

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Roles of parts.
const (
	roleOrderer   = "orderer"
	rolePeer      = "peer"
	roleChaincode = "chaincode"
	roleKubo      = "kubo"
	roleBus       = "bus"
	roleWorkers   = "workers"
)

// States of a part.
const (
	stateStarting = "starting"
	stateRunning  = "running"
	stateFailed   = "failed" // ended by itself; started again after a while
	stateStopped  = "stopped"
)

const (
	// readyPoll is how often a part is asked whether it is ready, and
	// readyLimit bounds one such question.
	readyPoll  = 50 * time.Millisecond
	readyLimit = 5 * time.Second
	// firstBackoff doubles with each end in a row, up to lastBackoff; a part
	// that ran for steadyTime begins anew.
	firstBackoff = 200 * time.Millisecond
	lastBackoff  = 30 * time.Second
	steadyTime   = time.Minute
	// logTail is how many lines of a part's log an error quotes.
	logTail = 8
)

// Part describes one process of the network.
type Part struct {
	Name       string // unique: orderer, census-peer
	Department string // empty for the orderer
	Role       string // orderer, peer, chaincode, kubo, bus, workers
	Path       string // program
	Args       []string
	Env        []string // besides PATH, HOME and the like
	Dir        string   // working directory
	Address    string   // host:port it serves; empty if it serves nobody
	// Ready answers nil once the part does its work. It is asked again and
	// again while the part starts.
	Ready func(context.Context) error
	// ReadyFile, if any, is removed before each start; the part makes it when
	// it is ready (AnnounceReady).
	ReadyFile string
	// Grace is how long the part may take to end when asked to.
	Grace time.Duration
}

// PartStatus is what is known of one process.
type PartStatus struct {
	Name       string    `json:"name"`
	Department string    `json:"department,omitempty"`
	Role       string    `json:"role"`
	State      string    `json:"state"` // starting, running, failed, stopped
	PID        int       `json:"pid,omitempty"`
	Address    string    `json:"address,omitempty"`
	Started    time.Time `json:"started,omitzero"` // of this process
	Restarts   int       `json:"restarts"`         // times it ended by itself or was restarted
	LastEnd    string    `json:"lastEnd,omitempty"`
	// Figures of a running process; only Status fills them.
	UptimeSeconds float64 `json:"uptimeSeconds"`
	ResidentBytes int64   `json:"residentBytes"`
	CPUSeconds    float64 `json:"cpuSeconds"`
	// Cores is how many processor cores it kept busy while [Report.Measure]
	// watched.
	Cores float64 `json:"cores"`
}

// keeper keeps one part running until it is stopped. It may be used by many
// goroutines at once.
type keeper struct {
	part    Part
	log     string
	say     *narrator
	changed func(PartStatus)

	orders chan order    // to the goroutine that keeps the part
	gone   chan struct{} // closed when that goroutine has ended

	mu     sync.Mutex
	status PartStatus
}

// order asks the keeping goroutine to end the process, and for good or not.
type order struct {
	restart bool
	done    chan struct{}
}

// newKeeper prepares to keep part, logging to a file in logs. changed is told
// of each change of the part's status.
func newKeeper(part Part, logs string, say *narrator, changed func(PartStatus)) *keeper {
	return &keeper{
		part: part, log: filepath.Join(logs, part.Name+".log"), say: say, changed: changed,
		orders: make(chan order), gone: make(chan struct{}),
		status: PartStatus{Name: part.Name, Department: part.Department, Role: part.Role, Address: part.Address, State: stateStarting},
	}
}

// launch starts the part and waits until it is ready. A part that ends before
// that is an error with the last lines of its log; the caller then stops it.
func (k *keeper) launch(ctx context.Context) error {
	go k.keep()
	err := until(ctx, readyPoll, func(ctx context.Context) error {
		switch status := k.current(); {
		case status.LastEnd != "":
			return nil // told apart below
		case status.PID == 0:
			return errors.New("not started yet") // what its predecessor left is no sign of it
		}
		return k.ready(ctx)
	})
	status := k.current()
	switch {
	case status.LastEnd != "":
		return fmt.Errorf("%s ended while starting (%s); the end of %s:\n%s", k.part.Name, status.LastEnd, k.log, k.logTail())
	case err != nil:
		return fmt.Errorf("wait for %s: %w", k.part.Name, err)
	}
	k.markReady()
	return nil
}

// markReady records that the process, if it still runs, does its work.
func (k *keeper) markReady() {
	k.set(func(s *PartStatus) {
		if s.State == stateStarting {
			s.State = stateRunning
		}
	})
}

func (k *keeper) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	return k.part.Ready(ctx)
}

// keep runs the part again whenever it ends, until an order ends it for good.
func (k *keeper) keep() {
	defer close(k.gone)
	backoff := firstBackoff
	for {
		began := time.Now()
		end, order := k.runOnce()
		if order != nil && !order.restart {
			k.set(func(s *PartStatus) { s.State, s.PID = stateStopped, 0 })
			close(order.done)
			return
		}
		if order != nil {
			k.set(func(s *PartStatus) { s.State, s.PID = stateStarting, 0; s.Restarts++ })
			close(order.done)
			continue
		}
		if time.Since(began) > steadyTime {
			backoff = firstBackoff
		}
		k.say.say("%s ended (%s); starting it again in %s", k.part.Name, end, backoff)
		k.set(func(s *PartStatus) { s.State, s.PID, s.LastEnd = stateFailed, 0, end; s.Restarts++ })
		if order := k.pause(backoff); order != nil {
			k.set(func(s *PartStatus) { s.State = stateStopped })
			close(order.done)
			return
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// pause waits before a restart; an order cuts it short, and one that ends the
// part for good is returned.
func (k *keeper) pause(backoff time.Duration) *order {
	timer := time.NewTimer(backoff)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case o := <-k.orders:
		if o.restart {
			close(o.done)
			return nil
		}
		return &o
	}
}

// runOnce runs the process until it ends by itself (end says how) or an order
// ends it.
func (k *keeper) runOnce() (end string, by *order) {
	cmd, err := k.start()
	if err != nil {
		return err.Error(), nil
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	watch, stopWatching := context.WithCancel(context.Background())
	defer stopWatching()
	if k.current().Restarts > 0 {
		go k.announce(watch)
	}
	select {
	case err := <-ended:
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what the process left
		if err == nil {
			return "exit status 0", nil
		}
		return err.Error(), nil
	case o := <-k.orders:
		endGroup(cmd.Process.Pid, ended, k.part.Grace)
		return "", &o
	}
}

// announce says when a restarted part is ready again.
func (k *keeper) announce(ctx context.Context) {
	if until(ctx, readyPoll, k.ready) != nil {
		return
	}
	k.markReady()
	k.say.say("%s is back", k.part.Name)
}

func (k *keeper) start() (*exec.Cmd, error) {
	env := append(baseEnv(), k.part.Env...)
	if file := k.part.ReadyFile; file != "" {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		env = append(env, readyVariable+"="+file)
	}
	log, err := os.OpenFile(k.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(k.part.Path, k.part.Args...)
	cmd.Dir = k.part.Dir
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = log, log
	if err := start(cmd); err != nil {
		return nil, err
	}
	k.set(func(s *PartStatus) { s.State, s.PID, s.Started = stateStarting, cmd.Process.Pid, time.Now().UTC() })
	return cmd, nil
}

// baseEnv is what every part sees of the launcher's environment: nothing that
// could configure it (CORE_…, ORDERER_…, IPFS_…).
func baseEnv() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// stop ends the part for good and waits until it has ended.
func (k *keeper) stop() { k.order(false) }

// restart ends the process, and returns when it has ended; a new one starts at
// once.
func (k *keeper) restart() { k.order(true) }

func (k *keeper) order(restart bool) {
	o := order{restart: restart, done: make(chan struct{})}
	select {
	case k.orders <- o:
		<-o.done
	case <-k.gone:
	}
}

func (k *keeper) current() PartStatus {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.status
}

func (k *keeper) set(change func(*PartStatus)) {
	k.mu.Lock()
	change(&k.status)
	status := k.status
	k.mu.Unlock()
	k.changed(status)
}

// logTail is the end of the part's log.
func (k *keeper) logTail() string {
	data, err := os.ReadFile(k.log)
	if err != nil {
		return "  " + err.Error()
	}
	return tail(string(data), logTail)
}

// kill ends the process at once; what keeps it sees that and goes on.
func (k *keeper) kill() {
	if pid := k.current().PID; pid > 0 {
		syscall.Kill(-pid, syscall.SIGKILL)
	}
}
