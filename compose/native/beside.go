package native

import (
	"context"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"strconv"

	contract "chancery/chaincode"
	"chancery/compose"
)

// Beside is a chaincode on the network's channel besides the contract, served
// to each department's peer as the contract is. One goroutine uses it.
type Beside struct {
	// Servers says of each department how its server of this chaincode listens.
	// They must serve before [Beside.Define].
	Servers map[string]contract.ServerConfig

	network  *Network // as it would be with this chaincode for its contract
	packages map[string][]byte
	ids      map[string]string
}

// Beside prepares a further chaincode, whose server listens on loopback at a
// department's port of ports. Another port is another package, and needs
// another sequence of the definition.
func (n *Network) Beside(c compose.Chaincode, ports map[string]int) (*Beside, error) {
	t := n.topology
	t.Chaincode = c
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("chaincode %s: %w", c.Name, err)
	}
	n.record.mu.Lock()
	all := maps.Clone(n.record.state.Ports)
	n.record.mu.Unlock()
	for department, port := range ports {
		all[partName(department, roleChaincode)] = port
	}
	b := &Beside{
		Servers:  map[string]contract.ServerConfig{},
		network:  &Network{dir: n.dir, topology: t, record: &record{state: state{Ports: all}}},
		packages: map[string][]byte{}, ids: map[string]string{},
	}
	for _, d := range t.Departments {
		data, id, err := b.network.chaincodePackage(d)
		if err != nil {
			return nil, err
		}
		b.packages[d.Name], b.ids[d.Name] = data, id
		dir := n.path(d.Name)
		b.Servers[d.Name] = contract.ServerConfig{
			PackageID: id,
			Address:   net.JoinHostPort(loopback, strconv.Itoa(ports[d.Name])),
			TLS: contract.ServerTLS{
				Cert:     filepath.Join(dir, "tls", "chaincode", "cert.pem"),
				Key:      filepath.Join(dir, "tls", "chaincode", "key.pem"),
				ClientCA: filepath.Join(dir, "msp", "tlsca.pem"),
			},
		}
	}
	return b, nil
}

// Define installs the packages, approves and commits the definition as every
// department, what has not been done already, and waits until the peers know
// one another to run it.
func (b *Beside) Define(ctx context.Context) error {
	name := b.network.topology.Chaincode.Name
	if err := b.network.defineChaincode(ctx, b.packages, b.ids); err != nil {
		return fmt.Errorf("define chaincode %s: %w", name, err)
	}
	if err := b.network.awaitPeers(ctx, name); err != nil {
		return fmt.Errorf("wait for the peers to know chaincode %s: %w", name, err)
	}
	return nil
}

// IPFSPath is kubo's own command that the network runs with.
func (n *Network) IPFSPath() string { return n.binaries.IPFS }
