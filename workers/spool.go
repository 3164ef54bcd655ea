package workers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"chancery/chaincode/exchange"
)

// OpenSpool opens a file that a command names, for reading. Only a regular,
// non-empty file that lies in the spool itself is taken: a name that leads out
// of it, a link, a directory or a pipe is refused with the code
// [exchange.Invalid], a file that is not there with [exchange.NotFound].
func OpenSpool(spool, name string) (*os.File, error) {
	if err := exchange.CheckFileName("file", name); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(spool)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	defer root.Close()
	info, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, exchange.Errorf(exchange.NotFound, "there is no file %q in the spool %s: put it there first", name, spool)
	}
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, exchange.Errorf(exchange.Invalid, "%q in the spool is not a regular file (%s)", name, info.Mode().Type())
	case info.Size() == 0:
		return nil, exchange.Errorf(exchange.Invalid, "file %q in the spool is empty", name)
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil, exchange.Errorf(exchange.Invalid, "file %q in the spool may not be read by the workers", name)
	}
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	opened, err := f.Stat()
	if err == nil && !os.SameFile(info, opened) {
		err = exchange.Errorf(exchange.Invalid, "file %q in the spool was replaced while it was opened", name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
