package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/compose/native"
)

// tool runs a program and returns its standard output.
func tool(t *testing.T, cmd *exec.Cmd) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, &stderr)
	}
	return out
}

// ipfs is kubo's own command, which the network was started with.
func (n network) ipfs(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(n.dir, native.StateName))
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Binaries struct{ IPFS string }
	}
	if err := json.Unmarshal(text, &state); err != nil || state.Binaries.IPFS == "" {
		t.Fatalf("%s names no ipfs (%v)", native.StateName, err)
	}
	return state.Binaries.IPFS
}

// TestPeerCommand queries the contract with Fabric's own command, in the
// environment that the env verb prints.
func TestPeerCommand(t *testing.T) {
	n := shared(t)
	s, published := n.publish(t, "census")
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	call, err := json.Marshal(map[string][]string{"Args": {"Get", "dataset", "census/" + s.name}})
	if err != nil {
		t.Fatal(err)
	}
	script := `eval "$("$0" env --data "$1" -d census --as officer)" && peer chaincode query -C chancery -n chancery -c "$2"`
	out := tool(t, exec.CommandContext(t.Context(), "sh", "-c", script, program, n.dir, string(call)))
	var dataset exchange.Dataset
	if err := json.Unmarshal(out, &dataset); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if dataset.ID != published.Dataset || dataset.Owner != "census" || dataset.Versions != 1 || dataset.Title != "Table "+s.name {
		t.Errorf("peer answers %s", out)
	}
}

// TestAgeCommand opens a sealed object at its provider, with nothing but ipfs
// and age.
func TestAgeCommand(t *testing.T) {
	n := shared(t)
	s, published := n.publish(t, "census")
	object := ask[exchange.Object](t, n, "object", "show", published.ID)

	p := n.profile(t, "census")
	cat := exec.CommandContext(t.Context(), n.ipfs(t), "--api-auth", "bearer:"+p.IPFS.Auth, "cat", object.CID)
	cat.Env = append(os.Environ(), "IPFS_PATH="+filepath.Join(n.dir, "census", "kubo"), "IPFS_TELEMETRY=off")
	sealed := tool(t, cat)
	if int64(len(sealed)) != object.Size || bytes.Contains(sealed, s.content[:20]) {
		t.Errorf("ipfs gives %d bytes, the ledger says %d", len(sealed), object.Size)
	}

	age := filepath.Join(root, "age")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", age, "filippo.io/age/cmd/age")
	build.Dir = filepath.Join("..", "..", "crypto", "envelope", "testdata", "age")
	build.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	tool(t, build)
	open := exec.CommandContext(t.Context(), age, "-d", "-i", filepath.Join(p.Keystore, "dataset", published.Dataset+".identity"))
	open.Stdin = bytes.NewReader(sealed)
	if got := tool(t, open); !bytes.Equal(got, s.content) {
		t.Errorf("age opens %d bytes, %d were published", len(got), len(s.content))
	}
}
