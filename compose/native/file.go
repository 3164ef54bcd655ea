package native

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// writeFile replaces name in one step and durably: whoever reads it, also after
// a power failure, finds the old contents or the new ones.
func writeFile(name string, data []byte, mode os.FileMode) error {
	return replaceFile(name, mode, func(file io.Writer) error {
		_, err := file.Write(data)
		return err
	})
}

// copyFile replaces to by a copy of from, in one step and durably.
func copyFile(from, to string, mode os.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	return replaceFile(to, mode, func(file io.Writer) error {
		_, err := io.Copy(file, source)
		return err
	})
}

func replaceFile(name string, mode os.FileMode, fill func(io.Writer) error) error {
	dir := filepath.Dir(name)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(name)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if err := errors.Join(fill(temp), temp.Chmod(mode), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), name); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes renames in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
