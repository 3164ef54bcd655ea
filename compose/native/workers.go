package native

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"chancery/compose"
	"chancery/workers"
)

const (
	// ownGrace is how long a part of ours may take to finish what it does.
	ownGrace = 10 * time.Second
	// readyVariable names the file that a part of ours makes when it is ready.
	readyVariable = "CHANCERY_READY_FILE"
)

// AnnounceReady says that this program does its work now, to a launcher that
// waits for it. A program that no launcher started announces nothing.
func AnnounceReady() error {
	file := os.Getenv(readyVariable)
	if file == "" {
		return nil
	}
	return os.WriteFile(file, nil, 0o600)
}

// workersPart runs all of a department's workers.
func (n *Network) workersPart(d compose.Department) Part {
	dir := n.path(d.Name)
	ready := filepath.Join(dir, "workers.ready")
	return Part{
		Name: partName(d.Name, roleWorkers), Department: d.Name, Role: roleWorkers,
		Path: n.program, Args: []string{"run", "--data", n.dir, "--department", d.Name},
		Dir: dir, Address: n.address(partName(d.Name, portMetrics)), ReadyFile: ready, Grace: 2 * ownGrace,
		Ready: func(context.Context) error {
			_, err := os.Stat(ready)
			return err
		},
	}
}

// saveProfile writes what the department's commands and workers read, and makes
// the directories that it names.
func (n *Network) saveProfile(d compose.Department) error {
	dir := n.path(d.Name)
	for _, name := range []string{"keystore", "spool", "inbox", "journal"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return err
		}
	}
	token, err := n.kuboToken(d)
	if err != nil {
		return err
	}
	profile := workers.Profile{
		Department: d.Name,
		MSP:        d.MSP,
		Channel:    n.topology.Channel,
		Chaincode:  n.topology.Chaincode.Name,
		Peer: workers.PeerProfile{
			Address:    n.address(partName(d.Name, rolePeer)),
			TLSCA:      "msp/tlsca.pem",
			ServerName: "peer." + d.Name,
		},
		PeerCertificate: "msp/peer/cert.pem",
		Identities:      "identities",
		Keystore:        "keystore",
		Bus: workers.BusProfile{
			URL:   "tls://" + n.address(partName(d.Name, roleBus)),
			CA:    "bus/ca.pem",
			NKeys: "bus/nkeys",
		},
		IPFS:    workers.IPFSProfile{API: n.address(partName(d.Name, roleKubo)), Auth: token},
		Spool:   "spool",
		Inbox:   "inbox",
		Journal: "journal",
		Policy:  "policy.yaml",
		Metrics: n.address(partName(d.Name, portMetrics)),
	}
	return profile.Save(dir)
}
