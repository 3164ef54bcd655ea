package workers_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
	"chancery/workers"
)

// The figure of a million messages, in some minutes:
//
//	go test ./workers -run TestBacklogMemory -backlog 1000000 -v
var backlogSize = flag.Int("backlog", 20_000, "messages of the backlog in TestBacklogMemory")

const (
	backlogMost   = 200 << 20 // bytes that the worker may have resident
	backlogPerMsg = 10 * time.Millisecond
	// How the worker's own process is told what to do.
	backlogURL, backlogDir, backlogCount = "CHANCERY_TEST_URL", "CHANCERY_TEST_DIR", "CHANCERY_TEST_COUNT"
)

// TestBacklogMemory has a worker, in a process of its own, handle a long
// backlog: what it takes of memory does not grow with it.
func TestBacklogMemory(t *testing.T) {
	if os.Getenv(backlogURL) != "" {
		backlogWorker(t)
		return
	}
	if runtime.GOOS != "linux" {
		t.Log("resident memory is read from /proc: without it this holds nothing")
		return
	}
	b := bustest.Start(t, "health")
	began := time.Now()
	backlog(t, b, *backlogSize)
	t.Logf("%d messages stored in %s", *backlogSize, time.Since(began).Round(time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Duration(*backlogSize)*backlogPerMsg)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestBacklogMemory$", "-test.v", "-test.timeout=0")
	child.Env = append(os.Environ(), backlogURL+"="+b.URL(), backlogDir+"="+b.Dir, backlogCount+"="+strconv.Itoa(*backlogSize))
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if _, said, ok := strings.Cut(line, "figure: "); ok {
			t.Log(strings.TrimSpace(said))
		}
	}
}

// backlogWorker is that process. It says how far its memory rose by a tenth of
// the backlog and by all of it.
func backlogWorker(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv(backlogCount))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := bus.Connect(t.Context(), bus.Config{
		URL: os.Getenv(backlogURL), CA: os.Getenv(backlogDir) + "/ca.pem", NKeys: os.Getenv(backlogDir) + "/nkeys", User: "verify",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(zerolog.Nop().WithContext(t.Context()))
	defer cancel()
	var handled, early atomic.Int64
	began := time.Now()
	err = workers.Run(ctx, workers.Config{Department: "health"}, []workers.Worker{{
		Name: "verify", Bus: conn, Subscriptions: []workers.Subscription{{
			Filter: events.LedgerFilter(exchange.ObjectRegistered, "", ""), Concurrency: 64,
			Handle: func(context.Context, *workers.Message) error {
				switch n := handled.Add(1); n {
				case int64(count / 10):
					early.Store(peak(t))
				case int64(count):
					cancel()
				}
				return nil
			},
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	last := peak(t)
	t.Logf("figure: %d messages in %s, %.0f/s; resident at most %s after a tenth, %s after all", handled.Load(),
		took.Round(time.Millisecond), float64(count)/took.Seconds(), mebibytes(early.Load()), mebibytes(last))
	if handled.Load() < int64(count) || last > backlogMost {
		t.Errorf("%d of %d handled, %s resident: at most %s are allowed", handled.Load(), count, mebibytes(last), mebibytes(backlogMost))
	}
	if grown := last - early.Load(); grown > early.Load()/2 {
		t.Errorf("memory grew by %s while the backlog was handled", mebibytes(grown))
	}
}

// peak is the most memory that this process had resident, in bytes.
func peak(t *testing.T) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Error(err)
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Errorf("VmHWM: %v", err)
	}
	return kilobytes << 10
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
