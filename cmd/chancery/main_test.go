package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"chancery/events/bus"
)

// asMain makes the test's program the command itself.
const asMain = "CHANCERY_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

// spawned is the command as a process.
type spawned struct {
	*exec.Cmd
	t           *testing.T
	out, report buffer
}

func spawn(t *testing.T, args ...string) *spawned {
	t.Helper()
	s := &spawned{Cmd: exec.Command(os.Args[0], args...), t: t}
	s.Env = append(os.Environ(), asMain+"=1")
	s.Stdout, s.Stderr = &s.out, &s.report
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Process.Kill() })
	return s
}

// until waits until the process has printed a text.
func (s *spawned) until(b *buffer, text string) {
	s.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(b.String(), text); <-ticker.C {
		if time.Now().After(deadline) {
			s.t.Fatalf("no %q in %q", text, b.String())
		}
	}
}

func (s *spawned) end(by os.Signal) (code int) {
	s.t.Helper()
	if err := s.Process.Signal(by); err != nil {
		s.t.Fatal(err)
	}
	s.Wait()
	return s.ProcessState.ExitCode()
}

func TestInterruptIsQuiet(t *testing.T) {
	o := newOffice(t)
	s := spawn(t, "watch", "--data", o.data, "--since", "all")
	say(t, o.bus.Connect(t, "listen"), someEvents)
	s.until(&s.out, "grant.given")
	if code := s.end(os.Interrupt); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
	if got := s.report.String(); got != "" {
		t.Errorf("stderr: %s", got)
	}
}

func TestServeBusUntilTold(t *testing.T) {
	o := newOffice(t)
	var cfg bus.ServerConfig
	cfg.Department, cfg.Port, cfg.StoreDir = "labor", -1, t.TempDir()
	cfg.TLS.Cert, cfg.TLS.Key = filepath.Join(o.bus.Dir, "ca.pem"), filepath.Join(o.bus.Dir, "key.pem")
	cfg.Users = map[string]string{bus.UserAdmin: publicKey(t)}
	file := filepath.Join(t.TempDir(), "bus.json")
	data, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s := spawn(t, "serve", "bus", "--config", file)
	s.until(&s.report, `"message":"bus ready"`)
	if code := s.end(syscall.SIGTERM); code != exitOK {
		t.Errorf("exit code %d: %s", code, s.report.String())
	}
	for line := range strings.Lines(s.report.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("log line is not JSON: %s", line)
		}
	}
}

func publicKey(t *testing.T) string {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	key, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}
