package native

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-config/configtx"
	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/nats-io/nkeys"
	"google.golang.org/protobuf/proto"

	"chancery/events/bus"
)

// newFiles makes a network's identities and nothing else.
func newFiles(t *testing.T) *Network {
	t.Helper()
	topology := defaultTopology(t)
	dir := t.TempDir()
	record, err := openRecord(dir, topology)
	if err != nil {
		t.Fatal(err)
	}
	n := &Network{dir: dir, topology: topology, record: record}
	if err := n.makeIdentities(); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestGenesisBlock(t *testing.T) {
	n := newFiles(t)
	block, err := n.genesisBlock()
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(bytes.Join(block.Data.Data, nil))
	if !bytes.Equal(block.Header.DataHash, digest[:]) {
		t.Error("the block's digest is not that of its data")
	}
	var envelope cb.Envelope
	var payload cb.Payload
	var config cb.ConfigEnvelope
	for _, step := range []func() error{
		func() error { return proto.Unmarshal(block.Data.Data[0], &envelope) },
		func() error { return proto.Unmarshal(envelope.Payload, &payload) },
		func() error { return proto.Unmarshal(payload.Data, &config) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	read := configtx.New(config.Config)
	policies, err := read.Application().Policies()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := policies[configtx.EndorsementPolicyKey].Rule, "MAJORITY Endorsement"; got != want {
		t.Errorf("endorsement %q, want %q", got, want)
	}
	for _, d := range n.topology.Departments {
		anchors, err := read.Application().Organization(d.MSP).AnchorPeers()
		if err != nil || len(anchors) != 1 || anchors[0].Port != n.port(partName(d.Name, rolePeer)) {
			t.Errorf("anchor peers of %s: %v (%v)", d.Name, anchors, err)
		}
	}
	ordering, err := read.Orderer().Configuration()
	if err != nil {
		t.Fatal(err)
	}
	if ordering.BatchTimeout != n.topology.Orderer.BatchTimeout || ordering.BatchSize.MaxMessageCount != n.topology.Orderer.MaxMessages {
		t.Errorf("batches %s, %+v", ordering.BatchTimeout, ordering.BatchSize)
	}
}

func TestChaincodePackageIsTheSameEachTime(t *testing.T) {
	n := newFiles(t)
	ids := map[string]bool{}
	for _, d := range n.topology.Departments {
		data, id, err := n.chaincodePackage(d)
		if err != nil {
			t.Fatal(err)
		}
		again, idAgain, err := n.chaincodePackage(d)
		if err != nil || !bytes.Equal(data, again) || id != idAgain {
			t.Errorf("%s: another package the second time (%v)", d.Name, err)
		}
		metadata, _, err := chaincode.ParseChaincodePackage(data)
		if err != nil || metadata.Type != packageType || metadata.Label != "chancery-1" {
			t.Errorf("%s: metadata %+v (%v)", d.Name, metadata, err)
		}
		if ids[id] {
			t.Errorf("%s has the package of another department", d.Name)
		}
		ids[id] = true
	}
}

func TestBusUsersKeepTheirKeys(t *testing.T) {
	dir, specs := t.TempDir(), bus.Users("census")
	first, err := makeBusUsers(dir, specs)
	if err != nil {
		t.Fatal(err)
	}
	second, err := makeBusUsers(dir, specs)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range specs {
		if !nkeys.IsValidPublicUserKey(first[spec.Name]) || first[spec.Name] != second[spec.Name] {
			t.Errorf("%s had key %q, has %q", spec.Name, first[spec.Name], second[spec.Name])
		}
	}
}
