package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"chancery/compose"
)

// lockName is the file whose lock the running launcher holds.
const lockName = "up.lock"

// Options says how to start a network. The zero value starts the topology that
// the binary carries.
type Options struct {
	// Topology of a new network, and what an existing one must have been made
	// from; the zero value is compose.Default.
	Topology compose.Topology
	// BinDir holds peer, orderer and ipfs to use; empty means to build them.
	BinDir string
	// CacheDir is where programs are built; empty means CacheDir().
	CacheDir string
	// Program is the chancery binary that parts run; empty means this one.
	Program string
	// Progress takes a line for each step and each part that ends by itself;
	// nil takes none.
	Progress io.Writer
	// StartLimit bounds the start, building not counted; 0 means 3 minutes.
	StartLimit time.Duration
	// Bootstrap registers the departments and enrols their officers. It runs
	// once in a network's life, when ledger and buses answer and before any
	// worker starts; after an error the next Up runs it again.
	Bootstrap func(context.Context, *Network) error
}

// defaultStartLimit bounds a start on a slow machine.
const defaultStartLimit = 3 * time.Minute

// ErrRunning is wrapped by Up's error when the data directory's network runs
// already.
var ErrRunning = errors.New("network is running")

// Up starts the network of dataDir and returns when all of it is healthy. A
// directory that does not exist or is empty gets a new network; one that Up made
// before goes on with the same ledger. When ctx ends (the error wraps the
// context's) or a part does not start, everything is stopped again. After Up has
// returned, ctx is done with: the network runs until Stop, and no longer than
// this process.
func Up(ctx context.Context, dataDir string, options Options) (*Network, error) {
	n, err := prepare(ctx, dataDir, &options)
	if err != nil {
		return nil, err
	}
	limit := options.StartLimit
	if limit == 0 {
		limit = defaultStartLimit
	}
	startCtx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not healthy after %s", limit))
	defer cancel()
	if err := n.start(startCtx, options.Bootstrap); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err() // whatever was under way failed of it
		} else if startCtx.Err() != nil {
			err = fmt.Errorf("%w: %w", context.Cause(startCtx), err)
		}
		return nil, errors.Join(fmt.Errorf("start: %w", err), n.Stop(context.WithoutCancel(ctx)))
	}
	return n, nil
}

// prepare takes the data directory and gets everything ready that needs no
// running part: record, ports, programs.
func prepare(ctx context.Context, dataDir string, options *Options) (n *Network, err error) {
	if reflect.ValueOf(options.Topology).IsZero() {
		if options.Topology, err = compose.Default(); err != nil {
			return nil, err
		}
	}
	dir, err := filepath.Abs(dataDir)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := takeNetwork(ctx, dir)
	if err != nil {
		return nil, err
	}
	n = &Network{
		dir: dir, topology: options.Topology, lock: lock,
		say: newNarrator(options.Progress), stopped: make(chan struct{}),
	}
	defer func() {
		if err != nil {
			lock.release()
		}
	}()
	if n.record, err = openRecord(dir, options.Topology); err != nil {
		return nil, err
	}
	if err := checkPorts(n.record.state.Ports); err != nil {
		return nil, err
	}
	if n.binaries, err = options.programs(ctx); err != nil {
		return nil, err
	}
	if err := n.installProgram(options.Program); err != nil {
		return nil, err
	}
	if err := n.setLogsAside(); err != nil {
		return nil, fmt.Errorf("logs: %w", err)
	}
	return n, n.record.update(func(s *state) { s.Binaries = n.binaries })
}

// takeNetwork locks the data directory for this launcher.
func takeNetwork(ctx context.Context, dir string) (*fileLock, error) {
	file := filepath.Join(dir, lockName)
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	for {
		lock, err := tryLock(file)
		if !errors.Is(err, errLocked) {
			if err != nil {
				err = fmt.Errorf("data directory: %w", err)
			}
			return lock, err
		}
		pid, err := lockHolder(file)
		if pid > 0 {
			return nil, fmt.Errorf("%w from %s (launcher %d): stop it with `chancery down`", ErrRunning, dir, pid)
		}
		if err != nil && !errors.Is(err, errLocked) {
			return nil, fmt.Errorf("data directory: %w", err)
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w from %s", ErrRunning, dir)
		}
	}
}

func (o *Options) programs(ctx context.Context) (Binaries, error) {
	if o.BinDir != "" {
		return UseDir(o.BinDir)
	}
	if o.CacheDir == "" {
		dir, err := CacheDir()
		if err != nil {
			return Binaries{}, err
		}
		o.CacheDir = dir
	}
	return Build(ctx, o.CacheDir, o.Progress)
}

// start takes the network from files to healthy.
func (n *Network) start(ctx context.Context, bootstrap func(context.Context, *Network) error) error {
	done := n.say.during("starting the network", progressInterval)
	defer done()
	began := time.Now()
	genesis, err := n.makeFiles(ctx)
	if err != nil {
		return err
	}
	packages, ids, err := n.makePackages()
	if err != nil {
		return err
	}
	parts, err := n.infrastructure(ids)
	if err != nil {
		return err
	}
	if err := n.launch(ctx, parts); err != nil {
		return err
	}
	if err := n.joinSwarm(ctx); err != nil {
		return err
	}
	if err := n.record.once(stepChannel, func() error { return n.joinChannel(ctx, genesis) }); err != nil {
		return err
	}
	if err := n.record.once(stepChaincode, func() error { return n.defineChaincode(ctx, packages, ids) }); err != nil {
		return err
	}
	if err := n.awaitPeers(ctx, n.topology.Chaincode.Name); err != nil {
		return fmt.Errorf("wait for the peers to know one another: %w", err)
	}
	if bootstrap != nil {
		if err := n.record.once(stepBootstrap, func() error { return bootstrap(ctx, n) }); err != nil {
			return err
		}
	}
	var departments []Part
	for _, d := range n.topology.Departments {
		departments = append(departments, n.workersPart(d))
	}
	if err := n.launch(ctx, departments); err != nil {
		return err
	}
	n.say.say("the network is up: %d parts in %s", len(n.keepers), time.Since(began).Round(100*time.Millisecond))
	return nil
}

// infrastructure is every part but the workers.
func (n *Network) infrastructure(packageIDs map[string]string) ([]Part, error) {
	ordering, err := n.ordererPart()
	parts := []Part{ordering}
	add := func(part Part, partErr error) {
		parts = append(parts, part)
		err = errors.Join(err, partErr)
	}
	for _, d := range n.topology.Departments {
		add(n.peerPart(d))
		add(n.chaincodePart(d, packageIDs[d.Name]))
		add(n.kuboPart(d))
		add(n.busPart(d))
	}
	return parts, err
}

// launch starts parts, all at once, and waits until all are ready. The first
// error ends the waiting; what was started stays, for Stop.
func (n *Network) launch(ctx context.Context, parts []Part) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var keepers []*keeper
	for _, part := range parts {
		keepers = append(keepers, newKeeper(part, n.path("logs"), n.say, n.partChanged))
	}
	err := n.record.update(func(s *state) {
		for _, k := range keepers {
			s.Parts = append(s.Parts, k.status)
		}
	})
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.keepers = append(n.keepers, keepers...)
	n.mu.Unlock()
	results := make(chan error, len(parts))
	for _, k := range keepers {
		go func() {
			err := k.launch(ctx)
			results <- err
			if err != nil {
				cancel()
			}
		}()
	}
	var first error
	for range parts {
		if err := <-results; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// partChanged records the status of a part.
func (n *Network) partChanged(status PartStatus) {
	err := n.record.update(func(s *state) {
		i := slices.IndexFunc(s.Parts, func(p PartStatus) bool { return p.Name == status.Name })
		s.Parts[i] = status
	})
	if err != nil {
		n.say.say("%v", err)
	}
}
