package ipfs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-base32"

	"chancery/workers/ipfs"
)

const (
	token     = "bearer:a-token-for-tests"
	startWait = 60 * time.Second
)

// node is a kubo daemon of its own, in a private swarm that all of one test
// binary share.
type node struct {
	program string
	repo    string
	cmd     *exec.Cmd
	log     bytes.Buffer
	api     string // host:port
}

type object = map[string]any

// startNode makes a repository, changes its configuration by the given edits,
// and starts it.
func startNode(t *testing.T, program string, edits ...func(config object)) *node {
	t.Helper()
	n := &node{program: program, repo: filepath.Join(t.TempDir(), "kubo")}
	n.run(t, "init", "--profile=test", "--empty-repo")
	swarm := "/key/swarm/psk/1.0.0/\n/base16/\n" + strings.Repeat("5a", 32) + "\n"
	if err := os.WriteFile(filepath.Join(n.repo, "swarm.key"), []byte(swarm), 0o600); err != nil {
		t.Fatal(err)
	}
	n.configure(t, append([]func(object){private}, edits...))
	n.start(t)
	t.Cleanup(func() { n.stop() })
	return n
}

// private is the configuration of a department's node, as far as it matters to
// its client.
func private(config object) {
	config["Routing"] = object{"Type": "none"}
	config["API"] = object{"Authorizations": object{
		"tests": object{"AuthSecret": token, "AllowedPaths": []string{"/api/v0"}},
	}}
	config["Datastore"].(object)["HashOnRead"] = true
	config["Swarm"].(object)["Transports"] = object{"Network": object{
		"QUIC": false, "Websocket": false, "WebTransport": false, "WebRTCDirect": false,
	}}
}

func (n *node) configure(t *testing.T, edits []func(object)) {
	t.Helper()
	file := filepath.Join(n.repo, "config")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var config object
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	for _, edit := range edits {
		edit(config)
	}
	if text, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (n *node) command(args ...string) *exec.Cmd {
	cmd := exec.Command(n.program, args...)
	cmd.Env = append(os.Environ(), "IPFS_PATH="+n.repo, "LIBP2P_FORCE_PNET=1", "IPFS_TELEMETRY=off", "DO_NOT_TRACK=1")
	return cmd
}

// run runs the ipfs command on the node and returns what it printed.
func (n *node) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := n.command(append([]string{"--api-auth", token}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ipfs %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (n *node) start(t *testing.T) {
	t.Helper()
	n.cmd = n.command("daemon")
	n.cmd.Stdout, n.cmd.Stderr = &n.log, &n.log
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startWait)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		if addr, err := os.ReadFile(filepath.Join(n.repo, "api")); err == nil {
			parts := strings.Split(strings.TrimSpace(string(addr)), "/") // /ip4/127.0.0.1/tcp/5001
			n.api = net.JoinHostPort(parts[2], parts[4])
			if _, err := n.client(t).ID(ctx); err == nil {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			n.stop()
			t.Fatalf("kubo does not start\n%s", &n.log)
		}
	}
}

// stop kills the daemon, which must not matter to it.
func (n *node) stop() {
	n.cmd.Process.Kill()
	n.cmd.Wait()
}

func (n *node) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := n.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// freeze stops the daemon and returns once all of its threads stand still: the
// signal alone leaves it time for an answer.
func (n *node) freeze(t *testing.T) {
	t.Helper()
	n.signal(t, syscall.SIGSTOP)
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(n.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || !status.Stopped() {
			t.Fatalf("freeze: %v, %v", status, err)
		}
		return
	}
}

func (n *node) client(t *testing.T, edits ...func(*ipfs.Config)) *ipfs.Client {
	t.Helper()
	config := ipfs.Config{API: n.api, Auth: token}
	for _, edit := range edits {
		edit(&config)
	}
	c, err := ipfs.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// connect makes n a neighbour of other in the swarm.
func (n *node) connect(t *testing.T, other *node) {
	t.Helper()
	addrs := strings.Fields(other.run(t, "id", "-f", "<addrs>"))
	n.run(t, "swarm", "connect", addrs[0])
}

// links returns the CIDs of the blocks right below the root.
func (n *node) links(t *testing.T, root string) []string {
	t.Helper()
	return strings.Fields(n.run(t, "refs", root))
}

// pins returns all that is pinned, sorted.
func (n *node) pins(t *testing.T) []string {
	t.Helper()
	return slices.Sorted(slices.Values(strings.Fields(n.run(t, "pin", "ls", "-q"))))
}

// blockFile is where the store (flatfs) keeps a block.
func (n *node) blockFile(t *testing.T, text string) string {
	t.Helper()
	c, err := cid.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	name := base32.RawStdEncoding.EncodeToString(c.Hash()) + ".data"
	var found string
	err = filepath.WalkDir(filepath.Join(n.repo, "blocks"), func(file string, _ fs.DirEntry, err error) error {
		if filepath.Base(file) == name {
			found = file
		}
		return err
	})
	if err != nil || found == "" {
		t.Fatalf("no block file %s: %v", name, err)
	}
	return found
}

// flip changes one bit in the middle of a stored block.
func (n *node) flip(t *testing.T, text string) {
	t.Helper()
	file := n.blockFile(t, text)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, data, 0o600)); err != nil {
		t.Fatal(err)
	}
}
