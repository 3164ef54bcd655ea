// Package ipfs is a department's client of its own kubo node: add, pin, read
// back, fetch.
//
// Every file is added in one fixed way (CIDv1, raw leaves, SHA-256, chunks of
// 1 MiB, balanced, 174 links a node), so that the same bytes get the same CID
// at every department and adding twice changes nothing. Only CIDs that this
// way makes are accepted anywhere.
//
// Nothing that comes from a node is trusted to be what was asked for: callers
// compare digests. What is promised is that an answer cut short is an error and
// never a short file: kubo reports failures after the headers in a trailer
// (X-Stream-Error), and announces a file's size (X-Content-Length), and both
// are heeded here.
//
// No call waits for ever. Short calls have a timeout; transfers, whose length
// nobody knows, are given up when the node moves nothing for a while; and both
// end with their context.
package ipfs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	shell "github.com/ipfs/go-ipfs-api"
)

const (
	// DefaultTimeout bounds a short call: its whole exchange.
	DefaultTimeout = 30 * time.Second
	// DefaultIdle bounds a transfer: the time in which the node neither takes
	// nor gives a byte, nor pins a block.
	DefaultIdle = 60 * time.Second

	maxAnswer   = 64 << 10 // bytes of a short call's answer
	maxConns    = 32       // at once to the node; more calls wait
	dialTimeout = 10 * time.Second
)

// Config says how to reach a department's kubo node.
type Config struct {
	// API is the node's RPC address, host:port or an http(s) URL. Required.
	API string
	// Auth is kubo's own notation (API.Authorizations): "bearer:TOKEN",
	// "basic:USER:PASSWORD", or empty for a node that asks for none.
	Auth string
	// Timeout of short calls. Default DefaultTimeout.
	Timeout time.Duration
	// Idle bounds transfers. Default DefaultIdle.
	Idle time.Duration
}

// Client talks to one kubo node. Its methods may be called at once.
type Client struct {
	shell   *shell.Shell
	timeout time.Duration
	idle    time.Duration
}

// New returns a client. It does not connect, and answers an error only for a
// Config that cannot work.
func New(c Config) (*Client, error) {
	base, err := baseURL(c.API)
	if err != nil {
		return nil, err
	}
	header, err := authorization(c.Auth)
	if err != nil {
		return nil, err
	}
	if c.Timeout < 0 || c.Idle < 0 {
		return nil, errors.New("ipfs: negative timeout")
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Idle == 0 {
		c.Idle = DefaultIdle
	}
	client := &http.Client{Transport: &transport{
		header: header,
		base: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout: dialTimeout,
			MaxConnsPerHost:     maxConns,
			MaxIdleConnsPerHost: maxConns,
			IdleConnTimeout:     DefaultIdle,
		},
	}}
	return &Client{shell: shell.NewShellWithClient(base, client), timeout: c.Timeout, idle: c.Idle}, nil
}

func baseURL(api string) (string, error) {
	if _, _, err := net.SplitHostPort(api); err == nil {
		return "http://" + api, nil
	}
	u, err := url.Parse(api)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return "", fmt.Errorf("ipfs: API %q is neither host:port nor an http URL", api)
	}
	return u.Scheme + "://" + u.Host, nil
}

// ID returns the node's libp2p peer id.
func (c *Client) ID(ctx context.Context) (string, error) {
	var out struct{ ID string }
	if err := c.ask(ctx, c.shell.Request("id"), &out); err != nil {
		return "", fmt.Errorf("ipfs id: %w", err)
	}
	return out.ID, nil
}

// Pinned reports whether the node keeps the object by a recursive pin of its
// own.
func (c *Client) Pinned(ctx context.Context, cid string) (bool, error) {
	if err := ValidateCID(cid); err != nil {
		return false, err
	}
	var out struct {
		Keys map[string]struct{ Type string }
	}
	err := c.ask(ctx, c.shell.Request("pin/ls", cid).Option("type", "recursive"), &out)
	if errors.Is(err, errNotPinned) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ipfs pin ls %s: %w", cid, err)
	}
	return out.Keys[cid].Type == "recursive", nil
}

// Unpin lets the node forget the object at its next garbage collection. It
// answers nil if it was not pinned.
func (c *Client) Unpin(ctx context.Context, cid string) error {
	if err := ValidateCID(cid); err != nil {
		return err
	}
	err := c.ask(ctx, c.shell.Request("pin/rm", cid), nil)
	if err != nil && !errors.Is(err, errNotPinned) {
		return fmt.Errorf("ipfs unpin %s: %w", cid, err)
	}
	return nil
}

// Pin makes the node keep the object, and fetch what it has not of it from the
// swarm first. It answers ErrStalled if no block arrives for Idle.
func (c *Client) Pin(ctx context.Context, cid string) error {
	if err := ValidateCID(cid); err != nil {
		return err
	}
	if err := c.pin(ctx, cid); err != nil {
		return fmt.Errorf("ipfs pin %s: %w", cid, err)
	}
	return nil
}

func (c *Client) pin(ctx context.Context, cid string) error {
	w := newWatch(ctx, c.idle)
	defer w.end()
	resp, err := c.shell.Request("pin/add", cid).Option("recursive", true).Option("progress", true).Send(w.ctx)
	if err != nil {
		return w.explain(err)
	}
	defer resp.Output.Close()
	blocks, pinned := -1, false
	for dec := json.NewDecoder(resp.Output); ; {
		var line struct {
			Progress int // blocks so far
			Pins     []string
		}
		if err := dec.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return w.explain(err)
		}
		pinned = pinned || len(line.Pins) == 1 && line.Pins[0] == cid
		if line.Progress > blocks { // the node writes twice a second, also when nothing moves
			blocks = line.Progress
			w.resume()
		}
	}
	if !pinned {
		return fmt.Errorf("kubo did not say that it pinned: %w", io.ErrUnexpectedEOF)
	}
	return nil
}

// ask makes a short call and decodes its answer into out, unless out is nil.
func (c *Client) ask(ctx context.Context, request *shell.RequestBuilder, out any) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	resp, err := request.Send(ctx)
	if err != nil {
		return plain(err)
	}
	defer resp.Output.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Output, maxAnswer))
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("kubo's answer: %w", err)
	}
	return nil
}
