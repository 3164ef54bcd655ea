package ipfs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/ipfs/boxo/files"
)

const (
	chunker      = "size-1048576" // 1 MiB: the largest that every bitswap peer takes
	maxFileLinks = 174
)

// Add streams r to its end into the node, pins it there, and returns its CID
// and its size in bytes. If r fails, so does Add, with r's error, and nothing is
// pinned. r is not read after Add returned: Add waits for a Read under way.
func (c *Client) Add(ctx context.Context, r io.Reader) (cid string, size int64, err error) {
	if cid, size, err = c.add(ctx, r, false); err != nil {
		return "", 0, fmt.Errorf("ipfs add: %w", err)
	}
	return cid, size, nil
}

// CIDOf returns the CID and size in bytes that Add would return. The node
// stores nothing.
func (c *Client) CIDOf(ctx context.Context, r io.Reader) (cid string, size int64, err error) {
	if cid, size, err = c.add(ctx, r, true); err != nil {
		return "", 0, fmt.Errorf("ipfs add, hash only: %w", err)
	}
	return cid, size, nil
}

func (c *Client) add(ctx context.Context, r io.Reader, onlyHash bool) (string, int64, error) {
	w := newWatch(ctx, c.idle)
	defer w.end()
	src := &source{r: r, watch: w}
	cid, err := c.upload(w.ctx, src, onlyHash)
	src.stop()
	switch {
	case src.err != nil && !errors.Is(src.err, io.EOF):
		return "", 0, src.err
	case err != nil:
		return "", 0, w.explain(err)
	case src.err == nil:
		return "", 0, fmt.Errorf("kubo answered after %d bytes, before the last: %w", src.n, io.ErrUnexpectedEOF)
	}
	return cid, src.n, ValidateCID(cid)
}

// upload sends all that decides a CID as an explicit option: a node's own
// configuration may say otherwise.
func (c *Client) upload(ctx context.Context, src io.Reader, onlyHash bool) (string, error) {
	form := files.NewMultiFileReader(files.NewSliceDirectory([]files.DirEntry{
		files.FileEntry("", files.NewReaderFile(src)),
	}), true, false)
	resp, err := c.shell.Request("add").
		Option("cid-version", 1).
		Option("raw-leaves", true).
		Option("hash", "sha2-256").
		Option("chunker", chunker).
		Option("max-file-links", maxFileLinks).
		Option("trickle", false).
		Option("inline", false).
		Option("progress", false).
		Option("pin", !onlyHash).
		Option("only-hash", onlyHash).
		Body(form).
		Send(ctx)
	if err != nil {
		return "", err
	}
	defer resp.Output.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Output, maxAnswer))
	if err != nil {
		return "", err
	}
	var out struct{ Hash string }
	if err := json.Unmarshal(answer, &out); err != nil { // two lines would be two files
		return "", fmt.Errorf("kubo's answer: %w", err)
	}
	return out.Hash, nil
}

var errStopped = errors.New("the transfer is over")

// source lends the caller's reader to the HTTP transport, which may go on
// reading after it answered.
type source struct {
	r     io.Reader
	watch *watch // owes nothing while r is asked

	mu      sync.Mutex // guards the rest while the transport has the source
	n       int64      // bytes read
	err     error      // of r; io.EOF once it was read to its end
	stopped bool
}

func (s *source) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return 0, errStopped
	}
	s.watch.pause()
	defer s.watch.resume()
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil {
		s.err = err
	}
	return n, err
}

// stop takes the reader back.
func (s *source) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
}
