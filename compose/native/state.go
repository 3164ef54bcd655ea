package native

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"chancery/compose"
)

// StateName is the file in the data directory that records the network.
const StateName = "network.json"

// stateFormat is the version of that file.
const stateFormat = 1

// The steps of the set-up, each recorded when it is done for good. A step that
// is not recorded is done again, over what an interrupted attempt left.
const (
	stepIdentities = "identities" // CAs, MSPs, TLS certificates
	stepGenesis    = "genesis"    // the channel's first block
	stepKubo       = "kubo"       // kubo's repositories
	stepChannel    = "channel"    // orderer and peers have joined
	stepChaincode  = "chaincode"  // installed, approved, committed
	stepBootstrap  = "bootstrap"  // Options.Bootstrap returned nil
)

// state is the contents of network.json.
type state struct {
	Format   int              `json:"format"`
	Topology compose.Topology `json:"topology"`
	// Ports holds each listener's port by its name: "orderer", "census-peer".
	Ports map[string]int `json:"ports"`
	// Packages holds the chaincode package id of each department.
	Packages map[string]string    `json:"packages,omitempty"`
	Steps    map[string]time.Time `json:"steps,omitempty"`
	// Binaries are what the network was last started with.
	Binaries Binaries `json:"binaries"`
	// Parts are the processes, as they were when the file was written; only
	// while the launcher runs do they mean anything.
	Parts []PartStatus `json:"parts,omitempty"`
}

// record keeps network.json in step with the state. It may be used by many
// goroutines at once.
type record struct {
	file string

	mu    sync.Mutex
	state state
}

// readState reads dir/network.json; fs.ErrNotExist if there is none.
func readState(dir string) (state, error) {
	file := filepath.Join(dir, StateName)
	data, err := os.ReadFile(file)
	if err != nil {
		return state{}, err
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return state{}, fmt.Errorf("%s is damaged: %w", file, err)
	}
	if s.Format != stateFormat {
		return state{}, fmt.Errorf("%s has format %d; this program knows %d", file, s.Format, stateFormat)
	}
	if err := s.Topology.Validate(); err != nil {
		return state{}, fmt.Errorf("%s is damaged: %w", file, err)
	}
	return s, nil
}

// openRecord reads the record of the network in dir or, if dir holds none yet,
// begins one for topology. The network's topology never changes.
func openRecord(dir string, topology compose.Topology) (*record, error) {
	r := &record{file: filepath.Join(dir, StateName)}
	s, err := readState(dir)
	switch {
	case err == nil:
		if !reflect.DeepEqual(s.Topology, topology) {
			return nil, fmt.Errorf("%s was made from another topology; start the new one with another --data", dir)
		}
		r.state = s
		r.state.Parts = nil
		return r, r.completePorts()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	for _, d := range topology.Departments {
		if _, err := os.Lstat(filepath.Join(dir, d.Name)); err == nil {
			return nil, fmt.Errorf("%s holds department %s but no %s; restore that file, or use another --data", dir, d.Name, StateName)
		}
	}
	ports, err := allotPorts(portNames(topology), nil)
	if err != nil {
		return nil, err
	}
	r.state = state{Format: stateFormat, Topology: topology, Ports: ports}
	return r, r.save()
}

// portNames lists every listener of the network.
func portNames(t compose.Topology) []string {
	names := []string{portOrderer, portOrdererAdmin, portOrdererMetrics}
	for _, d := range t.Departments {
		for _, kind := range []string{rolePeer, roleChaincode, roleKubo, portSwarm, roleBus} {
			names = append(names, partName(d.Name, kind))
		}
	}
	for _, d := range t.Departments {
		names = append(names, partName(d.Name, portMetrics))
	}
	return names
}

// completePorts allots a port to each listener that has none: the network was
// made before there was that listener.
func (r *record) completePorts() error {
	var missing []string
	for _, name := range portNames(r.state.Topology) {
		if r.state.Ports[name] == 0 {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	taken := map[int]bool{}
	for _, port := range r.state.Ports {
		taken[port] = true
	}
	ports, err := allotPorts(missing, taken)
	if err != nil {
		return err
	}
	return r.update(func(s *state) { maps.Copy(s.Ports, ports) })
}

// Names of ports that are not a part's own name.
const (
	portOrderer        = "orderer"
	portOrdererAdmin   = "orderer-admin"
	portOrdererMetrics = "orderer-metrics"
	portSwarm          = "kubo-swarm"
	portMetrics        = "workers-metrics"
)

func partName(department, role string) string {
	return department + "-" + role
}

// update changes the state and writes it.
func (r *record) update(change func(*state)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.state)
	return r.save()
}

// save writes the state; r.mu is held, or nobody else knows r yet.
func (r *record) save() error {
	data, err := json.MarshalIndent(r.state, "", "  ")
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if err := writeFile(r.file, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

// done says whether the step is recorded.
func (r *record) done(step string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.state.Steps[step].IsZero()
}

// once runs a step of the set-up that is not recorded, and records it.
func (r *record) once(step string, run func() error) error {
	if r.done(step) {
		return nil
	}
	if err := run(); err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	return r.update(func(s *state) {
		if s.Steps == nil {
			s.Steps = map[string]time.Time{}
		}
		s.Steps[step] = time.Now().UTC()
	})
}
