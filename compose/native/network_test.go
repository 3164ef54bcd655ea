package native

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testOutput passes progress to the test's log.
type testOutput struct{ t *testing.T }

func (o testOutput) Write(p []byte) (int, error) {
	o.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

const (
	// limit bounds each wait of these tests.
	limit = 30 * time.Second
	// allParts is the number of parts of the default topology: an orderer, and
	// five parts for each of three departments.
	allParts = 1 + 3*5
)

// buildAll builds the programs, which may take minutes, before a test begins to
// measure time.
func buildAll(t *testing.T) {
	t.Helper()
	dir, err := CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Build(t.Context(), dir, testOutput{t}); err != nil {
		t.Fatal(err)
	}
}

// TestNetwork takes one network through its life: a start that fails in its
// last step, one that goes on from there, a value on the ledger, a file in the
// swarm, parts that are killed, a stop, and a start with the same ledger.
func TestNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: starts a whole network")
	}
	dir := t.TempDir()
	bootstraps := 0
	options := Options{
		Progress: testOutput{t},
		Bootstrap: func(ctx context.Context, n *Network) error {
			bootstraps++
			if bootstraps == 1 {
				return errors.New("refused by the test")
			}
			return nil
		},
	}
	if _, err := Up(t.Context(), dir, options); err == nil || !strings.Contains(err.Error(), "refused by the test") {
		t.Fatalf("error %v, want the bootstrap's", err)
	}
	assertNoParts(t, dir)
	n := up(t, dir, options)
	peerCommand(t, n, "census", "invoke", "put", "first")
	awaitValue(t, n, "labor", "first")
	assertHealthy(t, dir)
	checkSecondUp(t, dir, options)
	checkSwarm(t, n)
	checkHealing(t, n)
	stop(t, n)
	assertNoParts(t, dir)

	n = up(t, dir, options)
	awaitValue(t, n, "health", "first")
	peerCommand(t, n, "health", "invoke", "put", "second")
	awaitValue(t, n, "census", "second")
	stop(t, n)
	assertNoParts(t, dir)
	if bootstraps != 2 {
		t.Errorf("bootstrap ran %d times, want 2", bootstraps)
	}
	checkBusyPort(t, dir, options)
}

// TestTwoNetworksAndTheirLaunchers starts two networks side by side, each from
// a launcher of its own; one launcher is asked to stop, the other killed.
func TestTwoNetworksAndTheirLaunchers(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: starts two networks")
	}
	buildAll(t)
	dirs := []string{t.TempDir(), t.TempDir()}
	var launchers []*exec.Cmd
	for _, dir := range dirs {
		cmd := exec.Command(os.Args[0], "launch", dir)
		cmd.Stderr = testOutput{t}
		if err := start(cmd); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
		launchers = append(launchers, cmd)
	}
	for _, dir := range dirs {
		wait(t, 2*limit, func(ctx context.Context) error {
			report, err := Status(ctx, dir)
			if err != nil {
				return err
			}
			if !report.Healthy() || report.Total.Parts != allParts {
				return fmt.Errorf("%d parts, problems %v", report.Total.Parts, report.Problems)
			}
			return nil
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	pids := partPIDs(t, dirs[0])
	if err := Down(ctx, dirs[0]); err != nil {
		t.Error(err)
	}
	assertGone(t, pids)
	assertHealthy(t, dirs[1])
	if err := Down(ctx, dirs[0]); !errors.Is(err, ErrNotRunning) {
		t.Errorf("second Down: %v", err)
	}
	pids = partPIDs(t, dirs[1])
	if err := launchers[1].Process.Kill(); err != nil {
		t.Fatal(err)
	}
	assertGone(t, pids)
	report, err := Status(ctx, dirs[1])
	if err != nil || report.Running {
		t.Errorf("status after the kill: %+v (%v)", report, err)
	}
}

// TestInterruptedStarts ends a start at several moments; the next one goes on.
func TestInterruptedStarts(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: starts a network several times")
	}
	dir := t.TempDir()
	buildAll(t)
	for _, after := range []time.Duration{10, 100, 300, 600, 900, 1200, 1600} {
		ctx, cancel := context.WithTimeout(t.Context(), after*time.Millisecond)
		if n, err := Up(ctx, dir, Options{}); err == nil {
			stop(t, n)
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("interrupted after %d ms: %v", after, err)
		}
		cancel()
		assertNoParts(t, dir)
	}
	n := up(t, dir, Options{})
	peerCommand(t, n, "census", "invoke", "put", "value")
}

func up(t *testing.T, dir string, options Options) *Network {
	t.Helper()
	n, err := Up(t.Context(), dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, n) })
	return n
}

func stop(t *testing.T, n *Network) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func wait(t *testing.T, limit time.Duration, condition func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := until(ctx, conditionPoll, condition); err != nil {
		t.Fatal(err)
	}
}

func assertHealthy(t *testing.T, dir string) {
	t.Helper()
	report, err := Status(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Healthy() || len(report.Heights) != 3 || report.Total.Parts != allParts || report.Total.ResidentBytes == 0 {
		t.Errorf("status %+v", report)
	}
	for _, part := range report.Parts {
		if part.Address == "" {
			continue
		}
		if host, _, err := net.SplitHostPort(part.Address); err != nil || host != loopback {
			t.Errorf("%s is at %s", part.Name, part.Address)
		}
	}
}

func partPIDs(t *testing.T, dir string) []int {
	t.Helper()
	s, err := readState(dir)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, part := range s.Parts {
		if part.PID != 0 {
			pids = append(pids, part.PID)
		}
	}
	return pids
}

// assertNoParts checks that what was stopped is recorded as stopped.
func assertNoParts(t *testing.T, dir string) {
	t.Helper()
	if pids := partPIDs(t, dir); len(pids) != 0 {
		t.Errorf("after the stop %s records processes %v", dir, pids)
	}
}

func assertGone(t *testing.T, pids []int) {
	t.Helper()
	if len(pids) == 0 {
		t.Fatal("no processes to look for")
	}
	wait(t, limit, func(context.Context) error {
		for _, pid := range pids {
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("process %d is there", pid)
			}
		}
		return nil
	})
}

// checkSecondUp starts the running network again, which is refused.
func checkSecondUp(t *testing.T, dir string, options Options) {
	t.Helper()
	if _, err := Up(t.Context(), dir, options); !errors.Is(err, ErrRunning) {
		t.Errorf("a second Up: %v", err)
	}
}

// checkHealing kills parts; each comes back, and the network with them.
func checkHealing(t *testing.T, n *Network) {
	t.Helper()
	killed := []string{"census-peer", "census-chaincode", "health-kubo", "health-bus", "orderer", "labor-workers"}
	report, err := Status(t.Context(), n.Dir())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range report.Parts {
		for _, name := range killed {
			if part.Name == name {
				syscall.Kill(part.PID, syscall.SIGKILL)
			}
		}
	}
	wait(t, limit, func(ctx context.Context) error {
		report, err := Status(ctx, n.Dir())
		if err != nil {
			return err
		}
		if report.Total.Restarts != len(killed) || !report.Healthy() {
			return fmt.Errorf("%d restarts, problems %v", report.Total.Restarts, report.Problems)
		}
		return nil
	})
	if err := n.Restart(t.Context(), "labor-peer"); err != nil {
		t.Error(err)
	}
	awaitValue(t, n, "labor", "first")
}

// checkSwarm adds a file at one department and reads it at another.
func checkSwarm(t *testing.T, n *Network) {
	t.Helper()
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	file, err := writer.CreateFormFile("file", "file")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(file, "population")
	writer.Close()
	added, err := kuboCall(t, n, "census", "add?cid-version=1", &form, writer.FormDataContentType())
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Hash string }
	if err := json.Unmarshal(added, &answer); err != nil {
		t.Fatal(err)
	}
	got, err := kuboCall(t, n, "labor", "cat?timeout=10s&arg="+answer.Hash, nil, "")
	if err != nil || string(got) != "population" {
		t.Errorf("labor reads %q (%v)", got, err)
	}
	if _, err := kuboCall(t, n, "labor", "shutdown", nil, ""); err == nil {
		t.Error("the RPC API takes a call that is not in AllowedPaths")
	}
	response, err := http.Post("http://"+n.address("labor-kubo")+"/api/v0/id", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("the RPC API answers %s without a token", response.Status)
	}
}

func kuboCall(t *testing.T, n *Network, department, call string, body io.Reader, contentType string) ([]byte, error) {
	t.Helper()
	d, err := n.department(department)
	if err != nil {
		t.Fatal(err)
	}
	token, err := n.kuboToken(d)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+n.address(department+"-kubo")+"/api/v0/"+call, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, data)
	}
	return data, err
}

// checkBusyPort listens where a peer would.
func checkBusyPort(t *testing.T, dir string, options Options) {
	t.Helper()
	s, err := readState(dir)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", address(s.Ports["health-peer"]))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, err = Up(t.Context(), dir, options)
	if !errors.Is(err, ErrPortBusy) || !strings.Contains(err.Error(), "health-peer") {
		t.Errorf("error %v", err)
	}
}

// peerCommand runs Fabric's own peer command as a department's administrator.
func peerCommand(t *testing.T, n *Network, department, verb string, args ...string) string {
	t.Helper()
	out, err := tryPeerCommand(t, n, department, verb, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryPeerCommand(t *testing.T, n *Network, department, verb string, args ...string) (string, error) {
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
	cmd := exec.CommandContext(t.Context(), n.PeerPath(), call...)
	cmd.Env = append(baseEnv(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("peer %s: %w\n%s", strings.Join(call, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

func awaitValue(t *testing.T, n *Network, department, want string) {
	t.Helper()
	wait(t, limit, func(context.Context) error {
		got, err := tryPeerCommand(t, n, department, "query", "get")
		if err == nil && got != want {
			err = fmt.Errorf("%s holds %q, want %q", department, got, want)
		}
		return err
	})
}
