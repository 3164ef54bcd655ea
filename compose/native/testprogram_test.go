package native

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/rs/zerolog"

	contract "chancery/chaincode"
	"chancery/events/bus"
)

// TestMain lets this test binary be the programs that a network needs: the
// peers' external builder, a chaincode server with a contract of two functions,
// a bus, workers that do nothing, and a launcher.
func TestMain(m *testing.M) {
	if err := runTestProgram(os.Args); err == nil {
		return
	} else if err != errNoTestProgram {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

var errNoTestProgram = fmt.Errorf("started as a test")

func runTestProgram(args []string) error {
	switch {
	case BuilderStep(args[0]) != "":
		return RunBuilder(BuilderStep(args[0]), args[1:])
	case len(args) == 5 && args[1] == "serve" && args[2] == "chaincode":
		return serveTestChaincode(args[4])
	case len(args) == 5 && args[1] == "serve" && args[2] == "bus":
		return serveTestBus(args[4])
	case len(args) > 1 && args[1] == "run":
		return runTestWorkers()
	case len(args) == 3 && args[1] == "launch":
		return launchTestNetwork(args[2])
	}
	return errNoTestProgram
}

func runTestWorkers() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := AnnounceReady(); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// launchTestNetwork is what `chancery up` does.
func launchTestNetwork(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	n, err := Up(ctx, dir, Options{Progress: os.Stderr})
	if err != nil {
		return err
	}
	n.Wait(ctx)
	return n.Stop(context.Background())
}

// testContract keeps one value: put VALUE, get.
type testContract struct{}

func (testContract) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

func (testContract) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	name, args := stub.GetFunctionAndParameters()
	if name == "put" && len(args) == 1 {
		if err := stub.PutState("value", []byte(args[0])); err != nil {
			return shim.Error(err.Error())
		}
		return shim.Success(nil)
	}
	value, err := stub.GetState("value")
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(value)
}

func serveTestChaincode(file string) error {
	var config contract.ServerConfig
	if err := readTestConfig(file, &config); err != nil {
		return err
	}
	props := shim.TLSProperties{}
	var err error
	for from, to := range map[string]*[]byte{
		config.TLS.Cert: &props.Cert, config.TLS.Key: &props.Key, config.TLS.ClientCA: &props.ClientCACerts,
	} {
		if *to, err = os.ReadFile(from); err != nil {
			return err
		}
	}
	server := &shim.ChaincodeServer{CCID: config.PackageID, Address: config.Address, CC: testContract{}, TLSProps: props}
	return server.Start()
}

func serveTestBus(file string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var config bus.ServerConfig
	if err := readTestConfig(file, &config); err != nil {
		return err
	}
	return bus.Serve(ctx, config, zerolog.New(os.Stderr))
}

func readTestConfig(file string, config any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, config)
}

// acceptTLS finishes the handshake of whoever connects, until the listener is
// closed.
func acceptTLS(listener net.Listener, config *tls.Config) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		server := tls.Server(conn, config)
		server.Handshake()
		server.Close()
	}
}
