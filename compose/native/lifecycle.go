package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-admin-sdk/pkg/channel"
	"github.com/hyperledger/fabric-admin-sdk/pkg/discovery"
	"github.com/hyperledger/fabric-admin-sdk/pkg/identity"
	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"chancery/compose"
)

// conditionPoll is how often a condition of the ledger is asked for.
const conditionPoll = 100 * time.Millisecond

// joined says whether the orderer serves the channel.
func (o ordererAdmin) joined(ctx context.Context, name string) (bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.base+"/"+name, nil)
	if err != nil {
		return false, err
	}
	status, body, err := o.do(request)
	switch {
	case err != nil:
		return false, err
	case status == http.StatusOK:
		return true, nil
	case status == http.StatusNotFound:
		return false, nil
	}
	return false, fmt.Errorf("orderer answers %d: %s", status, body)
}

// join makes the orderer serve the channel that the block begins.
func (o ordererAdmin) join(ctx context.Context, block []byte) error {
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, err := writer.CreateFormFile("config-block", "config.block")
	if err != nil {
		return err
	}
	if _, err := part.Write(block); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, o.base, &form)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", writer.FormDataContentType())
	status, body, err := o.do(request)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("orderer answers %d: %s", status, body)
	}
	return err
}

func (o ordererAdmin) do(request *http.Request) (status int, body string, err error) {
	response, err := o.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	return response.StatusCode, strings.TrimSpace(string(data)), err
}

// administrator acts for one department on its peer.
type administrator struct {
	department compose.Department
	conn       *grpc.ClientConn
	id         identity.SigningIdentity
}

// administrator connects to the department's peer; the caller closes it.
func (n *Network) administrator(d compose.Department) (*administrator, error) {
	dir := n.path(d.Name)
	cert, err := identity.ReadCertificate(filepath.Join(dir, "identities", "admin", "cert.pem"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	key, err := identity.ReadPrivateKey(filepath.Join(dir, "identities", "admin", "key.pem"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	id, err := identity.NewPrivateKeySigningIdentity(d.MSP, cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	config, err := tlsConfig(filepath.Join(dir, "msp", "tlsca.pem"), "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	conn, err := grpc.NewClient(n.address(partName(d.Name, rolePeer)), grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	return &administrator{department: d, conn: conn, id: id}, nil
}

func (a *administrator) close() { a.conn.Close() }

// eachDepartment runs act as every department's administrator, all at once, and
// returns the errors of all.
func (n *Network) eachDepartment(act func(*administrator) error) error {
	departments := n.topology.Departments
	results := make(chan error, len(departments))
	for _, d := range departments {
		go func() {
			a, err := n.administrator(d)
			if err != nil {
				results <- err
				return
			}
			defer a.close()
			if err := act(a); err != nil {
				results <- fmt.Errorf("%s: %w", d.Name, err)
				return
			}
			results <- nil
		}()
	}
	var all error
	for range departments {
		all = errors.Join(all, <-results)
	}
	return all
}

// joinChannel makes the orderer and every peer join the channel, those that
// have not.
func (n *Network) joinChannel(ctx context.Context, genesis []byte) error {
	client, err := n.ordererAdminClient()
	if err != nil {
		return err
	}
	there, err := client.joined(ctx, n.topology.Channel)
	if err != nil {
		return err
	}
	if !there {
		if err := client.join(ctx, genesis); err != nil {
			return err
		}
	}
	err = until(ctx, readyPoll, func(ctx context.Context) error {
		return leads(ctx, n.address(portOrdererMetrics), n.topology.Channel)
	})
	if err != nil {
		return err
	}
	var block cb.Block
	if err := proto.Unmarshal(genesis, &block); err != nil {
		return fmt.Errorf("genesis block: %w", err)
	}
	return n.eachDepartment(func(a *administrator) error {
		channels, err := channel.ListChannelOnPeer(ctx, a.conn, a.id)
		if err != nil {
			return err
		}
		for _, c := range channels {
			if c.ChannelId == n.topology.Channel {
				return nil
			}
		}
		return channel.JoinChannel(ctx, a.conn, a.id, &block)
	})
}

// defineChaincode installs the departments' packages, approves the definition
// as each of them, and commits it. What has been done already is left as it is.
func (n *Network) defineChaincode(ctx context.Context, packages map[string][]byte, ids map[string]string) error {
	if err := n.awaitPeers(ctx, ""); err != nil {
		return err
	}
	err := n.eachDepartment(func(a *administrator) error {
		if err := install(ctx, a, packages[a.department.Name], ids[a.department.Name]); err != nil {
			return fmt.Errorf("install: %w", err)
		}
		if err := n.approve(ctx, a, ids[a.department.Name]); err != nil {
			return fmt.Errorf("approve: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	a, err := n.administrator(n.topology.Departments[0])
	if err != nil {
		return err
	}
	defer a.close()
	gateway := chaincode.NewGateway(a.conn, a.id)
	return until(ctx, conditionPoll, func(ctx context.Context) error {
		if n.committed(ctx, gateway) {
			return nil
		}
		definition := n.definition("")
		ready, err := gateway.CheckCommitReadiness(ctx, definition)
		if err != nil {
			return err
		}
		for msp, approved := range ready.Approvals {
			if !approved {
				return fmt.Errorf("%s's peer has not seen %s's approval", a.department.Name, msp)
			}
		}
		return gateway.Commit(ctx, definition)
	})
}

func (n *Network) definition(packageID string) *chaincode.Definition {
	c := n.topology.Chaincode
	return &chaincode.Definition{
		ChannelName: n.topology.Channel, PackageID: packageID,
		Name: c.Name, Version: c.Version, Sequence: c.Sequence,
	}
}

func (n *Network) committed(ctx context.Context, gateway *chaincode.Gateway) bool {
	c := n.topology.Chaincode
	found, err := gateway.QueryCommittedWithName(ctx, n.topology.Channel, c.Name)
	return err == nil && found.Sequence >= c.Sequence
}

func install(ctx context.Context, a *administrator, data []byte, id string) error {
	p := chaincode.NewPeer(a.conn, a.id)
	installed, err := p.QueryInstalled(ctx)
	if err != nil {
		return err
	}
	for _, c := range installed.InstalledChaincodes {
		if c.PackageId == id {
			return nil
		}
	}
	result, err := p.Install(ctx, bytes.NewReader(data))
	if err != nil {
		return err
	}
	if result.PackageId != id {
		return fmt.Errorf("the peer calls the package %s, not %s", result.PackageId, id)
	}
	return nil
}

func (n *Network) approve(ctx context.Context, a *administrator, packageID string) error {
	gateway := chaincode.NewGateway(a.conn, a.id)
	c := n.topology.Chaincode
	approved, err := gateway.QueryApproved(ctx, n.topology.Channel, c.Name, c.Sequence)
	if err == nil && approved.GetSource().GetLocalPackage().GetPackageId() == packageID {
		return nil
	}
	return gateway.Approve(ctx, n.definition(packageID))
}

// awaitPeers waits until every department's peer knows a peer of each
// department, and knows it to run the chaincode if one is named: then an
// endorsement plan spans them all.
func (n *Network) awaitPeers(ctx context.Context, chaincodeName string) error {
	var filter *peer.ChaincodeInterest
	if chaincodeName != "" {
		filter = &peer.ChaincodeInterest{Chaincodes: []*peer.ChaincodeCall{{Name: chaincodeName}}}
	}
	return n.eachDepartment(func(a *administrator) error {
		seeker := discovery.NewPeer(a.conn, a.id)
		return until(ctx, conditionPoll, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, readyLimit)
			defer cancel()
			found, err := seeker.PeerMembershipQuery(ctx, n.topology.Channel, filter)
			if err != nil {
				return err
			}
			for _, d := range n.topology.Departments {
				if len(found.GetPeersByOrg()[d.MSP].GetPeers()) == 0 {
					return fmt.Errorf("the peer does not know %s's yet", d.Name)
				}
			}
			return nil
		})
	})
}

// height is the number of blocks on the department's peer.
func (n *Network) height(ctx context.Context, d compose.Department) (uint64, error) {
	a, err := n.administrator(d)
	if err != nil {
		return 0, err
	}
	defer a.close()
	info, err := channel.GetBlockChainInfo(ctx, a.conn, a.id, n.topology.Channel)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", d.Name, err)
	}
	return info.Height, nil
}
