package chaincode

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

// ServerConfig says where a department's chaincode server listens, as which
// installed package, and which peer may call it.
type ServerConfig struct {
	PackageID string    `json:"packageID"` // "<label>:<SHA-256>", as the peer knows the installed package
	Address   string    `json:"address"`   // "host:port" to listen on
	TLS       ServerTLS `json:"tls"`
}

// ServerTLS are paths of PEM files. Both sides show a certificate, always: who
// could call the server without one could answer proposals in the peer's place.
type ServerTLS struct {
	Cert     string `json:"cert"`
	Key      string `json:"key"`
	ClientCA string `json:"clientCA"` // issuer of the peer's client certificate
}

// maxMessage is the largest message between peer and chaincode, in bytes: the
// shim's own bound.
const maxMessage = 100 << 20

// Serve runs the contract as a service until ctx is done, which is no error. A
// transaction under way is then cut off; its client proposes it again.
func Serve(ctx context.Context, cfg ServerConfig, log zerolog.Logger) error {
	if cfg.PackageID == "" || cfg.Address == "" {
		return errors.New("chaincode server: packageID and address are both needed")
	}
	security, err := cfg.TLS.load()
	if err != nil {
		return fmt.Errorf("chaincode server: %w", err)
	}
	cc, err := NewChaincode(time.Now)
	if err != nil {
		return fmt.Errorf("chaincode server: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Address)
	if err != nil {
		return fmt.Errorf("chaincode server: %w", err)
	}
	server := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(security)),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxSendMsgSize(maxMessage),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Minute, PermitWithoutStream: true}))
	// The shim's own Start cannot be stopped; its service can be registered
	// with a server that can.
	peer.RegisterChaincodeServer(server, &shim.ChaincodeServer{CCID: cfg.PackageID, CC: logged{cc, log}})

	defer context.AfterFunc(ctx, server.Stop)()
	log.Info().Str("address", listener.Addr().String()).Str("package", cfg.PackageID).Msg("chaincode serves")
	if err := server.Serve(listener); err != nil && ctx.Err() == nil {
		return fmt.Errorf("chaincode server: %w", err)
	}
	log.Info().Msg("chaincode stopped")
	return nil
}

func (t ServerTLS) load() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, fmt.Errorf("load certificate: %w", err)
	}
	authority, err := os.ReadFile(t.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("load client authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("load client authority: %s holds no PEM certificate", t.ClientCA)
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{pair},
		ClientCAs:    pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	}, nil
}

// logged tells every call: refusals at info, the rest at debug.
type logged struct {
	shim.Chaincode
	log zerolog.Logger
}

// Invoke runs one transaction.
func (l logged) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	begin := time.Now()
	response := l.Chaincode.Invoke(stub)
	event := l.log.Debug()
	if response.GetStatus() != shim.OK {
		event = l.log.Info().Str("refusal", response.GetMessage())
	}
	name, _ := stub.GetFunctionAndParameters()
	event.Str("tx", stub.GetTxID()).Str("function", name).Dur("ms", time.Since(begin)).Msg("transaction")
	return response
}
