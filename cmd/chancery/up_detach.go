package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// detachPoll is how often a network that starts in the background is looked at.
const detachPoll = 100 * time.Millisecond

// startError says that the launcher in the background ended, and how.
type startError struct {
	log  string
	code int
}

func (e *startError) Error() string { return "the network did not start: see " + e.log }

// detach starts the network in a launcher of its own session, shows its
// progress until the network is up, and leaves it running.
func (a *app) detach(ctx context.Context) error {
	data, err := filepath.Abs(a.data)
	if err != nil {
		return usagef("--data: %w", err)
	}
	a.data = data
	logs := filepath.Join(data, "logs")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	log, progress, err := openLog(filepath.Join(logs, "up.log"))
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	defer log.Close()
	defer progress.Close()
	ready := filepath.Join(logs, "up.ready")
	if err := os.Remove(ready); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("ready file: %w", err)
	}
	launcher, err := a.launcher(ready, log)
	if err != nil {
		return err
	}
	if err := a.awaitStart(ctx, launcher, ready, progress); err != nil {
		return err
	}
	return a.announce(ctx, "stop it with `chancery down`")
}

// openLog opens a log to append to, and once more to read what is appended:
// two files, since one that is shared with a child has one offset for both.
func openLog(name string) (to, from *os.File, err error) {
	if to, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return nil, nil, err
	}
	if from, err = os.Open(name); err == nil {
		_, err = from.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, nil, errors.Join(err, to.Close())
	}
	return to, from, nil
}

// launcher starts this program again, in a session of its own.
func (a *app) launcher(ready string, log *os.File) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("own program: %w", err)
	}
	args := []string{"up", "--data", a.data, "--ready-file", ready}
	for flag, value := range map[string]string{"--bin-dir": a.binDir, "--cache-dir": a.cacheDir, "--topology": a.topology} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	cmd := exec.Command(self, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start in the background: %w", err)
	}
	return cmd, nil
}

// awaitStart copies the launcher's log to standard error until the network is up.
// When ctx ends first, the launcher is told to stop what it started.
func (a *app) awaitStart(ctx context.Context, launcher *exec.Cmd, ready string, log io.Reader) error {
	ended := make(chan error, 1)
	go func() { ended <- launcher.Wait() }()
	ticker := time.NewTicker(detachPoll)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			io.Copy(a.err, log)
			return &startError{log: filepath.Join(filepath.Dir(ready), "up.log"), code: launcher.ProcessState.ExitCode()}
		case <-ctx.Done():
			launcher.Process.Signal(syscall.SIGTERM)
			<-ended
			return ctx.Err()
		case <-ticker.C:
		}
		if _, err := io.Copy(a.err, log); err != nil {
			return fmt.Errorf("log: %w", err)
		}
		if _, err := os.Stat(ready); err == nil {
			return os.Remove(ready)
		}
	}
}
