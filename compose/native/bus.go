package native

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nkeys"

	"chancery/compose"
	"chancery/events/bus"
	"chancery/workers"
)

// busRequestLimit bounds one request to a bus while it starts.
const busRequestLimit = 2 * time.Second

// busPart is a department's NATS server. It is ready when its streams are
// there: they are made, or made anew if the store was lost, as its user admin.
func (n *Network) busPart(d compose.Department) (Part, error) {
	dir := n.path(d.Name, "bus")
	name := partName(d.Name, roleBus)
	users, err := makeBusUsers(filepath.Join(dir, "nkeys"), bus.Users(d.Name))
	if err != nil {
		return Part{}, fmt.Errorf("bus of %s: %w", d.Name, err)
	}
	config := bus.ServerConfig{
		Department: d.Name, Host: loopback, Port: n.port(name),
		StoreDir: filepath.Join(dir, "store"), Users: users,
	}
	config.TLS.Cert = filepath.Join(dir, "cert.pem")
	config.TLS.Key = filepath.Join(dir, "key.pem")
	file, err := saveServerConfig(dir, config)
	if err != nil {
		return Part{}, fmt.Errorf("bus of %s: %w", d.Name, err)
	}
	return Part{
		Name: name, Department: d.Name, Role: roleBus,
		Path: n.program, Args: []string{"serve", "bus", "--config", file},
		Dir: dir, Address: n.address(name), Grace: ownGrace,
		Ready: func(ctx context.Context) error {
			profile, err := workers.LoadProfile(n.path(d.Name))
			if err != nil {
				return err
			}
			return ensureStreams(ctx, profile.Bus)
		},
	}, nil
}

func ensureStreams(ctx context.Context, profile workers.BusProfile) error {
	conn, err := bus.Connect(ctx, bus.Config{
		URL: profile.URL, CA: profile.CA, NKeys: profile.NKeys,
		User: bus.UserAdmin, Timeout: busRequestLimit,
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.EnsureStreams(ctx)
}

// makeBusUsers makes the seed of each user that has none, <user>.nk in dir, and
// returns the public keys of all by name.
func makeBusUsers(dir string, specs []bus.UserSpec) (map[string]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	users := map[string]string{}
	for _, spec := range specs {
		key, err := busUser(filepath.Join(dir, spec.Name+".nk"))
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", spec.Name, err)
		}
		if users[spec.Name], err = key.PublicKey(); err != nil {
			return nil, fmt.Errorf("user %s: %w", spec.Name, err)
		}
	}
	return users, nil
}

// busUser reads the key whose seed is in file, or makes one.
func busUser(file string) (nkeys.KeyPair, error) {
	seed, err := os.ReadFile(file)
	if err == nil {
		return nkeys.ParseDecoratedUserNKey(seed)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	if seed, err = key.Seed(); err != nil {
		return nil, err
	}
	return key, writeFile(file, append(seed, '\n'), 0o600)
}

// saveServerConfig writes dir/config.json, which one of our servers reads.
func saveServerConfig(dir string, config any) (file string, err error) {
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	file = filepath.Join(dir, "config.json")
	return file, writeFile(file, append(data, '\n'), 0o600)
}
