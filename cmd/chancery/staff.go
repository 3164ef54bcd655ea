package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/keystore"
	"chancery/events/bus"
	"chancery/workers"
	"chancery/workers/combine"
	"chancery/workers/compute"
	"chancery/workers/decrypt"
	"chancery/workers/encrypt"
	"chancery/workers/intake"
	"chancery/workers/ipfs"
	"chancery/workers/journal"
	"chancery/workers/listen"
	"chancery/workers/pin"
	"chancery/workers/policy"
	"chancery/workers/receive"
	"chancery/workers/release"
	"chancery/workers/verify"
)

// staff is workers of one department with what they share.
type staff struct {
	workers []workers.Worker

	profile workers.Profile
	peer    *x509.Certificate // of the department's own peer
	ledger  *ledger.Client    // as the department's worker
	decider *ledger.Client    // as the department's identity policy
	rules   *policy.File
	keys    *keystore.Store
	journal *journal.Journal
	node    *ipfs.Client
	conns   []*bus.Conn
	metrics *workers.Metrics
}

// roster is every worker, in the order of the flow. Each has a connection of
// its own to the bus, as the user of its name.
var roster = []struct {
	name string
	hire func(*staff, *bus.Conn) workers.Worker
}{
	{listen.Name, (*staff).listen},
	{intake.Name, (*staff).intake},
	{encrypt.Name, (*staff).encrypt},
	{pin.Name, (*staff).pin},
	{verify.Name, (*staff).verify},
	{policy.Name, (*staff).policy},
	{release.Name, (*staff).release},
	{receive.Name, (*staff).receive},
	{compute.Name, (*staff).compute},
	{decrypt.Name, (*staff).decrypt},
	{combine.Name, (*staff).combine},
}

func workerNames() []string {
	names := make([]string, len(roster))
	for i, r := range roster {
		names[i] = r.name
	}
	return names
}

// hire opens what a department's workers need and makes those that are named.
// The caller closes the staff.
func (a *app) hire(ctx context.Context, profile workers.Profile, names []string, metrics *workers.Metrics) (*staff, error) {
	s := &staff{profile: profile, metrics: metrics}
	err := s.open(ctx, a)
	if err == nil && slices.Contains(names, policy.Name) {
		err = s.openPolicy(ctx)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	for _, r := range roster {
		if !slices.Contains(names, r.name) {
			continue
		}
		conn, err := bus.Connect(ctx, bus.Config{
			URL: profile.Bus.URL, CA: profile.Bus.CA, NKeys: profile.Bus.NKeys, User: r.name, Patient: true,
		})
		if err != nil {
			s.close()
			return nil, err
		}
		s.conns = append(s.conns, conn)
		worker := r.hire(s, conn)
		worker.Bus = conn
		s.workers = append(s.workers, worker)
	}
	return s, nil
}

func (s *staff) open(ctx context.Context, a *app) (err error) {
	p := s.profile
	if s.peer, err = readCertificate(p.PeerCertificate); err != nil {
		return fmt.Errorf("certificate of the peer: %w", err)
	}
	if s.keys, err = keystore.Open(p.Keystore); err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	if s.journal, err = journal.Open(p.Journal, s.keys); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if s.node, err = ipfs.New(ipfs.Config{API: p.IPFS.API, Auth: bearer(p.IPFS.Auth)}); err != nil {
		return err
	}
	s.ledger, err = a.dial(ctx, p, exchange.Worker)
	return err
}

// openPolicy reads the rules and opens the ledger as the identity that signs
// what they decide, whichever identity the other workers sign as.
func (s *staff) openPolicy(ctx context.Context) (err error) {
	if s.rules, err = policy.Open(s.profile.Policy); err != nil {
		return fmt.Errorf("worker %s: %w", policy.Name, err)
	}
	s.decider, err = ledger.Dial(ctx, ledgerConfig(s.profile, filepath.Join(s.profile.Identities, string(exchange.Policy))))
	return err
}

func (s *staff) close() {
	for _, conn := range s.conns {
		conn.Close()
	}
	for _, client := range []*ledger.Client{s.ledger, s.decider} {
		if client != nil {
			client.Close()
		}
	}
}

func readCertificate(file string) (*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New(file + " holds no certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

func (s *staff) listen(conn *bus.Conn) workers.Worker {
	return listen.New(listen.Config{Channel: s.profile.Channel, Ledger: s.ledger, Bus: conn, Registerer: s.metrics.Registerer()})
}

func (s *staff) intake(conn *bus.Conn) workers.Worker {
	return intake.New(intake.Config{
		Department: s.profile.Department, MSP: s.profile.MSP, Spool: s.profile.Spool, Ledger: s.ledger, Bus: conn,
	})
}

func (s *staff) encrypt(conn *bus.Conn) workers.Worker {
	return encrypt.New(encrypt.Config{
		Department: s.profile.Department, MSP: s.profile.MSP, Spool: s.profile.Spool,
		Keys: s.keys, Journal: s.journal, Node: s.node, Ledger: s.ledger, Bus: conn,
	})
}

func (s *staff) pin(conn *bus.Conn) workers.Worker {
	return pin.New(pin.Config{
		Department: s.profile.Department, MSP: s.profile.MSP,
		Journal: s.journal, Node: s.node, Ledger: s.ledger, Bus: conn,
	})
}

func (s *staff) verify(*bus.Conn) workers.Worker {
	return verify.New(verify.Config{Department: s.profile.Department, Node: s.node, Ledger: s.ledger})
}

func (s *staff) policy(*bus.Conn) workers.Worker {
	return policy.New(policy.Config{Department: s.profile.Department, Rules: s.rules, Ledger: s.decider})
}

func (s *staff) release(*bus.Conn) workers.Worker {
	return release.New(release.Config{
		Department: s.profile.Department, MSP: s.profile.MSP, Peer: s.peer, Chaincode: s.profile.Chaincode,
		Journal: s.journal, Node: s.node, Ledger: s.ledger,
	})
}

func (s *staff) receive(*bus.Conn) workers.Worker {
	return receive.New(receive.Config{
		Department: s.profile.Department, Inbox: s.profile.Inbox, Keys: s.keys, Node: s.node, Ledger: s.ledger,
	})
}

func (s *staff) compute(*bus.Conn) workers.Worker {
	return compute.New(compute.Config{
		Department: s.profile.Department, MSP: s.profile.MSP, Peer: s.peer, Chaincode: s.profile.Chaincode,
		Keys: s.keys, Journal: s.journal, Node: s.node, Ledger: s.ledger,
	})
}

func (s *staff) decrypt(*bus.Conn) workers.Worker {
	return decrypt.New(decrypt.Config{
		Department: s.profile.Department, MSP: s.profile.MSP, Peer: s.peer, Chaincode: s.profile.Chaincode,
		Keys: s.keys, Journal: s.journal, Ledger: s.ledger,
	})
}

func (s *staff) combine(*bus.Conn) workers.Worker {
	return combine.New(combine.Config{
		Department: s.profile.Department, Inbox: s.profile.Inbox, Keys: s.keys, Journal: s.journal, Ledger: s.ledger,
	})
}
