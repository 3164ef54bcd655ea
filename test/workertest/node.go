package workertest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"chancery/workers/ipfs"
)

// Node is a kubo node in memory, with the errors of the client of a real one.
// Its methods may be called at once; the fields are set before.
type Node struct {
	// Away is the error of every call, where it is set.
	Away error
	// Break is the error of an Add after that many bytes, where it is set.
	Break      error
	BreakAfter int64
	// Forget makes Add keep nothing but digests.
	Forget bool
	// BeforeAdd and AfterAdd are called at the beginning and the end of an Add.
	BeforeAdd, AfterAdd func()

	mu       sync.Mutex
	files    map[string][]byte
	pins     map[string]bool
	added    []string // addresses, in order
	unpinned []string
}

// ErrAway is what a client answers when its node does not listen.
var ErrAway = fmt.Errorf("ipfs: %w", &net.OpError{Op: "dial", Err: io.ErrClosedPipe})

// NewNode is an empty node.
func NewNode() *Node { return &Node{files: make(map[string][]byte), pins: make(map[string]bool)} }

// Put stores a file without pinning it, under its address.
func (n *Node) Put(t testing.TB, data []byte) (address string) {
	t.Helper()
	sum := sha256.Sum256(data)
	address = Address(t, sum[:])
	n.PutAt(address, data)
	return address
}

// PutAt stores a file under any address, as no honest node would.
func (n *Node) PutAt(address string, data []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.files[address] = data
}

// Remove forgets a file.
func (n *Node) Remove(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.files, address)
}

// Address is the address of a file with this SHA-256.
func Address(t testing.TB, digest []byte) string {
	t.Helper()
	address, err := addressOf(digest)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func addressOf(digest []byte) (string, error) {
	hash, err := multihash.Encode(digest, multihash.SHA2_256)
	if err != nil {
		return "", err
	}
	return cid.NewCidV1(cid.Raw, hash).String(), nil
}

// Added is the address of every file that was added, in order.
func (n *Node) Added() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.added)
}

// Unpinned is every address that was let go, in order.
func (n *Node) Unpinned() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.unpinned)
}

// Pinned is how many files are pinned.
func (n *Node) Pinned() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.pins)
}

// Add stores and pins a file.
func (n *Node) Add(_ context.Context, r io.Reader) (string, int64, error) {
	if n.BeforeAdd != nil {
		n.BeforeAdd()
	}
	address, size, data, err := n.read(r)
	if err != nil {
		return "", 0, err
	}
	n.mu.Lock()
	n.files[address], n.pins[address] = data, true
	n.added = append(n.added, address)
	n.mu.Unlock()
	if n.AfterAdd != nil {
		n.AfterAdd()
	}
	return address, size, nil
}

// CIDOf is the address that Add would answer.
func (n *Node) CIDOf(_ context.Context, r io.Reader) (string, int64, error) {
	address, size, _, err := n.read(r)
	return address, size, err
}

func (n *Node) read(r io.Reader) (string, int64, []byte, error) {
	if n.Away != nil {
		return "", 0, nil, n.Away
	}
	hash := sha256.New()
	var kept bytes.Buffer
	into := io.MultiWriter(hash, &kept)
	if n.Forget {
		into = hash
	}
	if n.Break != nil {
		if _, err := io.CopyN(into, r, n.BreakAfter); err != nil {
			return "", 0, nil, err
		}
		return "", 0, nil, n.Break
	}
	size, err := io.Copy(into, r)
	if err != nil {
		return "", 0, nil, fmt.Errorf("ipfs add: %w", err)
	}
	address, err := addressOf(hash.Sum(nil))
	return address, size, kept.Bytes(), err
}

// Pin keeps a file.
func (n *Node) Pin(_ context.Context, address string) error {
	if _, err := n.find(address, ipfs.ErrStalled); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pins[address] = true
	return nil
}

// Unpin lets a file go.
func (n *Node) Unpin(_ context.Context, address string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.pins, address)
	n.unpinned = append(n.unpinned, address)
	return n.Away
}

// Cat reads a file; one that is not there stalls.
func (n *Node) Cat(_ context.Context, address string) (io.ReadCloser, error) {
	return n.find(address, ipfs.ErrStalled)
}

// CatOffline reads a file that is there.
func (n *Node) CatOffline(_ context.Context, address string) (io.ReadCloser, error) {
	return n.find(address, ipfs.ErrNotFound)
}

func (n *Node) find(address string, absent error) (io.ReadCloser, error) {
	if n.Away != nil {
		return nil, n.Away
	}
	if err := ipfs.ValidateCID(address); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	data, there := n.files[address]
	if !there {
		return nil, fmt.Errorf("ipfs cat %s: %w", address, absent)
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}
