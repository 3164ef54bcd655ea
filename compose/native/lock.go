package native

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// fileLock is an exclusive lock on a file, held until it is released or its
// holder ends in any way. The file names the holder's process id.
type fileLock struct {
	file *os.File
}

// errLocked says that somebody else holds the lock.
var errLocked = errors.New("locked")

// tryLock takes the lock on name, which is made if need be, or answers with
// errLocked at once.
func tryLock(name string) (*fileLock, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	lock := &fileLock{file: file}
	if err := lock.write(strconv.Itoa(os.Getpid()) + "\n"); err != nil {
		lock.release()
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return lock, nil
}

func (l *fileLock) write(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(text), 0)
	return err
}

// release gives the lock up. The file stays: removing it could remove a lock
// that somebody else has taken since.
func (l *fileLock) release() error {
	return errors.Join(l.write(""), l.file.Close())
}

// lockHolder is the process id of who holds the lock on name; 0 if nobody does.
// errLocked says that somebody does but has not written its id yet.
func lockHolder(name string) (int, error) {
	file, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if err == nil {
		return 0, nil
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return 0, fmt.Errorf("lock %s: %w", name, err)
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid <= 0 {
		return 0, errLocked
	}
	return pid, nil
}
