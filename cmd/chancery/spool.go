package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"chancery/chaincode/exchange"
)

// spool puts a file into the department's spool, unless it is there, and
// returns its name there. Another file of that name is a conflict, unless it
// may be replaced.
func spool(ctx context.Context, dir, file string, replace bool) (name string, copied bool, err error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, faultf(errNotFound, "%s: no such file", file)
	case err != nil:
		return "", false, err
	case !info.Mode().IsRegular():
		return "", false, usagef("%s is not a regular file", file)
	case info.Size() == 0:
		return "", false, usagef("%s is empty", file)
	}
	name = filepath.Base(file)
	if err := exchange.CheckFileName("file", name); err != nil {
		return "", false, err
	}
	target := filepath.Join(dir, name)
	there, err := os.Stat(target)
	if err == nil && os.SameFile(info, there) {
		return name, false, nil
	}
	if err == nil && !replace {
		same, err := sameContent(ctx, file, target)
		if err != nil {
			return "", false, fmt.Errorf("spool: %w", err)
		}
		if !same {
			return "", false, faultf(exchange.ErrConflict, "the spool holds another %s: name this one differently, or say --replace", name)
		}
		return name, false, nil
	}
	return name, true, copyInto(ctx, file, target)
}

// copyInto copies a file so that the target is there whole or not at all.
func copyInto(ctx context.Context, file, target string) error {
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.CreateTemp(filepath.Dir(target), ".copy-*")
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	defer os.Remove(to.Name())
	_, err = io.Copy(to, &reader{ctx, from})
	if err := errors.Join(err, to.Sync(), to.Close()); err != nil {
		return fmt.Errorf("copy %s into the spool: %w", file, err)
	}
	if err := os.Rename(to.Name(), target); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// sameContent compares two files.
func sameContent(ctx context.Context, one, other string) (bool, error) {
	a, err := os.Open(one)
	if err != nil {
		return false, err
	}
	defer a.Close()
	b, err := os.Open(other)
	if err != nil {
		return false, err
	}
	defer b.Close()
	const chunk = 1 << 20
	bufA, bufB := make([]byte, chunk), make([]byte, chunk)
	for {
		n, errA := io.ReadFull(&reader{ctx, a}, bufA)
		m, errB := io.ReadFull(b, bufB)
		if !bytes.Equal(bufA[:n], bufB[:m]) {
			return false, nil
		}
		if errA == io.EOF || errA == io.ErrUnexpectedEOF {
			return errB == errA, nil
		}
		if err := errors.Join(errA, errB); err != nil {
			return false, err
		}
	}
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
