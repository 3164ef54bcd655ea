package ipfs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	"chancery/workers/ipfs"
)

// TestTemporary tells the node's troubles from the caller's own, whose files
// fail with the same kind of system error.
func TestTemporary(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{refused, true},
		{fmt.Errorf("ipfs cat: %w", &url.Error{Op: "Post", URL: "http://node", Err: refused}), true},
		{&url.Error{Op: "Post", URL: "http://node", Err: io.ErrUnexpectedEOF}, true},
		{fmt.Errorf("ipfs pin: %w", ipfs.ErrStalled), true},
		{context.DeadlineExceeded, true},
		{&ipfs.Error{Status: 500, Message: "busy"}, true},
		{&ipfs.Error{Status: 400, Message: "no such option"}, false},
		{ipfs.ErrInvalidCID, false},
		{ipfs.ErrDenied, false},
		{&fs.PathError{Op: "open", Path: "inbox", Err: syscall.ENOTDIR}, false},
		{&fs.PathError{Op: "open", Path: "spool", Err: syscall.EACCES}, false},
		{fmt.Errorf("seal: %w", &fs.PathError{Op: "read", Path: "spool", Err: syscall.EIO}), false},
		{errors.New("anything else"), false},
		{nil, false},
	} {
		if got := ipfs.Temporary(c.err); got != c.want {
			t.Errorf("%v: %t, want %t", c.err, got, c.want)
		}
	}
}
