package native

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"
)

// maxLog is the size in bytes at which a part's log is set aside when the
// network starts; one older log is kept.
const maxLog = 64 << 20

// installProgram copies our binary into the data directory: `go run` removes
// the one it started, and a rebuilt one must not change under running parts.
func (n *Network) installProgram(program string) error {
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return fmt.Errorf("own program: %w", err)
		}
	}
	builder := n.path("bin", "builder", "bin")
	if err := os.MkdirAll(builder, 0o700); err != nil {
		return fmt.Errorf("own program: %w", err)
	}
	n.program = n.path("bin", "chancery")
	if err := copyFile(program, n.program, 0o700); err != nil {
		return fmt.Errorf("own program: %w", err)
	}
	for _, step := range builderSteps {
		link := filepath.Join(builder, step)
		if _, err := os.Lstat(link); err == nil {
			continue
		}
		if err := os.Symlink("../../chancery", link); err != nil {
			return fmt.Errorf("own program: %w", err)
		}
	}
	return nil
}

// setLogsAside renames logs that have grown large.
func (n *Network) setLogsAside() error {
	logs, err := filepath.Glob(n.path("logs", "*.log"))
	if err != nil {
		return err
	}
	for _, log := range logs {
		info, err := os.Stat(log)
		if err != nil {
			return err
		}
		if info.Size() < maxLog {
			continue
		}
		if err := os.Rename(log, log+".old"); err != nil {
			return err
		}
	}
	return nil
}

// makeFiles does the steps of the set-up that need no running part, those that
// are not done, and returns the channel's genesis block.
func (n *Network) makeFiles(ctx context.Context) (genesis []byte, err error) {
	steps := []struct {
		name string
		run  func() error
	}{
		{stepIdentities, n.makeIdentities},
		{stepGenesis, n.makeGenesis},
		{stepKubo, func() error { return n.makeRepositories(ctx) }},
	}
	for _, step := range steps {
		if err := n.record.once(step.name, step.run); err != nil {
			return nil, err
		}
	}
	if err := n.makeFabricDirs(); err != nil {
		return nil, err
	}
	for _, d := range n.topology.Departments {
		if err := n.saveProfile(d); err != nil {
			return nil, err
		}
	}
	return os.ReadFile(n.genesisFile())
}

func (n *Network) makeIdentities() error {
	if err := makeOrderer(n.path(ordererName)); err != nil {
		return err
	}
	for _, d := range n.topology.Departments {
		if err := makeDepartment(n.path(d.Name), d.Name); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	return nil
}

func (n *Network) genesisFile() string { return n.path("channel", "genesis.block") }

func (n *Network) makeGenesis() error {
	block, err := n.genesisBlock()
	if err != nil {
		return err
	}
	data, err := proto.Marshal(block)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(n.path("channel"), 0o700); err != nil {
		return err
	}
	return writeFile(n.genesisFile(), data, 0o600)
}

// makePackages makes every department's chaincode package, and its id.
func (n *Network) makePackages() (packages map[string][]byte, ids map[string]string, err error) {
	packages, ids = map[string][]byte{}, map[string]string{}
	for _, d := range n.topology.Departments {
		if packages[d.Name], ids[d.Name], err = n.chaincodePackage(d); err != nil {
			return nil, nil, err
		}
	}
	return packages, ids, n.record.update(func(s *state) { s.Packages = ids })
}
