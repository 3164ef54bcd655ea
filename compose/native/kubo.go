package native

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"chancery/compose"
)

const (
	// kuboGrace is how long a kubo node may take to close; it gives up by
	// itself shortly before.
	kuboGrace    = 10 * time.Second
	kuboShutdown = "8s"
)

// kuboEnv makes a node refuse to run outside the private swarm, and to tell
// anybody about itself.
func kuboEnv(repo string) []string {
	return []string{"IPFS_PATH=" + repo, "LIBP2P_FORCE_PNET=1", "IPFS_TELEMETRY=off", "DO_NOT_TRACK=1"}
}

// swarmKeyName is the file with the private swarm's shared key.
const swarmKeyName = "swarm.key"

// makeRepositories makes each department's kubo repository, and configures all
// as one private swarm whose nodes know one another by address.
func (n *Network) makeRepositories(ctx context.Context) error {
	var secret [32]byte
	rand.Read(secret[:])
	swarmKey := fmt.Sprintf("/key/swarm/psk/1.0.0/\n/base16/\n%s\n", hex.EncodeToString(secret[:]))
	ids := map[string]string{}
	for _, d := range n.topology.Departments {
		repo := n.path(d.Name, "kubo")
		if err := os.RemoveAll(repo); err != nil {
			return err
		}
		if err := os.MkdirAll(repo, 0o700); err != nil {
			return err
		}
		cmd := exec.Command(n.binaries.IPFS, "init", "--empty-repo")
		cmd.Env = append(baseEnv(), kuboEnv(repo)...)
		if _, err := output(ctx, cmd); err != nil {
			return fmt.Errorf("ipfs init for %s: %w", d.Name, err)
		}
		if err := writeFile(filepath.Join(repo, swarmKeyName), []byte(swarmKey), 0o600); err != nil {
			return err
		}
		config, err := readKuboConfig(repo)
		if err != nil {
			return err
		}
		identity, _ := config["Identity"].(object)
		id, ok := identity["PeerID"].(string)
		if !ok {
			return fmt.Errorf("kubo configuration of %s has no Identity.PeerID", d.Name)
		}
		ids[d.Name] = id
	}
	for _, d := range n.topology.Departments {
		if err := n.configureKubo(d, ids); err != nil {
			return err
		}
	}
	return nil
}

func readKuboConfig(repo string) (object, error) {
	data, err := os.ReadFile(filepath.Join(repo, "config"))
	if err != nil {
		return nil, err
	}
	var config object
	if err := json.Unmarshal(data, &config); err != nil {
		return nil, fmt.Errorf("%s/config: %w", repo, err)
	}
	return config, nil
}

// configureKubo makes the department's RPC token and writes its node's
// configuration. ids holds the departments' libp2p peer ids.
func (n *Network) configureKubo(d compose.Department, ids map[string]string) error {
	repo := n.path(d.Name, "kubo")
	config, err := readKuboConfig(repo)
	if err != nil {
		return err
	}
	token := rand.Text()
	if err := writeFile(n.kuboTokenFile(d), []byte(token+"\n"), 0o600); err != nil {
		return err
	}
	maps.Copy(config, n.kuboSettings(d, ids, token))
	if err := hardenStorage(config); err != nil {
		return fmt.Errorf("kubo configuration of %s: %w", d.Name, err)
	}
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(repo, "config"), append(data, '\n'), 0o600)
}

// object is a JSON object.
type object = map[string]any

// kuboSettings are what differs from kubo's defaults: loopback only, no public
// network of any kind, an RPC API that asks for a token.
func (n *Network) kuboSettings(d compose.Department, ids map[string]string, token string) object {
	var neighbours []any
	for _, other := range n.topology.Departments {
		if other.Name != d.Name {
			neighbours = append(neighbours, object{
				"ID":    ids[other.Name],
				"Addrs": []string{multiaddr(n.port(partName(other.Name, portSwarm)))},
			})
		}
	}
	off := object{"Enabled": false}
	return object{
		"Bootstrap": []string{},
		"Peering":   object{"Peers": neighbours},
		"Routing":   object{"Type": "none"}, // neighbours are asked directly
		"Discovery": object{"MDNS": off},
		"AutoConf":  off, "AutoTLS": off, "Provide": off, "HTTPRetrieval": off, "Pubsub": off,
		"AutoNAT": object{"ServiceMode": "disabled"},
		"DNS":     object{"Resolvers": object{}},
		"Ipns":    object{"DelegatedPublishers": []string{}},
		"Version": object{"SwarmCheckEnabled": false},
		"Addresses": object{
			"Swarm":   []string{multiaddr(n.port(partName(d.Name, portSwarm)))},
			"API":     multiaddr(n.port(partName(d.Name, roleKubo))),
			"Gateway": []string{}, // none
		},
		"Swarm": object{
			"DisableNatPortMap": true, "DisableBandwidthMetrics": true,
			"EnableHolePunching": false, "RelayClient": off, "RelayService": off,
			"Transports": object{"Network": object{
				"TCP": true, "QUIC": false, "Websocket": false, "Relay": false, "WebTransport": false, "WebRTCDirect": false,
			}},
		},
		"API": object{"Authorizations": object{
			d.Name: object{"AuthSecret": "bearer:" + token, "AllowedPaths": kuboPaths},
		}},
		"Gateway":  object{"NoFetch": true, "NoDNSLink": true},
		"Internal": object{"ShutdownTimeout": kuboShutdown, "CGNATCheck": false},
		"Plugins":  object{"Plugins": object{"telemetry": object{"Disabled": true}}},
	}
}

// kuboPaths are the RPC calls that a department's parts may make.
var kuboPaths = []string{
	"/api/v0/add", "/api/v0/block", "/api/v0/cat", "/api/v0/id", "/api/v0/pin", "/api/v0/refs",
	"/api/v0/repo", "/api/v0/swarm", "/api/v0/version",
}

// hardenStorage makes every write reach the disk before it is acknowledged, and
// every read be checked against its address.
func hardenStorage(config object) error {
	store, _ := config["Datastore"].(object)
	spec, _ := store["Spec"].(object)
	mounts, _ := spec["mounts"].([]any)
	for _, entry := range mounts {
		if mount, ok := entry.(object); ok && mount["type"] == "flatfs" {
			mount["sync"] = true
			store["HashOnRead"] = true
			return nil
		}
	}
	return errors.New("no flatfs in Datastore.Spec")
}

func multiaddr(port int) string {
	return fmt.Sprintf("/ip4/%s/tcp/%d", loopback, port)
}

func (n *Network) kuboTokenFile(d compose.Department) string {
	return n.path(d.Name, "kubo", "rpc.token")
}

// kuboToken is the bearer token of the department's RPC API.
func (n *Network) kuboToken(d compose.Department) (string, error) {
	data, err := os.ReadFile(n.kuboTokenFile(d))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if token == "" {
		return "", fmt.Errorf("%s is empty", n.kuboTokenFile(d))
	}
	return token, nil
}

// kuboPart is a department's kubo node.
func (n *Network) kuboPart(d compose.Department) (Part, error) {
	repo := n.path(d.Name, "kubo")
	name := partName(d.Name, roleKubo)
	token, err := n.kuboToken(d)
	if err != nil {
		return Part{}, err
	}
	return Part{
		Name: name, Department: d.Name, Role: roleKubo, Path: n.binaries.IPFS,
		Args: []string{"daemon", "--migrate=false"}, Env: kuboEnv(repo),
		Dir: repo, Address: n.address(name), Grace: kuboGrace,
		Ready: func(ctx context.Context) error { return askKubo(ctx, n.address(name), token, "id") },
	}, nil
}

// joinSwarm connects the departments' nodes to one another. By themselves, nodes
// that start at once find their neighbours away and try again seconds later.
func (n *Network) joinSwarm(ctx context.Context) error {
	for _, d := range n.topology.Departments {
		token, err := n.kuboToken(d)
		if err != nil {
			return err
		}
		neighbours, err := kuboNeighbours(n.path(d.Name, "kubo"))
		if err != nil {
			return err
		}
		for _, to := range neighbours {
			call := "swarm/connect?arg=" + url.QueryEscape(to)
			if err := askKubo(ctx, n.address(partName(d.Name, roleKubo)), token, call); err != nil {
				return fmt.Errorf("connect the kubo node of %s to %s: %w", d.Name, to, err)
			}
		}
	}
	return nil
}

// kuboNeighbours lists the nodes that a repository's configuration keeps
// connected to, each with its address.
func kuboNeighbours(repo string) ([]string, error) {
	data, err := os.ReadFile(filepath.Join(repo, "config"))
	if err != nil {
		return nil, err
	}
	var config struct {
		Peering struct {
			Peers []struct {
				ID    string
				Addrs []string
			}
		}
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return nil, fmt.Errorf("%s/config: %w", repo, err)
	}
	var all []string
	for _, peer := range config.Peering.Peers {
		for _, addr := range peer.Addrs {
			all = append(all, addr+"/p2p/"+peer.ID)
		}
	}
	return all, nil
}

// askKubo makes a call of the node at addr and answers nil if it succeeds.
func askKubo(ctx context.Context, addr, token, call string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/api/v0/"+call, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 256))
		return fmt.Errorf("kubo answers %s: %s", response.Status, text)
	}
	return nil
}
