package keystore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// private answers ErrPermissions unless only the owner has access. want is the
// mode to suggest.
func private(name string, info fs.FileInfo, want fs.FileMode) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s has mode %04o: %w (chmod %04o, and make new keys if it was ever read)",
			name, mode, ErrPermissions, want)
	}
	return nil
}

// ReadPrivate reads a regular file of at most limit bytes that only its owner may
// read: [ErrPermissions], [ErrDamaged], or [fs.ErrNotExist].
func ReadPrivate(name string, limit int64) ([]byte, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // before opening, which a pipe would block
		return nil, fmt.Errorf("%s: %w: %s", name, ErrDamaged, info.Mode().Type())
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if err := private(name, info, 0o600); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("%s: %w: more than %d bytes", name, ErrDamaged, limit)
	}
	return text, nil
}

// WriteNew writes a file for its owner alone, which appears complete and durable
// or not at all. It answers [fs.ErrExist] if there is one of that name: unlike a
// rename, a link never replaces.
func WriteNew(name string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(name), tempPrefix(name)) // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// remove deletes a file durably, and the temporary ones of its name: a WriteNew
// that was killed after its link left the same secret in one.
func remove(name string) error {
	dir := filepath.Dir(name)
	err := os.Remove(name)
	entries, readErr := os.ReadDir(dir)
	if readErr != nil && !errors.Is(readErr, fs.ErrNotExist) {
		err = errors.Join(err, readErr)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), tempPrefix(name)) {
			continue
		}
		if tempErr := os.Remove(filepath.Join(dir, e.Name())); !errors.Is(tempErr, fs.ErrNotExist) {
			err = errors.Join(err, tempErr)
		}
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// tempPrefix begins the names of the temporary files of name. It begins with a
// dot, as no identity's name does.
func tempPrefix(name string) string { return "." + filepath.Base(name) + "." }

// syncDir makes changes of a directory's entries durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
