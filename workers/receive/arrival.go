package receive

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// arrival is a file on its way into the inbox. It has no name there until it is
// kept.
type arrival struct {
	*os.File
	final string
}

// newArrival makes the file's directory, <inbox>/<grant>/<slot>, and a
// temporary file in it. The name was checked when the object was registered.
func newArrival(inbox, grant string, slot int, name string) (*arrival, error) {
	dir := filepath.Join(inbox, grant, strconv.Itoa(slot))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	f, err := os.CreateTemp(dir, ".arriving-*")
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	return &arrival{File: f, final: filepath.Join(dir, name)}, nil
}

// keep makes the file durable under its name. A repeat replaces it by the same
// bytes.
func (a *arrival) keep() error {
	if err := errors.Join(a.Sync(), a.Close()); err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	if err := os.Rename(a.Name(), a.final); err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	dir, err := os.Open(filepath.Dir(a.final))
	if err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// discard removes the file unless it was kept.
func (a *arrival) discard() {
	a.Close()
	os.Remove(a.Name())
}
