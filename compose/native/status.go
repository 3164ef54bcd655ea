package native

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"
)

// statusLimit bounds the questions to peers.
const statusLimit = 5 * time.Second

// Report says how a network is. Figures are those of the moment.
type Report struct {
	DataDir  string `json:"dataDir"`
	Running  bool   `json:"running"`
	Launcher int    `json:"launcher,omitempty"` // process id
	// Parts are every process, the launcher not counted, in the order of their
	// start.
	Parts []PartStatus `json:"parts"`
	Total Total        `json:"total"`
	// Heights is the number of blocks on each department's peer; a peer that
	// does not answer is left out and named in Problems.
	Heights  map[string]uint64 `json:"heights"`
	Problems []string          `json:"problems,omitempty"`
	// MeasuredSeconds is how long [Report.Measure] watched; 0: not measured.
	MeasuredSeconds float64 `json:"measuredSeconds,omitempty"`
}

// Total sums the figures of all parts.
type Total struct {
	Parts         int     `json:"parts"`
	Running       int     `json:"running"`
	Restarts      int     `json:"restarts"`
	ResidentBytes int64   `json:"residentBytes"`
	CPUSeconds    float64 `json:"cpuSeconds"`
	Cores         float64 `json:"cores"` // see [PartStatus]
}

// Healthy says whether every part runs and every peer answers.
func (r Report) Healthy() bool {
	return r.Running && r.Total.Running == r.Total.Parts && len(r.Problems) == 0
}

// Status looks at the network of dataDir from outside; it may run beside the
// launcher. A directory without a network is ErrNoNetwork; a network that does
// not run is no error.
func Status(ctx context.Context, dataDir string) (Report, error) {
	n, err := Open(dataDir)
	if err != nil {
		return Report{}, err
	}
	report := Report{DataDir: n.dir, Parts: []PartStatus{}, Heights: map[string]uint64{}}
	pid, err := lockHolder(filepath.Join(n.dir, lockName))
	if err != nil && !errors.Is(err, errLocked) {
		return Report{}, fmt.Errorf("status: %w", err)
	}
	if pid == 0 && err == nil {
		return report, nil
	}
	report.Running, report.Launcher = true, pid
	for _, part := range n.record.state.Parts {
		report.addPart(part)
	}
	n.addHeights(ctx, &report)
	return report, nil
}

func (r *Report) addPart(part PartStatus) {
	if part.PID != 0 {
		usage, err := usageOf(part.PID)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			part.State = stateFailed // its launcher has not noticed yet, or cannot write it down
		case err != nil:
			r.Problems = append(r.Problems, fmt.Sprintf("%s: %v", part.Name, err))
		}
		part.ResidentBytes, part.CPUSeconds = usage.resident, usage.cpu.Seconds()
		part.UptimeSeconds = time.Since(part.Started).Seconds()
	}
	if part.State == stateRunning {
		r.Total.Running++
	} else {
		r.Problems = append(r.Problems, fmt.Sprintf("%s is %s", part.Name, part.State))
	}
	r.Total.Parts++
	r.Total.Restarts += part.Restarts
	r.Total.ResidentBytes += part.ResidentBytes
	r.Total.CPUSeconds += part.CPUSeconds
	r.Parts = append(r.Parts, part)
}

// Measure watches the parts for some time and fills in how busy each kept the
// machine. A part that ends meanwhile counts as idle.
func (r *Report) Measure(ctx context.Context, over time.Duration) error {
	before := r.times()
	start := time.Now()
	watched, cancel := context.WithTimeout(ctx, over)
	defer cancel()
	<-watched.Done()
	if err := ctx.Err(); err != nil {
		return err
	}
	after, elapsed := r.times(), time.Since(start)
	r.MeasuredSeconds = elapsed.Seconds()
	for i := range r.Parts {
		part := &r.Parts[i]
		if busy := after[part.PID] - before[part.PID]; busy > 0 {
			part.Cores = busy.Seconds() / elapsed.Seconds()
		}
		r.Total.Cores += part.Cores
	}
	return nil
}

// times is the processor time of every process of the parts that can be read.
func (r *Report) times() map[int]time.Duration {
	times := map[int]time.Duration{}
	for _, part := range r.Parts {
		if usage, err := usageOf(part.PID); part.PID != 0 && err == nil {
			times[part.PID] = usage.cpu
		}
	}
	return times
}

func (n *Network) addHeights(ctx context.Context, r *Report) {
	ctx, cancel := context.WithTimeout(ctx, statusLimit)
	defer cancel()
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, d := range n.topology.Departments {
		group.Go(func() {
			height, err := n.height(ctx, d)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				r.Problems = append(r.Problems, fmt.Sprintf("height of %v", err))
				return
			}
			r.Heights[d.Name] = height
		})
	}
	group.Wait()
}

// usage is what a process takes of the machine.
type usage struct {
	resident int64         // bytes
	cpu      time.Duration // user and system, since it started
}
