package ipfs

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Cat returns the bytes of a file, which the node fetches from the swarm as far
// as it does not have them. It waits for the first of them. The caller reads to
// io.EOF, which means that the file is whole, and closes the reader; ctx holds
// until then. Both Cat and Read answer ErrStalled if nothing arrives for Idle,
// as happens with a CID that nobody has. The size is the node's word: bound what
// you read.
func (c *Client) Cat(ctx context.Context, cid string) (io.ReadCloser, error) {
	return c.cat(ctx, cid, false)
}

// CatOffline is Cat without the swarm: it answers ErrNotFound if the node does
// not have the file's root. A missing or damaged block below the root is an
// error of Read.
func (c *Client) CatOffline(ctx context.Context, cid string) (io.ReadCloser, error) {
	return c.cat(ctx, cid, true)
}

func (c *Client) cat(ctx context.Context, cid string, offline bool) (io.ReadCloser, error) {
	if err := ValidateCID(cid); err != nil {
		return nil, err
	}
	w := newWatch(ctx, c.idle)
	resp, err := c.shell.Request("cat", cid).Option("offline", offline).Option("progress", false).Send(w.ctx)
	if err != nil {
		err = w.explain(err)
		w.end()
		return nil, fmt.Errorf("ipfs cat %s: %w", cid, err)
	}
	w.pause()
	return &download{body: resp.Output, watch: w, cid: cid}, nil
}

// download is a file on its way. The node is watched while it is asked.
type download struct {
	body  io.ReadCloser
	watch *watch
	cid   string
}

func (d *download) Read(p []byte) (int, error) {
	d.watch.resume()
	n, err := d.body.Read(p)
	d.watch.pause()
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("ipfs cat %s: %w", d.cid, d.watch.explain(err))
	}
	return n, err
}

func (d *download) Close() error {
	d.watch.end()
	return d.body.Close()
}
