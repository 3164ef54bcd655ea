package policy

import (
	"bytes"
	"errors"
	"io/fs"
	"sync"
)

// File is a department's rule file as it is on disk. Each decision reads it, so
// that rules count from the moment at which they are there: a file that is not
// there, or that cannot be used, leaves every request to an officer. Replace it
// by renaming another onto it, so that nobody reads half of it. Any number of
// goroutines may use it at once.
type File struct {
	name string

	mu    sync.Mutex
	data  []byte // that rules were made of
	rules *Rules
}

// Open reads a rule file for the first time: one that cannot be used is an
// error, as of [Load]; one that is not there is none. An empty name is a file
// that is never there.
func Open(name string) (*File, error) {
	f := &File{name: name}
	_, err := f.current()
	return f, err
}

// current compiles the file if it is another than the last time.
func (f *File) current() (*Rules, error) {
	if f.name == "" {
		return &Rules{}, nil
	}
	data, err := read(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return &Rules{}, nil
	}
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rules != nil && bytes.Equal(data, f.data) {
		return f.rules, nil
	}
	rules, err := Parse(f.name, data)
	if err != nil {
		return nil, err
	}
	f.data, f.rules = data, rules
	return rules, nil
}
