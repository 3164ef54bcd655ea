package native

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"path/filepath"

	"github.com/hyperledger/fabric-config/configtx"
	"github.com/hyperledger/fabric-config/configtx/membership"
	"github.com/hyperledger/fabric-config/configtx/orderer"
	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"chancery/compose"
)

// genesisBlock is the channel's first block: every department, the orderer, and
// the rules under which they act. A majority of departments endorses, both
// transactions and chaincode definitions.
func (n *Network) genesisBlock() (*cb.Block, error) {
	ordering, err := n.orderingConfig()
	if err != nil {
		return nil, err
	}
	channel := configtx.Channel{
		Capabilities: []string{"V3_0"},
		Policies:     metaPolicies(nil),
		Orderer:      ordering,
		Application: configtx.Application{
			Capabilities: []string{"V2_5"},
			Policies: metaPolicies(map[string]string{
				configtx.EndorsementPolicyKey:          "MAJORITY Endorsement",
				configtx.LifecycleEndorsementPolicyKey: "MAJORITY Endorsement",
			}),
		},
	}
	for _, d := range n.topology.Departments {
		org, err := n.departmentConfig(d)
		if err != nil {
			return nil, err
		}
		channel.Application.Organizations = append(channel.Application.Organizations, org)
	}
	block, err := configtx.NewApplicationChannelGenesisBlock(channel, n.topology.Channel)
	if err != nil {
		return nil, err
	}
	return block, n.addAnchorPeers(block)
}

func (n *Network) orderingConfig() (configtx.Orderer, error) {
	o := n.topology.Orderer
	msp, err := readMSP(o.MSP, n.path(ordererName, "msp"))
	if err != nil {
		return configtx.Orderer{}, err
	}
	cert, err := readCertificate(n.path(ordererName, "tls", "orderer", "cert.pem"))
	if err != nil {
		return configtx.Orderer{}, err
	}
	return configtx.Orderer{
		OrdererType:  orderer.ConsensusTypeEtcdRaft,
		State:        orderer.ConsensusStateNormal,
		Capabilities: []string{"V2_0"},
		BatchTimeout: o.BatchTimeout,
		BatchSize: orderer.BatchSize{
			MaxMessageCount:   o.MaxMessages,
			PreferredMaxBytes: o.PreferredBytes,
			AbsoluteMaxBytes:  o.MaxBytes,
		},
		EtcdRaft: orderer.EtcdRaft{
			Consenters: []orderer.Consenter{{
				Address:       orderer.EtcdAddress{Host: loopback, Port: n.port(portOrderer)},
				ClientTLSCert: cert, ServerTLSCert: cert,
			}},
			// A lone orderer that starts again elects itself after one to two
			// times ElectionTick ticks.
			Options: orderer.EtcdRaftOptions{
				TickInterval: "50ms", ElectionTick: 10, HeartbeatTick: 1,
				MaxInflightBlocks: 5, SnapshotIntervalSize: 16 << 20,
			},
		},
		Policies: metaPolicies(map[string]string{configtx.BlockValidationPolicyKey: "ANY Writers"}),
		Organizations: []configtx.Organization{{
			Name: o.MSP, MSP: msp,
			Policies:         orgPolicies(o.MSP),
			OrdererEndpoints: []string{n.address(portOrderer)},
		}},
	}, nil
}

func (n *Network) departmentConfig(d compose.Department) (configtx.Organization, error) {
	msp, err := readMSP(d.MSP, n.path(d.Name, "msp"))
	if err != nil {
		return configtx.Organization{}, fmt.Errorf("%s: %w", d.Name, err)
	}
	policies := orgPolicies(d.MSP)
	policies[configtx.EndorsementPolicyKey] = signedBy(d.MSP, "peer")
	return configtx.Organization{Name: d.MSP, MSP: msp, Policies: policies}, nil
}

// metaPolicies are the policies of a group: any member reads and writes, a
// majority administers, and what more says.
func metaPolicies(more map[string]string) map[string]configtx.Policy {
	rules := map[string]string{
		configtx.ReadersPolicyKey: "ANY Readers",
		configtx.WritersPolicyKey: "ANY Writers",
		configtx.AdminsPolicyKey:  "MAJORITY Admins",
	}
	for key, rule := range more {
		rules[key] = rule
	}
	policies := map[string]configtx.Policy{}
	for key, rule := range rules {
		policies[key] = configtx.Policy{Type: configtx.ImplicitMetaPolicyType, Rule: rule}
	}
	return policies
}

func orgPolicies(msp string) map[string]configtx.Policy {
	return map[string]configtx.Policy{
		configtx.ReadersPolicyKey: signedBy(msp, "member"),
		configtx.WritersPolicyKey: signedBy(msp, "member"),
		configtx.AdminsPolicyKey:  signedBy(msp, "admin"),
	}
}

func signedBy(msp, role string) configtx.Policy {
	return configtx.Policy{Type: configtx.SignaturePolicyType, Rule: fmt.Sprintf("OR('%s.%s')", msp, role)}
}

// readMSP reads an organisation's CAs from dir.
func readMSP(name, dir string) (configtx.MSP, error) {
	ca, err := readCertificate(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return configtx.MSP{}, err
	}
	tlsCA, err := readCertificate(filepath.Join(dir, "tlsca.pem"))
	if err != nil {
		return configtx.MSP{}, err
	}
	unit := func(name string) membership.OUIdentifier {
		return membership.OUIdentifier{Certificate: ca, OrganizationalUnitIdentifier: name}
	}
	return configtx.MSP{
		Name:         name,
		RootCerts:    []*x509.Certificate{ca},
		TLSRootCerts: []*x509.Certificate{tlsCA},
		CryptoConfig: membership.CryptoConfig{SignatureHashFamily: "SHA2", IdentityIdentifierHashFunction: "SHA256"},
		NodeOUs: membership.NodeOUs{
			Enable:              true,
			ClientOUIdentifier:  unit(unitClient),
			PeerOUIdentifier:    unit(unitPeer),
			AdminOUIdentifier:   unit(unitAdmin),
			OrdererOUIdentifier: unit(unitOrderer),
		},
	}, nil
}

// addAnchorPeers writes each department's peer into the block as its anchor:
// without, peers of different departments never meet and no endorsement plan
// spans them. The library leaves them out of the genesis block that it makes,
// so the block is taken apart and its digest made anew.
func (n *Network) addAnchorPeers(block *cb.Block) error {
	var envelope cb.Envelope
	if err := proto.Unmarshal(block.Data.Data[0], &envelope); err != nil {
		return err
	}
	var payload cb.Payload
	if err := proto.Unmarshal(envelope.Payload, &payload); err != nil {
		return err
	}
	var config cb.ConfigEnvelope
	if err := proto.Unmarshal(payload.Data, &config); err != nil {
		return err
	}
	edit := configtx.New(config.Config)
	for _, d := range n.topology.Departments {
		anchor := configtx.Address{Host: loopback, Port: n.port(partName(d.Name, rolePeer))}
		if err := edit.Application().Organization(d.MSP).AddAnchorPeer(anchor); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	config.Config = edit.UpdatedConfig()
	var err error
	if payload.Data, err = proto.Marshal(&config); err != nil {
		return err
	}
	if envelope.Payload, err = proto.Marshal(&payload); err != nil {
		return err
	}
	if block.Data.Data[0], err = proto.Marshal(&envelope); err != nil {
		return err
	}
	digest := sha256.Sum256(block.Data.Data[0])
	block.Header.DataHash = digest[:]
	return nil
}
