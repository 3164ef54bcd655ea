// Package inbox brings files into a department's inbox: whole, durably and under
// their name, or not at all. Nobody reads a file there that was not kept.
package inbox

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Arriving begins the names of files that have not arrived. No delivered file's
// name begins with a dot.
const Arriving = ".arriving-"

// Arrival is a file on its way into the inbox. Whoever writes it holds a lock
// on it, so that what a crash left can be told from what another copy of the
// worker is writing. One goroutine at a time may use it.
type Arrival struct {
	*os.File
	inbox *os.Root
	dir   string // below the inbox
	temp  string // where it is written
	final string // where it is kept
}

// New makes a directory below the inbox, one or more names deep, and a temporary
// file in it. Nothing that it is told leads out of the inbox. The caller discards
// the arrival in the end, kept or not.
func New(inbox, dir, name string) (*Arrival, error) {
	if err := os.MkdirAll(inbox, 0o700); err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	root, err := os.OpenRoot(inbox)
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	a := &Arrival{inbox: root, dir: dir, final: filepath.Join(dir, name)}
	if err := a.create(); err != nil {
		return nil, fmt.Errorf("inbox: %w", errors.Join(err, root.Close()))
	}
	return a, nil
}

// create makes the temporary file and locks it. Another copy that clears up may
// take it for abandoned in between: then it makes another.
func (a *Arrival) create() error {
	if err := a.inbox.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
	for {
		name := filepath.Join(a.dir, Arriving+rand.Text())
		f, err := a.inbox.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		err = lock(f)
		if err == nil {
			_, err = a.inbox.Lstat(name)
		}
		if err == nil {
			a.File, a.temp = f, name
			return nil
		}
		f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(err, a.inbox.Remove(name))
		}
	}
}

// Keep makes the file durable under its name, and the directories that lead to
// it. A repeat replaces it by the same bytes.
func (a *Arrival) Keep() error {
	if err := a.Sync(); err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	if err := a.inbox.Rename(a.temp, a.final); err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	for dir := a.dir; ; dir = filepath.Dir(dir) {
		if err := syncDir(a.inbox, dir); err != nil {
			return fmt.Errorf("inbox: %w", err)
		}
		if dir == "." {
			return nil
		}
	}
}

// Discard removes the file unless it was kept, and closes it.
func (a *Arrival) Discard() {
	a.inbox.Remove(a.temp) // not there once it is kept
	a.Close()
	a.inbox.Close()
}

// Clear removes what a crash left of arrivals in a directory below the inbox:
// plaintext that nobody checked.
func Clear(inbox, dir string) error {
	dir = filepath.Join(inbox, dir)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), Arriving) {
			continue
		}
		if err := removeAbandoned(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("inbox: %w", err)
		}
	}
	return nil
}

// removeAbandoned removes a file unless somebody is writing it.
func removeAbandoned(file string) error {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // kept or discarded meanwhile
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := lock(f); errors.Is(err, syscall.EWOULDBLOCK) {
		return nil
	} else if err != nil {
		return err
	}
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// lock takes the file for as long as it is open.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

func syncDir(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
