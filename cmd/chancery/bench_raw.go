package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"chancery/chaincode"
	"chancery/chaincode/exchange"
	"chancery/compose"
)

// The raw chaincode is the baseline of every comparison with Fabric: one key
// written in a transaction, nothing read, nothing checked.
const (
	rawName    = "bench-raw"
	rawVersion = "1"
	rawValue   = 64 // bytes of a value
)

type rawChaincode struct{}

func (rawChaincode) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

// Invoke writes a value: Put(key, value).
func (rawChaincode) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	function, args := stub.GetFunctionAndParameters()
	if function != "Put" || len(args) != 2 {
		return shim.Error("there is only Put(key, value)")
	}
	if err := stub.PutState(args[0], []byte(args[1])); err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(nil)
}

// newBenchRawCommand is the verb by which the benchmarks serve the raw
// chaincode: a process of its own for each department, as the contract has.
func newBenchRawCommand(a *app) *cobra.Command {
	cmd := newServer(a, "raw", "Serve the benchmarks' raw chaincode",
		`  chancery bench raw --config bench/raw/census.json`,
		func(ctx context.Context, cfg *chaincode.ServerConfig, _ zerolog.Logger) error {
			return serveRawChaincode(ctx, *cfg)
		})
	cmd.Hidden = true
	return cmd
}

// serveRawChaincode serves until it is told to stop, which ends the process:
// the shim's server cannot be stopped.
func serveRawChaincode(ctx context.Context, cfg chaincode.ServerConfig) error {
	server := &shim.ChaincodeServer{CCID: cfg.PackageID, Address: cfg.Address, CC: rawChaincode{}}
	for _, f := range []struct {
		file string
		to   *[]byte
	}{
		{cfg.TLS.Cert, &server.TLSProps.Cert}, {cfg.TLS.Key, &server.TLSProps.Key}, {cfg.TLS.ClientCA, &server.TLSProps.ClientCACerts},
	} {
		var err error
		if *f.to, err = os.ReadFile(f.file); err != nil {
			return fmt.Errorf("raw chaincode: %w", err)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Start() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

// serveRaw starts the raw chaincode beside the contract, and defines it where
// it is not.
func (b *bench) serveRaw(ctx context.Context) error {
	dir, err := b.scratch("raw")
	if err != nil {
		return err
	}
	ports, err := rawPorts(filepath.Join(dir, "ports.json"), b.everyone())
	if err != nil {
		return err
	}
	raw, err := b.network.Beside(compose.Chaincode{Name: rawName, Version: rawVersion, Sequence: 1}, ports)
	if err != nil {
		return err
	}
	for department, cfg := range raw.Servers {
		data, err := json.Marshal(cfg)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, department+".json")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return err
		}
		if err := checkFree(cfg.Address); err != nil {
			return err
		}
		log, err := openChildLog(filepath.Join(dir, department+".log"))
		if err != nil {
			return err
		}
		server, err := startChild(log, "bench", "raw", "--config", file)
		if err = errors.Join(err, log.Close()); err != nil {
			return err
		}
		b.servers = append(b.servers, server)
		if err := awaitListener(ctx, cfg.Address); err != nil {
			return fmt.Errorf("raw chaincode of %s: %w", department, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := raw.Define(ctx); err != nil {
		return err
	}
	_, err = b.put(ctx, b.name("first", 0))
	return err
}

// put writes one key by the raw chaincode and says how long that took.
func (b *bench) put(ctx context.Context, key string) (time.Duration, error) {
	start := time.Now()
	_, err := b.raw.submit(ctx, rawName, "Put", []string{key, rawText})
	return time.Since(start), err
}

var rawText = strings.Repeat("v", rawValue)

// rawPorts are the ports of the raw chaincode's servers: those of an earlier
// run, or free ones, since a port is part of the package's id.
func rawPorts(file string, departments []string) (ports map[string]int, err error) {
	data, err := os.ReadFile(file)
	if err == nil {
		return ports, json.Unmarshal(data, &ports)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	ports = map[string]int{}
	for _, d := range departments {
		if ports[d], err = freePort(); err != nil {
			return nil, err
		}
	}
	if data, err = json.Marshal(ports); err != nil {
		return nil, err
	}
	return ports, os.WriteFile(file, data, 0o600)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// checkFree refuses a port that somebody listens at: two runs on one network
// would measure each other.
func checkFree(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return faultf(exchange.ErrConflict, "the raw chaincode has its place at %s, where somebody listens: does another benchmark run on this network? (%w)", address, err)
	}
	return l.Close()
}

// awaitListener waits until somebody listens.
func awaitListener(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, wireLimit)
	defer cancel()
	return poll(ctx, 20*time.Millisecond, func() (bool, error) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false, nil
		}
		return true, conn.Close()
	})
}
