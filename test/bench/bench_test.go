// Package bench runs the benchmarks of the built command, small, so that none of
// them rots: what they measure here says nothing, that they measure it does.
// BENCH.md beside it holds figures that were meant.
package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// build makes the command from this working tree.
func build(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a real network: left out by -short")
	}
	file := filepath.Join(t.TempDir(), "chancery")
	if out, err := exec.Command("go", "build", "-o", file, "chancery/cmd/chancery").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return file
}

type figure struct {
	Value  float64
	Unit   string
	Rounds []float64
}

type report struct {
	Date    time.Time
	Command string
	Machine struct {
		CPU, Kernel, Go string
		Cores           int
		MemoryBytes     int64
	}
	Network string
	Lines   []struct {
		Benchmark, What, Than, Failed string
		Ours, Baseline, Ratio         *figure
		Met                           *bool
		Target                        *struct{ Value float64 }
	}
	Loads []struct {
		Function                               string
		Rate, Throughput, MeanMs, P50Ms, P99Ms float64
		Operations, Departments                int
		Success                                float64
		Failed                                 string
	}
}

// TestEveryBenchmark runs all of them with the least of load.
func TestEveryBenchmark(t *testing.T) {
	program, dir := build(t), t.TempDir()
	chart, text := filepath.Join(dir, "bench.svg"), filepath.Join(dir, "bench.md")
	cmd := exec.Command(program, "bench", "all", "--json", "--seconds", "1", "--rounds", "1", "--size", "64KiB,1MiB",
		"--events", "2000", "--data", filepath.Join(dir, "network"), "--svg", chart, "--markdown", text)
	var out, progress bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &progress
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	var r report
	decoder := json.NewDecoder(&out)
	if err := decoder.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		t.Error("standard output goes on after the report")
	}
	if r.Machine.Cores < 1 || r.Machine.MemoryBytes <= 0 || r.Machine.Go == "" || r.Machine.Kernel == "" || r.Network == "" ||
		!strings.HasPrefix(r.Command, "chancery bench all ") || time.Since(r.Date) > time.Hour {
		t.Errorf("the report does not say where it is from: %+v", r)
	}
	checkLines(t, r)
	checkLoads(t, r)
	checkFiles(t, r, chart, text)
	leavesNothing(t, dir)
}

// lines each benchmark has at least.
var least = map[string]int{"requests": 1, "latency": 6, "listen": 4, "share": 1, "object": 6, "paillier": 7}

func checkLines(t *testing.T, r report) {
	t.Helper()
	have := map[string]int{}
	for _, l := range r.Lines {
		name := l.Benchmark + ", " + l.What
		have[l.Benchmark]++
		if l.Failed != "" || l.Ours == nil || l.Ours.Value <= 0 || l.Ours.Unit == "" {
			t.Errorf("%s: ours %+v, failed %q", name, l.Ours, l.Failed)
			continue
		}
		if l.Baseline != nil && (l.Baseline.Value <= 0 || l.Baseline.Unit == "" || l.Than == "" || l.Ratio == nil || l.Ratio.Value <= 0) {
			t.Errorf("%s: %+v, ratio %+v, than %q", name, l.Baseline, l.Ratio, l.Than)
		}
		if (l.Target != nil) != (l.Met != nil) {
			t.Errorf("%s: a target without a verdict, or the other way round", name)
		}
	}
	for name, n := range least {
		if have[name] < n {
			t.Errorf("%s has %d lines, not %d", name, have[name], n)
		}
	}
}

func checkLoads(t *testing.T, r report) {
	t.Helper()
	have := map[string]int{}
	for _, l := range r.Loads {
		have[l.Function]++
		if l.Failed != "" || l.Throughput <= 0 || l.Success <= 0 || l.Success > 1 || l.MeanMs <= 0 || l.P50Ms <= 0 || l.P99Ms < l.P50Ms {
			t.Errorf("%+v", l)
		}
	}
	for _, name := range []string{"open", "give", "redeem", "contribute", "Get", "List", "History"} {
		if have[name] == 0 {
			t.Errorf("no load on %s", name)
		}
	}
}

// checkFiles reads the chart as XML and looks for every line in the text.
func checkFiles(t *testing.T, r report, chart, text string) {
	t.Helper()
	svg, err := os.Open(chart)
	if err != nil {
		t.Fatal(err)
	}
	defer svg.Close()
	rectangles := 0
	for decoder := xml.NewDecoder(svg); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", chart, err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			rectangles++
		}
	}
	compared := 0
	markdown, err := os.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range r.Lines {
		if l.Baseline != nil {
			compared++
		}
		if !strings.Contains(string(markdown), "| "+l.Benchmark+" | "+l.What+" |") {
			t.Errorf("%s has no %q", text, l.What)
		}
	}
	if rectangles != 1+2*compared {
		t.Errorf("the chart has %d rectangles for %d comparisons", rectangles, compared)
	}
}

// TestInterrupted stops a run while it loads the network.
func TestInterrupted(t *testing.T) {
	program, dir := build(t), t.TempDir()
	cmd := exec.Command(program, "bench", "requests", "--seconds", "60", "--rounds", "1")
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	said := readUntil(progress, "the network is up")
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(progress)
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("exit code %d: %s%s", cmd.ProcessState.ExitCode(), said, rest)
	}
	if out.Len() > 0 {
		t.Errorf("it reports %s", out.String())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
	leavesNothing(t, dir)
}

// readUntil reads until a text came, or the end.
func readUntil(r io.Reader, text string) string {
	var said []byte
	for one := make([]byte, 1); !bytes.Contains(said, []byte(text)); {
		if _, err := r.Read(one); err != nil {
			break
		}
		said = append(said, one...)
	}
	return string(said)
}

// leavesNothing waits until no process names the directory any more.
func leavesNothing(t *testing.T, dir string) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		left := processesOf(dir)
		if len(left) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("still running: %s", strings.Join(left, ", "))
		}
	}
}

func processesOf(dir string) (found []string) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(files) == 0 {
		return []string{fmt.Sprintf("no processes to look at: %v", err)}
	}
	for _, file := range files {
		environment, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "environ"))
		line, err := os.ReadFile(file)
		if err != nil || len(line) == 0 || file == fmt.Sprintf("/proc/%d/cmdline", os.Getpid()) {
			continue
		}
		if bytes.Contains(line, []byte(dir)) || bytes.Contains(environment, []byte(dir)) {
			found = append(found, string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
	}
	return found
}
