package ledger

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	reconnect "google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

const (
	// maxMessage bounds one message from the peer, in bytes: a block with the
	// largest transactions that an orderer lets through fits.
	maxMessage = 100 << 20
	// pingAfter is the silence after which the connection is probed. A peer
	// hangs up on a client that probes more often than once a minute.
	pingAfter   = 65 * time.Second
	pingTimeout = 20 * time.Second
)

// Dial checks the configuration, reads the identity and prepares the
// connection. It does not wait for the peer: calls do.
func Dial(_ context.Context, cfg Config) (*Client, error) {
	cfg.complete()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("ledger configuration: %w", err)
	}
	id, sign, err := readIdentity(cfg)
	if err != nil {
		return nil, err
	}
	conn, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	gw, err := client.Connect(id,
		client.WithSign(sign),
		client.WithClientConnection(conn),
		client.WithEvaluateTimeout(cfg.EvaluateTimeout),
		client.WithEndorseTimeout(cfg.EndorseTimeout),
		client.WithSubmitTimeout(cfg.SubmitTimeout),
		client.WithCommitStatusTimeout(cfg.CommitTimeout))
	if err != nil {
		return nil, fmt.Errorf("gateway of %s: %w", cfg.Address, closing(conn, err))
	}
	channel := gw.GetNetwork(cfg.Channel)
	deliver := &deliver{cfg: cfg, gateway: gw, channel: channel, sign: sign, client: peer.NewDeliverClient(conn)}
	return newClient(cfg, &gateway{cfg: cfg, channel: channel}, deliver, func() error {
		return closing(conn, gw.Close())
	}), nil
}

func closing(conn *grpc.ClientConn, err error) error {
	if closed := conn.Close(); err == nil {
		return closed
	}
	return err
}

// connect reconnects within seconds of a peer's return; gRPC's own default is
// two minutes.
func connect(cfg Config) (*grpc.ClientConn, error) {
	pem, err := os.ReadFile(cfg.TLSCA)
	if err != nil {
		return nil, fmt.Errorf("TLS authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("TLS authority %s: no certificate in PEM", cfg.TLSCA)
	}
	secure := credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: cfg.ServerName, MinVersion: tls.VersionTLS12})
	conn, err := grpc.NewClient(cfg.Address,
		grpc.WithTransportCredentials(secure),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: pingTimeout}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           reconnect.Config{BaseDelay: firstPause, Multiplier: 1.6, Jitter: 0.2, MaxDelay: longPause},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("connect %s: %w", cfg.Address, err)
	}
	return conn, nil
}

// readIdentity reads the caller's certificate and private key, and checks that
// they belong together.
func readIdentity(cfg Config) (*identity.X509Identity, identity.Sign, error) {
	pair, err := tls.LoadX509KeyPair(cfg.Cert, cfg.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("identity %s: %w", cfg.Cert, err)
	}
	id, err := identity.NewX509Identity(cfg.MSP, pair.Leaf)
	if err != nil {
		return nil, nil, fmt.Errorf("identity %s: %w", cfg.Cert, err)
	}
	sign, err := identity.NewPrivateKeySign(pair.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("identity %s: %w", cfg.Key, err)
	}
	return id, sign, nil
}
