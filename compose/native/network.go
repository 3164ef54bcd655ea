package native

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"chancery/compose"
)

// Network is the network of a data directory. One from Up runs and may be
// waited for, stopped and its parts restarted; one from Open is only looked at.
// It may be used by many goroutines at once.
type Network struct {
	dir      string
	topology compose.Topology
	record   *record
	binaries Binaries

	// The rest is set by Up only.
	lock    *fileLock
	say     *narrator
	program string // the chancery binary that parts run
	stopped chan struct{}

	mu      sync.Mutex
	keepers []*keeper // in the order in which they were started
}

// ErrNoNetwork is wrapped when a data directory holds no network.
var ErrNoNetwork = errors.New("no network")

// Open reads the network in dataDir, whether it runs or not. A directory
// without one is ErrNoNetwork.
func Open(dataDir string) (*Network, error) {
	dir, err := filepath.Abs(dataDir)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	s, err := readState(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s: start one with `chancery up`", ErrNoNetwork, dir)
	}
	if err != nil {
		return nil, err
	}
	return &Network{
		dir: dir, topology: s.Topology, binaries: s.Binaries,
		record: &record{file: filepath.Join(dir, StateName), state: s},
	}, nil
}

// DefaultDataDir is where a network lives unless told otherwise:
// chancery/default in the user's data directory.
func DefaultDataDir() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "chancery", "default"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("data directory: %w", err)
	}
	return filepath.Join(home, ".local", "share", "chancery", "default"), nil
}

// Dir is the data directory, absolute.
func (n *Network) Dir() string { return n.dir }

// Topology is what the network was made from.
func (n *Network) Topology() compose.Topology { return n.topology }

// DepartmentDir is the directory with the department's profile; whether there
// is such a department is the caller's to know.
func (n *Network) DepartmentDir(department string) string {
	return filepath.Join(n.dir, department)
}

// department finds a department by its name.
func (n *Network) department(name string) (compose.Department, error) {
	for _, d := range n.topology.Departments {
		if d.Name == name {
			return d, nil
		}
	}
	return compose.Department{}, fmt.Errorf("no department %q in this network", name)
}

// port is the allotted port of a listener.
func (n *Network) port(name string) int {
	n.record.mu.Lock()
	defer n.record.mu.Unlock()
	return n.record.state.Ports[name]
}

// address is loopback with the allotted port of a listener.
func (n *Network) address(name string) string {
	return address(n.port(name))
}

// path joins names to the data directory.
func (n *Network) path(names ...string) string {
	return filepath.Join(append([]string{n.dir}, names...)...)
}

// PeerEnv is the environment in which Fabric's peer command, which is at
// PeerPath, speaks to the department's peer as one of its identities:
//
//	peer chaincode query -C chancery -n chancery -c '{"Args":[…]}'
func (n *Network) PeerEnv(department, identity string) ([]string, error) {
	d, err := n.department(department)
	if err != nil {
		return nil, err
	}
	msp := n.path(d.Name, "identities", identity, "msp")
	if _, err := os.Stat(msp); err != nil {
		return nil, fmt.Errorf("%s has no identity %q", d.Name, identity)
	}
	return []string{
		"FABRIC_CFG_PATH=" + n.binaries.Config,
		"CORE_PEER_LOCALMSPID=" + d.MSP,
		"CORE_PEER_MSPCONFIGPATH=" + msp,
		"CORE_PEER_ADDRESS=" + n.address(partName(d.Name, rolePeer)),
		"CORE_PEER_TLS_ENABLED=true",
		"CORE_PEER_TLS_ROOTCERT_FILE=" + n.path(d.Name, "msp", "tlsca.pem"),
		"FABRIC_LOGGING_SPEC=error",
	}, nil
}

// PeerPath is Fabric's peer command that the network runs with.
func (n *Network) PeerPath() string { return n.binaries.Peer }

// Wait returns when ctx ends or the network has been stopped. Parts that end by
// themselves are started again meanwhile.
func (n *Network) Wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-n.stopped:
	}
}
