package native

import (
	"errors"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/compose"
)

func defaultTopology(t *testing.T) compose.Topology {
	t.Helper()
	topology, err := compose.Default()
	if err != nil {
		t.Fatal(err)
	}
	return topology
}

func TestAllottedPortsAreFreeAndDistinct(t *testing.T) {
	names := portNames(defaultTopology(t))
	ports, err := allotPorts(names, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, name := range names {
		port := ports[name]
		if port < firstPort || port > lastPort || seen[port] {
			t.Errorf("%s has port %d", name, port)
		}
		seen[port] = true
	}
	if err := checkPorts(ports); err != nil {
		t.Error(err)
	}
}

func TestBusyPortIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", address(0))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	err = checkPorts(map[string]int{"census-peer": port})
	if !errors.Is(err, ErrPortBusy) || !strings.Contains(err.Error(), "census-peer") || !strings.Contains(err.Error(), address(port)) {
		t.Errorf("error %v", err)
	}
}

func TestRecordKeepsPortsAndSteps(t *testing.T) {
	dir, topology := t.TempDir(), defaultTopology(t)
	first, err := openRecord(dir, topology)
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	step := func() error { runs++; return nil }
	failure := errors.New("disk full")
	if err := first.once(stepGenesis, func() error { return failure }); !errors.Is(err, failure) {
		t.Errorf("error %v", err)
	}
	for range 2 {
		if err := first.once(stepGenesis, step); err != nil {
			t.Fatal(err)
		}
	}
	second, err := openRecord(dir, topology)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.once(stepGenesis, step); err != nil {
		t.Fatal(err)
	}
	if runs != 1 {
		t.Errorf("the step ran %d times", runs)
	}
	for name, port := range first.state.Ports {
		if second.state.Ports[name] != port {
			t.Errorf("port of %s changed", name)
		}
	}
}

// TestRecordCompletesPorts: a network that was made before there was a listener
// gets a port for it, and keeps the others.
func TestRecordCompletesPorts(t *testing.T) {
	dir, topology := t.TempDir(), defaultTopology(t)
	first, err := openRecord(dir, topology)
	if err != nil {
		t.Fatal(err)
	}
	const gone = "census-" + portMetrics
	before := maps.Clone(first.state.Ports)
	if err := first.update(func(s *state) { delete(s.Ports, gone) }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		again, err := openRecord(dir, topology)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		for name, port := range again.state.Ports {
			if seen[port] || port == 0 || (name != gone && before[name] != port) {
				t.Errorf("%s has port %d, and had %d", name, port, before[name])
			}
			seen[port] = true
		}
		if len(again.state.Ports) != len(before) {
			t.Errorf("%d ports, and were %d", len(again.state.Ports), len(before))
		}
		before = maps.Clone(again.state.Ports)
	}
}

func TestOpenRecordRefuses(t *testing.T) {
	topology := defaultTopology(t)
	for name, c := range map[string]struct {
		spoil func(dir string) error
		want  string
	}{
		"another topology": {func(dir string) error {
			other := topology
			other.Channel = "other"
			_, err := openRecord(dir, other)
			return err
		}, "another topology"},
		"a damaged record": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, StateName), []byte(`{"format":1,`), 0o600)
		}, "damaged"},
		"another format": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, StateName), []byte(`{"format":2}`), 0o600)
		}, "format 2"},
		"a department without a record": {func(dir string) error {
			return os.Mkdir(filepath.Join(dir, "census"), 0o700)
		}, "holds department census"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := openRecord(dir, topology); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestOpenWithoutANetwork(t *testing.T) {
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrNoNetwork) {
		t.Errorf("error %v", err)
	}
	if _, err := Status(t.Context(), filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, ErrNoNetwork) {
		t.Errorf("error %v", err)
	}
	if err := Down(t.Context(), t.TempDir()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("error %v", err)
	}
}

func TestLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	if pid, err := lockHolder(name); pid != 0 || err != nil {
		t.Errorf("no lock: holder %d (%v)", pid, err)
	}
	lock, err := tryLock(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tryLock(name); !errors.Is(err, errLocked) {
		t.Errorf("second lock: %v", err)
	}
	if pid, err := lockHolder(name); pid != os.Getpid() || err != nil {
		t.Errorf("held: holder %d (%v)", pid, err)
	}
	if err := lock.release(); err != nil {
		t.Fatal(err)
	}
	if pid, err := lockHolder(name); pid != 0 || err != nil {
		t.Errorf("released: holder %d (%v)", pid, err)
	}
	again, err := tryLock(name)
	if err != nil {
		t.Fatal(err)
	}
	again.release()
}

func TestUpRefusesAnUnwritableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var pathError *fs.PathError
	if _, err := Up(t.Context(), filepath.Join(file, "data"), Options{}); !errors.As(err, &pathError) || !strings.Contains(err.Error(), "data directory") {
		t.Errorf("error %v", err)
	}
}
