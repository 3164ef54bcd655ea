package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"chancery/chaincode/exchange"
	"chancery/workers"
)

// wire is Fabric as its own client library shows it: what raw Fabric can do is
// measured by it, and nothing of ours is in between. Any number of goroutines
// may use it.
type wire struct {
	conn    *grpc.ClientConn
	gateway *client.Gateway
	channel *client.Network
}

const (
	wireLimit   = 30 * time.Second
	wireMessage = 100 << 20 // bytes: the peer's own bound
)

// openWire connects to a department's peer as one of its identities.
func openWire(p workers.Profile, as exchange.Role) (*wire, error) {
	dir := filepath.Join(p.Identities, string(as))
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		return nil, fmt.Errorf("identity %s of %s: %w", as, p.Department, err)
	}
	id, err := identity.NewX509Identity(p.MSP, pair.Leaf)
	if err != nil {
		return nil, fmt.Errorf("identity %s of %s: %w", as, p.Department, err)
	}
	sign, err := identity.NewPrivateKeySign(pair.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("identity %s of %s: %w", as, p.Department, err)
	}
	authority, err := os.ReadFile(p.Peer.TLSCA)
	if err != nil {
		return nil, fmt.Errorf("TLS authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s holds no certificate", p.Peer.TLSCA)
	}
	conn, err := grpc.NewClient(p.Peer.Address,
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: p.Peer.ServerName, MinVersion: tls.VersionTLS12})),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wireMessage)))
	if err != nil {
		return nil, fmt.Errorf("peer of %s: %w", p.Department, err)
	}
	gateway, err := client.Connect(id, client.WithSign(sign), client.WithClientConnection(conn),
		client.WithEvaluateTimeout(wireLimit), client.WithEndorseTimeout(wireLimit),
		client.WithSubmitTimeout(wireLimit), client.WithCommitStatusTimeout(wireLimit))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("peer of %s: %w", p.Department, err), conn.Close())
	}
	return &wire{conn: conn, gateway: gateway, channel: gateway.GetNetwork(p.Channel)}, nil
}

func (w *wire) close() error { return errors.Join(w.gateway.Close(), w.conn.Close()) }

// submit runs one transaction, endorsed by the departments named by their MSPs,
// or by as many as the policy asks for, and returns its answer once it is
// committed.
func (w *wire) submit(ctx context.Context, chaincode, function string, args []string, msps ...string) ([]byte, error) {
	options := []client.ProposalOption{client.WithArguments(args...)}
	if len(msps) > 0 {
		options = append(options, client.WithEndorsingOrganizations(msps...))
	}
	proposal, err := w.channel.GetContract(chaincode).NewProposal(function, options...)
	if err != nil {
		return nil, err
	}
	tx, err := proposal.EndorseWithContext(ctx)
	if err != nil {
		return nil, err
	}
	commit, err := tx.SubmitWithContext(ctx)
	if err != nil {
		return nil, err
	}
	status, err := commit.StatusWithContext(ctx)
	if err != nil {
		return nil, err
	}
	if status.Code != peer.TxValidationCode_VALID {
		return nil, fmt.Errorf("transaction %s: %s", tx.TransactionID(), status.Code)
	}
	return tx.Result(), nil
}

// evaluate asks the department's own peer.
func (w *wire) evaluate(ctx context.Context, chaincode, function, msp string, args ...string) ([]byte, error) {
	return w.channel.GetContract(chaincode).EvaluateWithContext(ctx, function,
		client.WithArguments(args...), client.WithEndorsingOrganizations(msp))
}

// blocks reads the raw blocks from the beginning up to a height.
func (w *wire) blocks(ctx context.Context, height uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	list, err := w.channel.BlockEvents(ctx, client.WithStartBlock(0))
	if err != nil {
		return err
	}
	for block := range list {
		if block.GetHeader().GetNumber()+1 >= height {
			return nil
		}
	}
	return fmt.Errorf("blocks ended before block %d", height-1)
}
