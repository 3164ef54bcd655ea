package workers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// ProfileName is the profile's file in a department's directory.
const ProfileName = "department.yaml"

// Profile says where one department's parts are: its peer, bus, kubo node and
// directories. Every command and worker reads it. In the file paths are
// relative to the profile's directory; in a loaded Profile they are absolute.
type Profile struct {
	// Department is the department's name on the ledger, MSP its Fabric id.
	Department string `yaml:"department"`
	MSP        string `yaml:"msp"`
	// Channel and Chaincode name the contract.
	Channel   string `yaml:"channel"`
	Chaincode string `yaml:"chaincode"`
	// Peer is the department's own Fabric peer.
	Peer PeerProfile `yaml:"peer"`
	// PeerCertificate is that peer's signing certificate (PEM): a worker that
	// moves a key demands its endorsement.
	PeerCertificate string `yaml:"peerCertificate"`
	// Identities holds a directory for each Fabric identity, with cert.pem and
	// key.pem.
	Identities string `yaml:"identities"`
	// Keystore holds the department's encryption secrets, mode 0700.
	Keystore string `yaml:"keystore"`
	// Bus is the department's NATS server.
	Bus BusProfile `yaml:"bus"`
	// IPFS is the department's kubo node.
	IPFS IPFSProfile `yaml:"ipfs"`
	// Spool holds the files that a command may name.
	Spool string `yaml:"spool"`
	// Inbox receives delivered files, <grant id>/<slot>/<file name>, and the
	// results of jobs, <job id>/result.csv.
	Inbox string `yaml:"inbox"`
	// Journal holds the sealing journal, the wraps, and masks, contributions and
	// shares of jobs.
	Journal string `yaml:"journal"`
	// Policy is the file of the rules by which the worker of that name decides
	// requests; empty, or not there: an officer decides them all.
	Policy string `yaml:"policy"`
	// Metrics is where `chancery run` serves the workers' figures, host:port;
	// empty: on any free port.
	Metrics string `yaml:"metrics,omitempty"`
}

// PeerProfile is how to reach the department's peer over TLS.
type PeerProfile struct {
	Address    string `yaml:"address"`    // host:port
	TLSCA      string `yaml:"tlsCA"`      // file, PEM
	ServerName string `yaml:"serverName"` // name in the peer's TLS certificate
}

// BusProfile is how to reach the department's NATS server.
type BusProfile struct {
	URL   string `yaml:"url"`   // tls://host:port
	CA    string `yaml:"ca"`    // file, PEM
	NKeys string `yaml:"nkeys"` // directory, a seed for each user: <user>.nk
}

// IPFSProfile is how to reach the department's kubo node.
type IPFSProfile struct {
	API string `yaml:"api"` // host:port of the RPC API
	// Auth is the bearer token of the RPC API, sent as
	// "Authorization: Bearer <auth>". The profile's file is for its owner only.
	Auth string `yaml:"auth"`
}

// LoadProfile reads dir/department.yaml. An unknown key, an empty value and a
// second document are errors.
func LoadProfile(dir string) (Profile, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Profile{}, fmt.Errorf("profile: %w", err)
	}
	file := filepath.Join(dir, ProfileName)
	data, err := os.ReadFile(file)
	if err != nil {
		return Profile{}, fmt.Errorf("profile: %w", err)
	}
	p, err := parseProfile(data)
	if err != nil {
		return Profile{}, fmt.Errorf("profile %s: %w", file, err)
	}
	for _, path := range p.paths() {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	return p, nil
}

func parseProfile(data []byte) (Profile, error) {
	var p Profile
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&p); err != nil {
		return Profile{}, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Profile{}, errors.New("more than one document")
	}
	if err := p.complete(); err != nil {
		return Profile{}, err
	}
	return p, nil
}

// Save writes the profile to dir/department.yaml, for its owner only, in one
// step: a reader sees the old file or the new one. Paths below dir are written
// relative to it.
func (p Profile) Save(dir string) error {
	if err := p.complete(); err != nil {
		return fmt.Errorf("profile of %s: %w", dir, err)
	}
	for _, path := range p.paths() {
		if rel, err := filepath.Rel(dir, *path); err == nil && filepath.IsAbs(*path) && filepath.IsLocal(rel) {
			*path = rel
		}
	}
	data, err := yaml.Marshal(p)
	if err != nil {
		return fmt.Errorf("profile of %s: %w", dir, err)
	}
	temp, err := os.CreateTemp(dir, ProfileName+".*")
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(data)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	if err := os.Rename(temp.Name(), filepath.Join(dir, ProfileName)); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return nil
}

// paths points at every field that names a file or a directory.
func (p *Profile) paths() []*string {
	return []*string{
		&p.Peer.TLSCA, &p.PeerCertificate, &p.Identities, &p.Keystore,
		&p.Bus.CA, &p.Bus.NKeys, &p.Spool, &p.Inbox, &p.Journal, &p.Policy,
	}
}

// complete reports the first key that has no value. What may be empty:
// ipfs.auth, a kubo node without authorisation; policy, no rules; metrics.
func (p Profile) complete() error {
	for _, field := range []struct{ key, value string }{
		{"department", p.Department}, {"msp", p.MSP},
		{"channel", p.Channel}, {"chaincode", p.Chaincode},
		{"peer.address", p.Peer.Address}, {"peer.tlsCA", p.Peer.TLSCA}, {"peer.serverName", p.Peer.ServerName},
		{"peerCertificate", p.PeerCertificate}, {"identities", p.Identities}, {"keystore", p.Keystore},
		{"bus.url", p.Bus.URL}, {"bus.ca", p.Bus.CA}, {"bus.nkeys", p.Bus.NKeys},
		{"ipfs.api", p.IPFS.API},
		{"spool", p.Spool}, {"inbox", p.Inbox}, {"journal", p.Journal},
	} {
		if field.value == "" {
			return fmt.Errorf("%s is missing", field.key)
		}
	}
	return nil
}
