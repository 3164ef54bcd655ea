package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// progressInterval is the time between two lines of a long step.
	progressInterval = 10 * time.Second
	// lockPoll is how often a lock that somebody holds is tried again.
	lockPoll = 200 * time.Millisecond
	// commandGrace is how long an interrupted command may take to end.
	commandGrace = 5 * time.Second
)

// Binaries says where the third-party programs are.
type Binaries struct {
	Peer    string // file
	Orderer string // file
	IPFS    string // file
	Config  string // directory with Fabric's sample core.yaml and orderer.yaml
}

// CacheDir is where Build keeps what it built unless told otherwise: chancery
// in the user's cache directory.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cache directory: %w", err)
	}
	return filepath.Join(dir, "chancery"), nil
}

// Build returns the programs in cacheDir, building those that are not there. A
// build appears in the cache complete or not at all, and is checked against its
// SHA-256 digests each time: one that is damaged is named on progress and built
// again. Two that build at once wait for one another. It needs the go command;
// when ctx ends, so does the build.
func Build(ctx context.Context, cacheDir string, progress io.Writer) (Binaries, error) {
	say := newNarrator(progress)
	if err := os.MkdirAll(cacheDir, 0o755); err != nil {
		return Binaries{}, fmt.Errorf("cache: %w", err)
	}
	lock, err := waitForLock(ctx, filepath.Join(cacheDir, "build.lock"), say)
	if err != nil {
		return Binaries{}, fmt.Errorf("cache: %w", err)
	}
	defer lock.release()
	if err := removeUnfinished(cacheDir); err != nil {
		return Binaries{}, fmt.Errorf("cache: %w", err)
	}

	dirs := make([]string, len(modules))
	results := make(chan error, len(modules))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i, m := range modules {
		go func() {
			var err error
			dirs[i], err = provide(ctx, m, cacheDir, say)
			results <- err
			if err != nil {
				cancel()
			}
		}()
	}
	var first error
	for range modules {
		if err := <-results; err != nil && first == nil {
			first = err
		}
	}
	if first != nil {
		return Binaries{}, first
	}
	return Binaries{
		Orderer: filepath.Join(dirs[0], "orderer"),
		Peer:    filepath.Join(dirs[0], "peer"),
		Config:  dirs[0],
		IPFS:    filepath.Join(dirs[1], "ipfs"),
	}, nil
}

func waitForLock(ctx context.Context, name string, say *narrator) (*fileLock, error) {
	lock, err := tryLock(name)
	if !errors.Is(err, errLocked) {
		return lock, err
	}
	defer say.during("waiting for another build to end", progressInterval)()
	waited := until(ctx, lockPoll, func(context.Context) error {
		if lock, err = tryLock(name); errors.Is(err, errLocked) {
			return err
		}
		return nil
	})
	return lock, errors.Join(waited, err)
}

// removeUnfinished clears away what killed builds left. The lock is held.
func removeUnfinished(cacheDir string) error {
	left, err := filepath.Glob(filepath.Join(cacheDir, unfinished+"*"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// unfinished begins the name of a build that is going on.
const unfinished = ".build-"

// provide returns the directory with the module's programs.
func provide(ctx context.Context, m module, cacheDir string, say *narrator) (string, error) {
	key, err := m.key()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cacheDir, key)
	err = verifyManifest(dir, m.contents())
	if err == nil {
		return dir, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		say.say("cache: %v; building it again", err)
	}
	temp, err := os.MkdirTemp(cacheDir, unfinished+m.name+"-")
	if err != nil {
		return "", fmt.Errorf("cache: %w", err)
	}
	defer os.RemoveAll(temp)
	began := time.Now()
	done := say.during("building "+m.label, progressInterval)
	err = m.build(ctx, temp)
	done()
	if err != nil {
		return "", fmt.Errorf("build %s: %w", m, err)
	}
	if err := errors.Join(os.RemoveAll(dir), os.Rename(temp, dir), syncDir(cacheDir)); err != nil {
		return "", fmt.Errorf("cache: %w", err)
	}
	say.say("built %s (%s) in %s", m.label, m, time.Since(began).Round(time.Second))
	return dir, nil
}

// build makes the module's contents and their manifest in dir.
func (m module) build(ctx context.Context, dir string) error {
	goMod, goSum, err := m.sources()
	if err != nil {
		return err
	}
	source := filepath.Join(dir, "source")
	if err := os.Mkdir(source, 0o755); err != nil {
		return err
	}
	for name, data := range map[string][]byte{"go.mod": goMod, "go.sum": goSum} {
		if err := os.WriteFile(filepath.Join(source, name), data, 0o644); err != nil {
			return err
		}
	}
	args := append([]string{"build", "-trimpath", "-ldflags", linkFlags, "-tags", m.tags, "-o", dir + "/"}, m.packages...)
	if _, err := goCommand(ctx, source, args...); err != nil {
		return err
	}
	if err := m.copyFiles(ctx, source, dir); err != nil {
		return err
	}
	if err := os.RemoveAll(source); err != nil {
		return err
	}
	for _, name := range m.contents() {
		if err := syncFile(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return writeManifest(dir, m.contents())
}

// copyFiles takes the module's files from where the go command keeps them.
func (m module) copyFiles(ctx context.Context, source, dir string) error {
	if len(m.files) == 0 {
		return nil
	}
	out, err := goCommand(ctx, source, "list", "-m", "-f", "{{.Dir}}", m.path)
	if err != nil {
		return err
	}
	moduleDir := strings.TrimSpace(out)
	for _, file := range m.files {
		if err := copyFile(filepath.Join(moduleDir, filepath.FromSlash(file)), filepath.Join(dir, path.Base(file)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func syncFile(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// goCommand runs the go command in dir and returns its output.
func goCommand(ctx context.Context, dir string, args ...string) (string, error) {
	goPath, err := exec.LookPath("go")
	if err != nil {
		return "", errors.New("the go command is not on PATH; install Go, or give existing programs with --bin-dir")
	}
	cmd := exec.Command(goPath, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOWORK=off", "GO111MODULE=on", "GOOS=", "GOARCH=")
	out, err := output(ctx, cmd)
	if err != nil {
		return "", fmt.Errorf("go %s: %w", args[0], err)
	}
	return out, nil
}

// output runs cmd and returns its standard output; an error quotes the end of
// its standard error. When ctx ends, cmd and what it has started end too, and
// the error is the context's.
func output(ctx context.Context, cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = commandGrace
	if err := start(cmd); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			return "", fmt.Errorf("%w\n%s", err, tail(stderr.String(), 20))
		}
		return stdout.String(), nil
	case <-ctx.Done():
		endGroup(cmd.Process.Pid, ended, commandGrace)
		return "", ctx.Err()
	}
}

// endGroup asks the process group to end, and kills it after grace. ended
// receives when its first process has been waited for.
func endGroup(pid int, ended <-chan error, grace time.Duration) {
	syscall.Kill(-pid, syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-ended:
		syscall.Kill(-pid, syscall.SIGKILL) // what the first process left
	case <-timer.C:
		syscall.Kill(-pid, syscall.SIGKILL)
		<-ended
	}
}

// tail is the last lines of text, indented.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return "  " + strings.Join(all[max(0, len(all)-lines):], "\n  ")
}

// UseDir returns the programs in binDir instead: peer, orderer and ipfs, with
// core.yaml and orderer.yaml there or, as Fabric's releases have it, in a
// directory config beside it. The error names everything that is missing.
func UseDir(binDir string) (Binaries, error) {
	binDir, err := filepath.Abs(binDir)
	if err != nil {
		return Binaries{}, fmt.Errorf("programs: %w", err)
	}
	var missing []string
	for _, name := range []string{"peer", "orderer", "ipfs"} {
		if info, err := os.Stat(filepath.Join(binDir, name)); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			missing = append(missing, name)
		}
	}
	config := binDir
	if !hasFabricConfig(config) {
		config = filepath.Join(filepath.Dir(binDir), "config")
	}
	if !hasFabricConfig(config) {
		missing = append(missing, "core.yaml and orderer.yaml (there or in ../config)")
	}
	if len(missing) > 0 {
		return Binaries{}, fmt.Errorf("programs: %s has no executable %s", binDir, strings.Join(missing, ", "))
	}
	return Binaries{
		Peer:    filepath.Join(binDir, "peer"),
		Orderer: filepath.Join(binDir, "orderer"),
		IPFS:    filepath.Join(binDir, "ipfs"),
		Config:  config,
	}, nil
}

func hasFabricConfig(dir string) bool {
	for _, name := range []string{"core.yaml", "orderer.yaml"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}
