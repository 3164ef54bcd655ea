package ipfs_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"chancery/workers/ipfs"
)

const mebibyte = 1 << 20

// noise returns n bytes that no other seed gives.
func noise(seed byte, n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

func add(t *testing.T, c *ipfs.Client, r io.Reader) string {
	t.Helper()
	cid, _, err := c.Add(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return cid
}

// digest reads to the end.
func digest(t *testing.T, r io.Reader) ([32]byte, error) {
	t.Helper()
	h := sha256.New()
	_, err := io.Copy(h, r)
	return [32]byte(h.Sum(nil)), err
}

func digestCat(t *testing.T, r io.ReadCloser, err error) ([32]byte, error) {
	t.Helper()
	if err != nil {
		return [32]byte{}, err
	}
	defer r.Close()
	return digest(t, r)
}

func wantErr(t *testing.T, what string, got, want error, temporary bool) {
	t.Helper()
	if !errors.Is(got, want) || ipfs.Temporary(got) != temporary {
		t.Errorf("%s: got %v (temporary: %v), want %v (%v)", what, got, ipfs.Temporary(got), want, temporary)
	}
}

// TestKubo runs the client against real kubo daemons.
func TestKubo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts kubo")
	}
	program := kubo(t)
	near := startNode(t, program)
	far := startNode(t, program, contraryImports)
	far.connect(t, near)

	t.Run("add", func(t *testing.T) { testAdd(t, near) })
	t.Run("same CID everywhere", func(t *testing.T) { testSameCID(t, near, far) })
	t.Run("constant memory", func(t *testing.T) { testConstantMemory(t, near) })
	t.Run("at once", func(t *testing.T) { testAtOnce(t, near) })
	t.Run("source fails", func(t *testing.T) { testSourceFails(t, near) })
	t.Run("replica", func(t *testing.T) { testReplica(t, near, far) })
	t.Run("missing", func(t *testing.T) { testMissing(t, far) })
	t.Run("not a file", func(t *testing.T) { testNotFile(t, near) })
	t.Run("denied", func(t *testing.T) { testDenied(t, near) })
	t.Run("altered store", func(t *testing.T) { testAlteredStore(t, near) })
	t.Run("frozen", func(t *testing.T) { testFrozen(t, far) })
	t.Run("killed", func(t *testing.T) { testKilled(t, far) })
}

// contraryImports is a node whose own way of adding is another in every respect.
func contraryImports(config object) {
	config["Import"] = object{
		"CidVersion": 0, "UnixFSRawLeaves": false, "UnixFSChunker": "size-262144",
		"UnixFSFileMaxLinks": 11, "UnixFSDAGLayout": "trickle",
	}
}

func testAdd(t *testing.T, n *node) {
	c := n.client(t)
	ctx := t.Context()
	for i, size := range []int64{0, 1, mebibyte, mebibyte + 1, 5 * mebibyte} {
		seed := byte(10 + i)
		want, _ := digest(t, noise(seed, size))

		hashed, n, err := c.CIDOf(ctx, noise(seed, size))
		if err != nil || n != size {
			t.Fatalf("hash %d bytes: %d, %v", size, n, err)
		}
		if size > 0 { // an empty file is part of every repository
			_, err = c.CatOffline(ctx, hashed)
			wantErr(t, "hashed only", err, ipfs.ErrNotFound, false)
		}
		added, n, err := c.Add(ctx, iotest.HalfReader(noise(seed, size)))
		if err != nil || n != size || added != hashed {
			t.Fatalf("add %d bytes: %s, %d, %v, want %s", size, added, n, err, hashed)
		}
		if again := add(t, c, noise(seed, size)); again != added {
			t.Errorf("added again as %s, want %s", again, added)
		}
		if size <= mebibyte && added != rawCID(t, want) {
			t.Errorf("%d bytes get %s, want the raw CID of their digest", size, added)
		}
		if pinned, err := c.Pinned(ctx, added); err != nil || !pinned {
			t.Errorf("pinned: %v, %v", pinned, err)
		}
		for range 2 {
			if err := c.Unpin(ctx, added); err != nil {
				t.Errorf("unpin: %v", err)
			}
		}
		if pinned, err := c.Pinned(ctx, added); err != nil || pinned {
			t.Errorf("pinned after unpin: %v, %v", pinned, err)
		}
		r, err := c.CatOffline(ctx, added)
		if got, err := digestCat(t, r, err); err != nil || got != want {
			t.Errorf("%d bytes read back: %v", size, err)
		}
	}
}

// rawCID is the CID of a file of one chunk.
func rawCID(t *testing.T, digest [32]byte) string {
	t.Helper()
	mh, err := multihash.Encode(digest[:], multihash.SHA2_256)
	if err != nil {
		t.Fatal(err)
	}
	return cid.NewCidV1(cid.Raw, mh).String()
}

// testSameCID holds the CID of a file with two levels of links for ever: a
// department that computed another would not find what others registered.
func testSameCID(t *testing.T, nodes ...*node) {
	const size, want = 200 * mebibyte, "bafybeiddfsn43uidsrrz3x33ohgq3z2sh473d7prgfnmyllukdmlzo3xyu"
	for _, n := range nodes {
		cid, _, err := n.client(t).CIDOf(t.Context(), noise(1, size))
		if err != nil || cid != want {
			t.Errorf("got %s, %v, want %s", cid, err, want)
		}
	}
}

func testConstantMemory(t *testing.T, n *node) {
	const size, limit = 64 * mebibyte, 8 * mebibyte
	c := n.client(t)
	var up, down heapPeak
	cid := add(t, c, io.TeeReader(noise(2, size), &up))
	r, err := c.CatOffline(t.Context(), cid)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := io.Copy(&down, r); err != nil || n != size {
		t.Fatalf("read back %d bytes, %v", n, err)
	}
	if up.growth() > limit || down.growth() > limit {
		t.Errorf("%d MiB took %d KiB of heap to add and %d KiB to read", size>>20, up.growth()>>10, down.growth()>>10)
	}
}

// heapPeak samples the live heap every 4 MiB written to it.
type heapPeak struct {
	first, most uint64
	n           int
}

func (h *heapPeak) Write(p []byte) (int, error) {
	const every = 4 << 20
	if h.n/every != (h.n+len(p))/every || h.n == 0 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		if h.first == 0 {
			h.first = m.HeapAlloc
		}
		h.most = max(h.most, m.HeapAlloc)
	}
	h.n += len(p)
	return len(p), nil
}

func (h *heapPeak) growth() uint64 { return h.most - h.first }

func testAtOnce(t *testing.T, n *node) {
	c := n.client(t)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			seed := byte(100 + i)
			want, _ := digest(t, noise(seed, 100_000))
			cid, _, err := c.Add(t.Context(), noise(seed, 100_000))
			if err != nil {
				t.Error(err)
				return
			}
			r, err := c.Cat(t.Context(), cid)
			if got, err := digestCat(t, r, err); err != nil || got != want {
				t.Errorf("read back: %v", err)
			}
		})
	}
	wg.Wait()
}

var errVanished = errors.New("the file was removed half way")

func testSourceFails(t *testing.T, n *node) {
	before := n.pins(t)
	for _, size := range []int64{0, 1, 3*mebibyte + 5} {
		failing := io.MultiReader(noise(3, size), iotest.ErrReader(errVanished))
		cid, got, err := n.client(t).Add(t.Context(), failing)
		wantErr(t, fmt.Sprintf("after %d bytes", size), err, errVanished, false)
		if cid != "" || got != 0 {
			t.Errorf("got %q, %d beside the error", cid, got)
		}
	}
	if after := n.pins(t); !slices.Equal(after, before) {
		t.Errorf("half files are pinned: %d pins, were %d", len(after), len(before))
	}
}

func testReplica(t *testing.T, owner, other *node) {
	ctx := t.Context()
	c := other.client(t)
	want, _ := digest(t, noise(4, 3*mebibyte))
	cid := add(t, owner.client(t), noise(4, 3*mebibyte))
	_, err := c.CatOffline(ctx, cid)
	wantErr(t, "offline before", err, ipfs.ErrNotFound, false)
	r, err := c.Cat(ctx, cid)
	if got, err := digestCat(t, r, err); err != nil || got != want {
		t.Errorf("fetched: %v", err)
	}
	if pinned, err := c.Pinned(ctx, cid); err != nil || pinned {
		t.Errorf("pinned by reading: %v, %v", pinned, err)
	}
	fresh := add(t, owner.client(t), noise(5, 3*mebibyte))
	for _, pin := range []string{cid, fresh, fresh} {
		if err := c.Pin(ctx, pin); err != nil {
			t.Errorf("pin: %v", err)
		}
		if pinned, err := c.Pinned(ctx, pin); err != nil || !pinned {
			t.Errorf("pinned: %v, %v", pinned, err)
		}
		if _, err := digestOffline(t, c, pin); err != nil {
			t.Errorf("replica: %v", err)
		}
	}
}

func digestOffline(t *testing.T, c *ipfs.Client, cid string) ([32]byte, error) {
	t.Helper()
	r, err := c.CatOffline(t.Context(), cid)
	return digestCat(t, r, err)
}

func testMissing(t *testing.T, n *node) {
	missing := rawCID(t, sha256.Sum256([]byte("nobody has this")))
	c := n.client(t, func(config *ipfs.Config) { config.Idle = 300 * time.Millisecond })
	began := time.Now()
	_, err := c.Cat(t.Context(), missing)
	wantErr(t, "cat", err, ipfs.ErrStalled, true)
	wantErr(t, "pin", c.Pin(t.Context(), missing), ipfs.ErrStalled, true)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("waited %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = c.Cat(ctx, missing)
	wantErr(t, "cat with a deadline", err, context.DeadlineExceeded, true)
	if pinned, err := c.Pinned(t.Context(), missing); err != nil || pinned {
		t.Errorf("pinned: %v, %v", pinned, err)
	}
}

func testNotFile(t *testing.T, n *node) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	cid := n.run(t, "add", "-r", "-Q", "--cid-version=1", dir)
	_, err := n.client(t).Cat(t.Context(), cid)
	wantErr(t, "directory", err, ipfs.ErrNotFile, false)
}

func testDenied(t *testing.T, n *node) {
	for _, auth := range []string{"", "bearer:wrong", "basic:tests:wrong"} {
		c := n.client(t, func(config *ipfs.Config) { config.Auth = auth })
		_, err := c.ID(t.Context())
		wantErr(t, "id", err, ipfs.ErrDenied, false)
		_, _, err = c.Add(t.Context(), strings.NewReader("x"))
		wantErr(t, "add", err, ipfs.ErrDenied, false)
	}
}

// testAlteredStore changes blocks behind the node's back.
func testAlteredStore(t *testing.T, n *node) {
	c := n.client(t, func(config *ipfs.Config) { config.Idle = 2 * time.Second })

	small := add(t, c, noise(6, 1000))
	n.flip(t, small)
	_, err := digestOffline(t, c, small)
	wantErr(t, "altered file of one block", err, ipfs.ErrDamaged, false)
	r, err := c.Cat(t.Context(), small)
	_, err = digestCat(t, r, err)
	wantErr(t, "the same with the swarm", err, ipfs.ErrDamaged, false)
	wantErr(t, "pin of it", c.Pin(t.Context(), small), ipfs.ErrDamaged, false)

	large := add(t, c, noise(7, 5*mebibyte))
	n.flip(t, n.links(t, large)[3])
	wantErr(t, "pin of an altered block below the root", c.Pin(t.Context(), large), ipfs.ErrDamaged, false)
	if _, err := digestOffline(t, c, large); err == nil {
		t.Error("altered block below the root: read to the end")
	}
	r, err = c.Cat(t.Context(), large)
	_, err = digestCat(t, r, err)
	wantErr(t, "altered block below the root, which nobody else has", err, ipfs.ErrStalled, true)

	lost := add(t, c, noise(8, 5*mebibyte))
	if err := os.Remove(n.blockFile(t, n.links(t, lost)[4])); err != nil {
		t.Fatal(err)
	}
	if _, err := digestOffline(t, c, lost); err == nil {
		t.Error("lost block: read to the end")
	}
}

// testFrozen stops the daemon without closing its connections.
func testFrozen(t *testing.T, n *node) {
	c := n.client(t, func(config *ipfs.Config) {
		config.Timeout = 300 * time.Millisecond
		config.Idle = 300 * time.Millisecond
	})
	cid := add(t, n.client(t), noise(9, 20*mebibyte))
	r, err := n.client(t, func(config *ipfs.Config) { config.Idle = 300 * time.Millisecond }).CatOffline(t.Context(), cid)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()

	n.freeze(t)
	defer n.signal(t, syscall.SIGCONT)
	_, err = c.ID(t.Context())
	wantErr(t, "id", err, context.DeadlineExceeded, true)
	_, _, err = c.Add(t.Context(), noise(9, 1<<40))
	wantErr(t, "add", err, ipfs.ErrStalled, true)
	_, err = digest(t, r)
	wantErr(t, "cat under way", err, ipfs.ErrStalled, true)
}

// testKilled ends the daemon while it gives and takes, and starts it again.
func testKilled(t *testing.T, n *node) {
	c := n.client(t)
	cid := add(t, c, noise(9, 20*mebibyte))
	r, err := c.CatOffline(t.Context(), cid)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, _, err := c.Add(t.Context(), io.MultiReader(noise(11, mebibyte), killing(n), noise(11, 1<<30))); !ipfs.Temporary(err) {
		t.Errorf("add: got %v, want a temporary error", err)
	}
	if _, err := digest(t, r); !ipfs.Temporary(err) {
		t.Errorf("cat under way: got %v, want a temporary error", err)
	}
	_, err = c.ID(t.Context())
	wantErr(t, "id", err, syscall.ECONNREFUSED, true)
	n.start(t)
	if _, err := digestOffline(t, n.client(t), cid); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// killing ends the node when it is read, and is empty.
func killing(n *node) io.Reader {
	return readerFunc(func([]byte) (int, error) {
		n.stop()
		return 0, io.EOF
	})
}
