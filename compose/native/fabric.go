package native

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"chancery/compose"
)

const (
	ordererName = "orderer"
	// fabricGrace is how long a peer or orderer may take to close its stores.
	fabricGrace = 15 * time.Second
	// fabricLogging keeps a log line for each transaction out of the logs, and
	// fabricFormat the colours of a terminal.
	fabricLogging = "FABRIC_LOGGING_SPEC=orderer.common.broadcast,grpc=error:warn"
	fabricFormat  = "FABRIC_LOGGING_FORMAT=%{time:2006-01-02T15:04:05.000Z07:00} %{level} [%{module}] %{message}"
	// pingInterval is the shortest time between two pings that a server takes
	// from a client. Fabric's gateway pings every 10 seconds, which Fabric's
	// own default (60 s) answers by cutting the connection.
	pingInterval = "5s"
)

// ordererPart is the one Raft orderer.
func (n *Network) ordererPart() (Part, error) {
	dir := n.path(ordererName)
	tlsDir := filepath.Join(dir, "tls", "orderer")
	cert, key := filepath.Join(tlsDir, "cert.pem"), filepath.Join(tlsDir, "key.pem")
	ca := filepath.Join(dir, "msp", "tlsca.pem")
	client, err := n.ordererAdminClient()
	if err != nil {
		return Part{}, err
	}
	return Part{
		Name: ordererName, Role: roleOrderer, Path: n.binaries.Orderer, Dir: dir,
		Address: n.address(portOrderer), Grace: fabricGrace,
		Env: []string{
			"FABRIC_CFG_PATH=" + n.binaries.Config, fabricLogging, fabricFormat,
			"ORDERER_GENERAL_LISTENADDRESS=" + loopback,
			"ORDERER_GENERAL_LISTENPORT=" + strconv.Itoa(n.port(portOrderer)),
			"ORDERER_GENERAL_LOCALMSPID=" + n.topology.Orderer.MSP,
			"ORDERER_GENERAL_LOCALMSPDIR=" + filepath.Join(dir, "msp", "orderer", "msp"),
			"ORDERER_GENERAL_BOOTSTRAPMETHOD=none",
			"ORDERER_GENERAL_KEEPALIVE_SERVERMININTERVAL=" + pingInterval,
			"ORDERER_GENERAL_TLS_ENABLED=true",
			"ORDERER_GENERAL_TLS_CERTIFICATE=" + cert,
			"ORDERER_GENERAL_TLS_PRIVATEKEY=" + key,
			"ORDERER_GENERAL_TLS_ROOTCAS=[" + ca + "]",
			"ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE=" + cert,
			"ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY=" + key,
			"ORDERER_GENERAL_CLUSTER_ROOTCAS=[" + ca + "]",
			"ORDERER_CHANNELPARTICIPATION_ENABLED=true",
			"ORDERER_ADMIN_LISTENADDRESS=" + n.address(portOrdererAdmin),
			"ORDERER_ADMIN_TLS_ENABLED=true",
			"ORDERER_ADMIN_TLS_CERTIFICATE=" + cert,
			"ORDERER_ADMIN_TLS_PRIVATEKEY=" + key,
			"ORDERER_ADMIN_TLS_ROOTCAS=[" + ca + "]",
			"ORDERER_ADMIN_TLS_CLIENTAUTHREQUIRED=true",
			"ORDERER_ADMIN_TLS_CLIENTROOTCAS=[" + ca + "]",
			"ORDERER_OPERATIONS_LISTENADDRESS=" + n.address(portOrdererMetrics),
			"ORDERER_METRICS_PROVIDER=prometheus",
			"ORDERER_FILELEDGER_LOCATION=" + filepath.Join(dir, "ledger"),
			"ORDERER_CONSENSUS_WALDIR=" + filepath.Join(dir, "raft", "wal"),
			"ORDERER_CONSENSUS_SNAPDIR=" + filepath.Join(dir, "raft", "snapshot"),
		},
		Ready: func(ctx context.Context) error {
			joined, err := client.joined(ctx, n.topology.Channel)
			if err != nil || !joined {
				return err
			}
			return leads(ctx, n.address(portOrdererMetrics), n.topology.Channel)
		},
	}, nil
}

// leads answers nil once the orderer whose metrics are at addr is the channel's
// Raft leader; before, it takes no transaction.
func leads(ctx context.Context, addr, channel string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	metrics, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if !bytes.Contains(metrics, fmt.Appendf(nil, "consensus_etcdraft_is_leader{channel=%q} 1\n", channel)) {
		return errors.New("the orderer has no Raft leader")
	}
	return nil
}

// peerPart is a department's peer.
func (n *Network) peerPart(d compose.Department) (Part, error) {
	dir := n.path(d.Name)
	name := partName(d.Name, rolePeer)
	addr := n.address(name)
	builders, err := json.Marshal([]map[string]string{{"name": "chancery", "path": n.path("bin", "builder")}})
	if err != nil {
		return Part{}, err
	}
	return Part{
		Name: name, Department: d.Name, Role: rolePeer, Path: n.binaries.Peer, Args: []string{"node", "start"},
		Dir: filepath.Join(dir, "peer"), Address: addr, Grace: fabricGrace,
		Env: append([]string{
			"FABRIC_CFG_PATH=" + n.binaries.Config, fabricLogging, fabricFormat,
			"CORE_PEER_ID=peer." + d.Name,
			"CORE_PEER_NETWORKID=chancery",
			"CORE_PEER_ADDRESS=" + addr,
			"CORE_PEER_LISTENADDRESS=" + addr,
			"CORE_PEER_CHAINCODELISTENADDRESS=" + address(0), // chaincode servers listen, not the peer
			"CORE_PEER_LOCALMSPID=" + d.MSP,
			"CORE_PEER_MSPCONFIGPATH=" + filepath.Join(dir, "msp", "peer", "msp"),
			"CORE_PEER_FILESYSTEMPATH=" + filepath.Join(dir, "peer"),
			"CORE_LEDGER_SNAPSHOTS_ROOTDIR=" + filepath.Join(dir, "peer", "snapshots"),
			"CORE_PEER_KEEPALIVE_MININTERVAL=" + pingInterval,
			"CORE_PEER_TLS_ENABLED=true",
			"CORE_PEER_TLS_CERT_FILE=" + filepath.Join(dir, "tls", "peer", "cert.pem"),
			"CORE_PEER_TLS_KEY_FILE=" + filepath.Join(dir, "tls", "peer", "key.pem"),
			"CORE_PEER_TLS_ROOTCERT_FILE=" + filepath.Join(dir, "msp", "tlsca.pem"),
			"CORE_VM_ENDPOINT=",
			"CORE_CHAINCODE_EXTERNALBUILDERS=" + string(builders),
			"CORE_OPERATIONS_LISTENADDRESS=" + address(0),
			"CORE_PEER_DELIVERYCLIENT_RECONNECTBACKOFFTHRESHOLD=5s",
			"CORE_PEER_LIMITS_CONCURRENCY_GATEWAYSERVICE=1000",
		}, gossipEnv(addr)...),
		Ready: func(ctx context.Context) error {
			return dialTLS(ctx, addr, filepath.Join(dir, "msp", "tlsca.pem"), "")
		},
	}, nil
}

// gossipEnv makes peers find one another, and one another's chaincode, within
// a second or two; the defaults take 25 to 40 seconds. The pull intervals
// matter when a peer hears of another before it knows its identity.
func gossipEnv(addr string) []string {
	return []string{
		"CORE_PEER_GOSSIP_BOOTSTRAP=" + addr, // no other peer of the department
		"CORE_PEER_GOSSIP_EXTERNALENDPOINT=" + addr,
		"CORE_PEER_GOSSIP_RECONNECTINTERVAL=300ms",
		"CORE_PEER_GOSSIP_PUBLISHSTATEINFOINTERVAL=1s",
		"CORE_PEER_GOSSIP_REQUESTSTATEINFOINTERVAL=1s",
		"CORE_PEER_GOSSIP_ALIVETIMEINTERVAL=1s",
		"CORE_PEER_GOSSIP_ALIVEEXPIRATIONTIMEOUT=10s",
		"CORE_PEER_GOSSIP_MEMBERSHIPTRACKERINTERVAL=1s",
		"CORE_PEER_GOSSIP_PULLINTERVAL=1s",
		"CORE_PEER_GOSSIP_DIGESTWAITTIME=200ms",
		"CORE_PEER_GOSSIP_REQUESTWAITTIME=300ms",
		"CORE_PEER_GOSSIP_RESPONSEWAITTIME=500ms",
	}
}

// dialTLS answers nil if a server with a certificate of the CA in caFile
// finishes a TLS handshake at addr. clientDir, if any, holds the cert.pem and
// key.pem to show.
func dialTLS(ctx context.Context, addr, caFile, clientDir string) error {
	config, err := tlsConfig(caFile, clientDir)
	if err != nil {
		return err
	}
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

// tlsConfig trusts the CA in caFile alone.
func tlsConfig(caFile, clientDir string) (*tls.Config, error) {
	ca, err := readCertificate(caFile)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	config.RootCAs.AddCert(ca)
	if clientDir != "" {
		cert, err := tls.LoadX509KeyPair(filepath.Join(clientDir, "cert.pem"), filepath.Join(clientDir, "key.pem"))
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{cert}
	}
	return config, nil
}

// ordererAdmin speaks to the orderer's channel participation API over mutual
// TLS.
type ordererAdmin struct {
	base   string
	client *http.Client
}

func (n *Network) ordererAdminClient() (ordererAdmin, error) {
	config, err := tlsConfig(n.path(ordererName, "msp", "tlsca.pem"), n.path(ordererName, "tls", "admin"))
	if err != nil {
		return ordererAdmin{}, fmt.Errorf("orderer: %w", err)
	}
	transport := &http.Transport{TLSClientConfig: config, DialContext: (&net.Dialer{Timeout: readyLimit}).DialContext, DisableKeepAlives: true}
	return ordererAdmin{
		base:   "https://" + n.address(portOrdererAdmin) + "/participation/v1/channels",
		client: &http.Client{Transport: transport},
	}, nil
}

// makeFabricDirs makes the directories that orderer and peers write to. Until
// all have joined the channel they hold nothing but its first block, and what
// an interrupted join left there can keep an orderer from ever electing itself:
// they begin empty.
func (n *Network) makeFabricDirs() error {
	dirs := []string{n.path(ordererName, "ledger"), n.path(ordererName, "raft")}
	for _, d := range n.topology.Departments {
		dirs = append(dirs, n.path(d.Name, "peer"))
	}
	for _, dir := range dirs {
		if !n.record.done(stepChannel) {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}
