package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/compose/native"
	"chancery/events/bus"
	"chancery/workers"
)

// departments of the network.
var departments = []string{"census", "health", "labor"}

// rules are every department's: what is asked for by purpose is given, refused,
// or left to nobody, until it is withdrawn.
const rules = `rules:
  - {name: plan, when: request.purpose == 'planning', decide: give}
  - {name: resale, when: request.purpose == 'resale', decide: refuse, reason: not for resale}
`

// network is one that runs in this process, with workers whose ways to bus, peer
// and kubo node lead through proxies.
type network struct {
	*native.Network
	binary   string
	faults   faults
	profiles map[string]workers.Profile // that lead to the parts themselves
}

const (
	startLimit = 8 * time.Minute // there may be programs to build
	pollEvery  = 100 * time.Millisecond
	patience   = 90 * time.Second // far more than any wait takes on an idle machine
)

// start starts a network until the end of the test. The first start and stop
// are the binary's own, which registers the departments; the second is in this
// process, so that a killed part need not wait for the launcher's backoff.
func start(t *testing.T) *network {
	t.Helper()
	root, err := os.MkdirTemp("", "chancery-chaos-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the network's directory, with its logs, is %s", root)
			return
		}
		os.RemoveAll(root)
	})
	n := &network{binary: filepath.Join(root, "chancery"), profiles: make(map[string]workers.Profile)}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", n.binary, "chancery/cmd/chancery").CombinedOutput(); err != nil {
		t.Fatalf("build chancery: %v\n%s", err, out)
	}
	dir := filepath.Join(root, "data")
	n.must(t, dir, "up", "--detach")
	n.must(t, dir, "down")
	for _, d := range departments {
		if err := os.WriteFile(filepath.Join(dir, d, "policy.yaml"), []byte(rules), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n.Network, err = native.Up(t.Context(), dir, native.Options{Program: n.binary}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := n.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	for _, d := range departments {
		n.lead(t, d)
	}
	return n
}

// lead makes a department's workers go through proxies.
func (n *network) lead(t *testing.T, department string) {
	t.Helper()
	dir := n.DepartmentDir(department)
	p, err := workers.LoadProfile(dir)
	if err != nil {
		t.Fatal(err)
	}
	n.profiles[department] = p
	through := wired(t, department, &n.faults, p)
	if err := through.Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := n.Restart(t.Context(), department+"-workers"); err != nil {
		t.Fatal(err)
	}
}

// straighten makes what is started from now on go without proxies.
func (n *network) straighten(t *testing.T) {
	t.Helper()
	for d, p := range n.profiles {
		if err := p.Save(n.DepartmentDir(d)); err != nil {
			t.Fatal(err)
		}
	}
}

// must runs the binary, which has to succeed.
func (n *network) must(t *testing.T, dir string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, n.binary, append(args, "--data", dir)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "CHANCERY_") })
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("chancery %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// pid is the process of a department's workers.
func (n *network) pid(ctx context.Context, department string) (int, error) {
	report, err := native.Status(ctx, n.Dir())
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(report.Parts, func(p native.PartStatus) bool { return p.Name == department+"-workers" })
	if i < 0 || report.Parts[i].PID == 0 {
		return 0, fmt.Errorf("the workers of %s have no process", department)
	}
	return report.Parts[i].PID, nil
}

// connect opens a department's bus without a proxy.
func (n *network) connect(t *testing.T, department, user string) *bus.Conn {
	t.Helper()
	p := n.profiles[department].Bus
	conn, err := bus.Connect(t.Context(), bus.Config{URL: p.URL, CA: p.CA, NKeys: p.NKeys, User: user})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

var errNotYet = errors.New("not yet")

// await polls until the answer is nil, within the test's patience.
func await(ctx context.Context, what string, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}
