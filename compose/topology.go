// Package compose describes the network of departments, once, for every way of
// running it: processes on one machine (compose/native) and containers.
package compose

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"gopkg.in/yaml.v3"
)

//go:embed topology.yaml
var topologyYAML []byte

// Topology says which departments share a channel and how its blocks are cut.
type Topology struct {
	// Channel is the name of the Fabric channel that all departments join.
	Channel string `yaml:"channel" json:"channel"`
	// Chaincode is the contract's definition on that channel.
	Chaincode Chaincode `yaml:"chaincode" json:"chaincode"`
	// Orderer is the one Raft orderer, an organisation of its own.
	Orderer Orderer `yaml:"orderer" json:"orderer"`
	// Departments holds at least one department, in the order in which they
	// are shown.
	Departments []Department `yaml:"departments" json:"departments"`
}

// Chaincode is the definition that every department approves.
type Chaincode struct {
	Name     string `yaml:"name" json:"name"`
	Version  string `yaml:"version" json:"version"`
	Sequence int64  `yaml:"sequence" json:"sequence"` // from 1
}

// Orderer holds the ordering service's settings in the channel configuration.
type Orderer struct {
	MSP string `yaml:"msp" json:"msp"`
	// BatchTimeout is how long a transaction waits for company in its block:
	// 10 ms to 10 s.
	BatchTimeout time.Duration `yaml:"batchTimeout" json:"batchTimeout"`
	// MaxMessages is the number of transactions in a full block, from 1.
	MaxMessages uint32 `yaml:"maxMessages" json:"maxMessages"`
	// PreferredBytes and MaxBytes bound a block and a transaction, in bytes;
	// preferred is not above max.
	PreferredBytes uint32 `yaml:"preferredBytes" json:"preferredBytes"`
	MaxBytes       uint32 `yaml:"maxBytes" json:"maxBytes"`
}

// Department is one organisation on the channel.
type Department struct {
	// Name is the department's identity in records, subjects and events:
	// 1 to 32 of [a-z0-9-], beginning with a letter.
	Name string `yaml:"name" json:"name"`
	// MSP is its Fabric membership service provider's id.
	MSP string `yaml:"msp" json:"msp"`
}

var (
	departmentName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	mspName        = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`)
	channelName    = regexp.MustCompile(`^[a-z][a-z0-9.-]{0,248}$`)
	chaincodeName  = regexp.MustCompile(`^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$`)
	versionName    = regexp.MustCompile(`^[A-Za-z0-9_.+-]{1,64}$`)
)

// reserved names are directories of a network's own in its data directory.
var reserved = map[string]bool{"orderer": true, "bin": true, "logs": true, "channel": true}

// Default is the topology that the binary carries.
func Default() (Topology, error) {
	return Parse(topologyYAML)
}

// Parse reads one YAML document strictly: an unknown key, a second document, a
// name out of its alphabet or used twice, and a bound out of its range are
// errors.
func Parse(data []byte) (Topology, error) {
	var t Topology
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&t); err != nil {
		return Topology{}, fmt.Errorf("topology: %w", err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Topology{}, errors.New("topology: more than one document")
	}
	if err := t.Validate(); err != nil {
		return Topology{}, fmt.Errorf("topology: %w", err)
	}
	return t, nil
}

// Validate reports the first name or bound that is out of its range.
func (t Topology) Validate() error {
	for _, field := range []struct {
		what, value string
		form        *regexp.Regexp
	}{
		{"channel", t.Channel, channelName},
		{"chaincode name", t.Chaincode.Name, chaincodeName},
		{"chaincode version", t.Chaincode.Version, versionName},
		{"orderer msp", t.Orderer.MSP, mspName},
	} {
		if !field.form.MatchString(field.value) {
			return fmt.Errorf("%s %q does not match %s", field.what, field.value, field.form)
		}
	}
	if t.Chaincode.Sequence < 1 {
		return fmt.Errorf("chaincode sequence %d is below 1", t.Chaincode.Sequence)
	}
	if err := t.Orderer.validate(); err != nil {
		return fmt.Errorf("orderer: %w", err)
	}
	return t.validateDepartments()
}

func (o Orderer) validate() error {
	switch {
	case o.BatchTimeout < 10*time.Millisecond || o.BatchTimeout > 10*time.Second:
		return fmt.Errorf("batchTimeout %s is not between 10ms and 10s", o.BatchTimeout)
	case o.MaxMessages < 1:
		return errors.New("maxMessages is below 1")
	case o.PreferredBytes < 1 || o.PreferredBytes > o.MaxBytes:
		return fmt.Errorf("preferredBytes %d is not between 1 and maxBytes %d", o.PreferredBytes, o.MaxBytes)
	}
	return nil
}

func (t Topology) validateDepartments() error {
	if len(t.Departments) == 0 {
		return errors.New("no departments")
	}
	names, msps := map[string]bool{}, map[string]bool{t.Orderer.MSP: true}
	for _, d := range t.Departments {
		switch {
		case !departmentName.MatchString(d.Name):
			return fmt.Errorf("department name %q does not match %s", d.Name, departmentName)
		case reserved[d.Name]:
			return fmt.Errorf("department name %q is reserved", d.Name)
		case !mspName.MatchString(d.MSP):
			return fmt.Errorf("department %s: msp %q does not match %s", d.Name, d.MSP, mspName)
		case names[d.Name]:
			return fmt.Errorf("department %s is listed twice", d.Name)
		case msps[d.MSP]:
			return fmt.Errorf("department %s: msp %s is used twice", d.Name, d.MSP)
		}
		names[d.Name], msps[d.MSP] = true, true
	}
	return nil
}
