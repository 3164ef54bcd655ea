package native

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// stopOrder lists roles in the order in which they end: those that use others
// first. Parts of one group end together.
var stopOrder = [][]string{
	{roleWorkers},
	{roleChaincode, roleBus, roleKubo},
	{rolePeer},
	{roleOrderer},
}

// Stop ends every part, workers first and the orderer last, and gives up the
// data directory. Each part is asked to end and, after its grace, killed. When
// ctx ends, what is left is killed at once. A second Stop does nothing.
func (n *Network) Stop(ctx context.Context) error {
	n.mu.Lock()
	keepers := n.keepers
	n.keepers = nil
	lock := n.lock
	n.lock = nil
	n.mu.Unlock()
	if lock == nil {
		return nil
	}
	if len(keepers) > 0 {
		n.say.say("stopping the network")
	}
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-ctx.Done():
			for _, k := range keepers {
				k.kill()
			}
		case <-finished:
		}
	}()
	for _, roles := range stopOrder {
		var group sync.WaitGroup
		for _, k := range keepers {
			if slices.Contains(roles, k.part.Role) {
				group.Go(k.stop)
			}
		}
		group.Wait()
	}
	close(n.stopped)
	return errors.Join(ctx.Err(), lock.release())
}

// Restart ends one part and waits until a new process of it is ready.
func (n *Network) Restart(ctx context.Context, name string) error {
	n.mu.Lock()
	i := slices.IndexFunc(n.keepers, func(k *keeper) bool { return k.part.Name == name })
	var k *keeper
	if i >= 0 {
		k = n.keepers[i]
	}
	n.mu.Unlock()
	if k == nil {
		return fmt.Errorf("restart: no running part %q", name)
	}
	k.restart()
	err := until(ctx, readyPoll, func(context.Context) error {
		if state := k.current().State; state != stateRunning {
			return fmt.Errorf("it is %s", state)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("restart %s: %w", name, err)
	}
	return nil
}

// ErrNotRunning is wrapped by Down's error when no network runs from the data
// directory.
var ErrNotRunning = errors.New("network is not running")

// Down asks the launcher that runs the network of dataDir to stop it, and waits
// until it has. When ctx ends first, the launcher is killed, and its parts with
// it.
func Down(ctx context.Context, dataDir string) error {
	dir, err := filepath.Abs(dataDir)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	file := filepath.Join(dir, lockName)
	pid, err := lockHolder(file)
	if errors.Is(err, errLocked) {
		pid, err = awaitHolder(ctx, file)
	}
	if err != nil {
		return fmt.Errorf("down: %w", err)
	}
	if pid == 0 {
		return fmt.Errorf("%w from %s", ErrNotRunning, dir)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("down: ask launcher %d to stop: %w", pid, err)
	}
	if err := awaitRelease(ctx, file); err == nil {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("down: kill launcher %d: %w", pid, err)
	}
	killCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyLimit)
	defer cancel()
	if err := awaitRelease(killCtx, file); err != nil {
		return fmt.Errorf("down: launcher %d: %w", pid, err)
	}
	return fmt.Errorf("down: launcher %d did not stop in time and was killed: %w", pid, ctx.Err())
}

// downPoll is how often a launcher is asked whether it still holds its lock.
const downPoll = 50 * time.Millisecond

func awaitHolder(ctx context.Context, file string) (pid int, err error) {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	err = until(ctx, downPoll, func(context.Context) error {
		var err error
		pid, err = lockHolder(file)
		return err
	})
	return pid, err
}

func awaitRelease(ctx context.Context, file string) error {
	return until(ctx, downPoll, func(context.Context) error {
		pid, err := lockHolder(file)
		if err == nil && pid != 0 {
			err = fmt.Errorf("it still runs")
		}
		return err
	})
}
