package e2e

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// root is the directory of this run: the built binary and every network.
var root string

// reapVariable makes this test binary the reaper of the directory it names.
const reapVariable = "CHANCERY_E2E_REAP"

func TestMain(m *testing.M) {
	if dir := os.Getenv(reapVariable); dir != "" {
		os.Exit(reap(dir))
	}
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run())
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

// run runs the tests beside a reaper.
func run(m *testing.M) (code int, err error) {
	if root, err = os.MkdirTemp("", "chancery-e2e-"); err != nil {
		return 1, err
	}
	// The contract's suite waits for commits, not for the processor.
	if err := flag.Set("test.parallel", "24"); err != nil {
		return 1, err
	}
	reaper := exec.Command(os.Args[0])
	reaper.Env = append(os.Environ(), reapVariable+"="+root)
	reaper.Stderr = os.Stderr
	reaper.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is not for it
	life, err := reaper.StdinPipe()
	if err == nil {
		err = reaper.Start()
	}
	if err != nil {
		return 1, errors.Join(fmt.Errorf("reaper: %w", err), os.RemoveAll(root))
	}
	code = m.Run()
	if code == 0 {
		_, err = io.WriteString(life, passed)
	}
	return code, errors.Join(err, life.Close(), reaper.Wait())
}

// passed tells the reaper that nobody will look for the cause of anything.
const passed = "passed"

// reapLimit bounds how long killed processes may take to be gone.
const reapLimit = 20 * time.Second

// reap waits until the test run has ended, which closes its standard input even
// if the run was killed; then it kills what still runs from dir, and removes it
// if the run passed. A killed launcher takes its parts along.
func reap(dir string) int {
	said, err := io.ReadAll(os.Stdin)
	err = errors.Join(err, poll(reapLimit, func() error {
		left := processesOf(dir)
		for _, p := range left {
			syscall.Kill(p.pid, syscall.SIGKILL)
		}
		if len(left) > 0 {
			return fmt.Errorf("still running: %v", left)
		}
		return nil
	}))
	if string(said) == passed {
		err = errors.Join(err, os.RemoveAll(dir))
	} else {
		fmt.Fprintln(os.Stderr, "e2e: what the failed run left, logs included, is in", dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return 0
}

// binary is the chancery binary, built from this working tree.
var binary = sync.OnceValues(func() (string, error) {
	file := filepath.Join(root, "chancery")
	if out, err := exec.Command("go", "build", "-o", file, "chancery/cmd/chancery").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build chancery: %w\n%s", err, out)
	}
	return file, nil
})
