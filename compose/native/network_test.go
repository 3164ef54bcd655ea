package native

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// TestMain lets this test binary be the program that a network's parts run: the
// peers' external builder, a chaincode server with a contract of two lines, and
// workers that do nothing.
func TestMain(m *testing.M) {
	args := os.Args
	var err error
	switch {
	case BuilderStep(args[0]) != "":
		err = RunBuilder(BuilderStep(args[0]), args[1:])
	case len(args) == 5 && args[1] == "serve" && args[2] == "chaincode":
		err = serveTestChaincode(args[4])
	case len(args) > 1 && args[1] == "run":
		err = runTestWorkers()
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
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
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var config chaincodeConfig
	if err := json.Unmarshal(data, &config); err != nil {
		return err
	}
	props := shim.TLSProperties{}
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

// testOutput passes progress to the test's log.
type testOutput struct{ t *testing.T }

func (o testOutput) Write(p []byte) (int, error) {
	o.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

func TestNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole network")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bootstraps := 0
	options := Options{
		Program: program, Progress: testOutput{t},
		Bootstrap: func(ctx context.Context, n *Network) error {
			bootstraps++
			return nil
		},
	}
	n, err := Up(ctx, dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Stop(context.Background()) })
	if _, err := Up(ctx, dir, options); err == nil {
		t.Error("a second Up of the same directory started")
	}
	peerCommand(t, n, "census", "invoke", "put", "first")
	awaitValue(t, n, "labor", "first")

	status, err := Status(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	if !status.Healthy() || len(status.Heights) != 3 {
		t.Errorf("status %+v", status)
	}
	out, _ := json.MarshalIndent(status, "", " ")
	t.Logf("%s", out)
	_ = tls.Certificate{}
	_ = x509.NewCertPool
}

func peerCommand(t *testing.T, n *Network, department, verb string, args ...string) string {
	t.Helper()
	env, err := n.PeerEnv(department, "admin")
	if err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(map[string][]string{"Args": args})
	if err != nil {
		t.Fatal(err)
	}
	call := []string{"chaincode", verb, "-C", n.Topology().Channel, "-n", n.Topology().Chaincode.Name, "-c", string(input)}
	if verb == "invoke" {
		call = append(call, "--waitForEvent", "-o", n.address(portOrderer), "--tls", "--cafile", n.path("orderer", "msp", "tlsca.pem"))
		for _, d := range n.Topology().Departments {
			call = append(call, "--peerAddresses", n.address(partName(d.Name, rolePeer)), "--tlsRootCertFiles", n.path(d.Name, "msp", "tlsca.pem"))
		}
	}
	cmd := exec.Command(n.PeerPath(), call...)
	cmd.Env = append(baseEnv(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("peer %s: %v\n%s", strings.Join(call, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func awaitValue(t *testing.T, n *Network, department, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := until(ctx, conditionPoll, func(context.Context) error {
		if got := peerCommand(t, n, department, "query", "get"); got != want {
			return fmt.Errorf("%s holds %q, want %q", department, got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = filepath.Join
}
