package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/rs/zerolog"

	"chancery/compose/native"
	"chancery/workers"
)

// figuresText is what the workers of a department say of themselves; listen and
// policy alone run, and the peer has 12 blocks.
func figuresText(told, consuming, loop int) string {
	return fmt.Sprintf(`# TYPE chancery_listen_blocks_told gauge
chancery_listen_blocks_told{department="census"} %d
# TYPE chancery_worker_loop_running gauge
chancery_worker_loop_running{department="census",worker="listen"} %d
# TYPE chancery_worker_consuming gauge
chancery_worker_consuming{department="census",worker="policy",subscription="request-opened"} %d
chancery_worker_consuming{department="census",worker="policy",subscription="retry"} 1
# TYPE chancery_worker_pending_messages gauge
chancery_worker_pending_messages{department="census",worker="policy",subscription="request-opened"} 7
chancery_worker_pending_messages{department="census",worker="policy",subscription="retry"} 1
# TYPE chancery_worker_oldest_unhandled_seconds gauge
chancery_worker_oldest_unhandled_seconds{department="census",worker="policy",subscription="request-opened"} 75.2
# TYPE chancery_worker_messages_total counter
chancery_worker_messages_total{department="census",worker="policy",subscription="request-opened",verdict="done"} 30
chancery_worker_messages_total{department="census",worker="policy",subscription="request-opened",verdict="dead"} 2
`, told, loop, consuming)
}

func readFigures(t *testing.T, text string) map[string]workerStatus {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]workerStatus)
	for _, w := range statusOf("census", families) {
		w.compare(12)
		rows[w.Worker] = w
	}
	return rows
}

func TestStatusOfWorkers(t *testing.T) {
	well := readFigures(t, figuresText(12, 1, 1))
	if len(well) != len(workerNames()) {
		t.Errorf("%d rows for %d workers", len(well), len(workerNames()))
	}
	p := well["policy"]
	if p.Pending != 8 || p.Oldest != 75.2 || p.Done != 30 || p.Dead != 2 || p.Trouble != "" || p.words() != "waits for 1m15s" {
		t.Errorf("policy %+v: %s", p, p.words())
	}
	if l := well["listen"]; *l.Behind != 0 || l.words() != "ok" {
		t.Errorf("listen %+v: %s", l, l.words())
	}
	if w := well["pin"]; w.words() != "is not run" {
		t.Errorf("pin: %s", w.words())
	}

	ill := readFigures(t, figuresText(9, 0, 0))
	if got := ill["policy"]; got.words() != "cannot consume request-opened" {
		t.Errorf("policy: %s", got.words())
	}
	if got := ill["listen"]; got.words() != "its loop failed and is begun again" || *got.Behind != 3 {
		t.Errorf("listen: %s", got.words())
	}

	for _, c := range []struct {
		before, after int
		want          string
	}{
		{9, 9, "stands still 3 blocks behind the ledger"},
		{9, 11, "1 blocks to tell"},
		{12, 9, "3 blocks to tell"}, // a new block between the looks, say
		{9, 12, "ok"},
	} {
		now := readFigures(t, figuresText(c.after, 1, 1))["listen"]
		now.standsStill(readFigures(t, figuresText(c.before, 1, 1))["listen"])
		if now.words() != c.want {
			t.Errorf("%d, then %d of 12: %q, want %q", c.before, c.after, now.words(), c.want)
		}
	}
}

// withWorkers is a command line on a data directory whose one department serves
// figures at an address.
func withWorkers(t *testing.T, address string) *app {
	t.Helper()
	a := newApp(nil, new(strings.Builder), new(strings.Builder), func(string) (string, bool) { return "", false })
	a.data = t.TempDir()
	dir := filepath.Join(a.data, "census")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	profile := workers.Profile{
		Department: "census", MSP: "CensusMSP", Channel: "c", Chaincode: "c",
		Peer:            workers.PeerProfile{Address: "127.0.0.1:1", TLSCA: "ca.pem", ServerName: "peer"},
		PeerCertificate: "cert.pem", Identities: "identities", Keystore: "keystore",
		Bus:  workers.BusProfile{URL: "tls://127.0.0.1:1", CA: "ca.pem", NKeys: "nkeys"},
		IPFS: workers.IPFSProfile{API: "127.0.0.1:1"}, Spool: "spool", Inbox: "inbox", Journal: "journal", Metrics: address,
	}
	if err := profile.Save(dir); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestWorkersThatDoNotAnswer: what does not answer, or answers nonsense, is a
// problem that is named.
func TestWorkersThatDoNotAnswer(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	hangs, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers, as a frozen process does
	if err != nil {
		t.Fatal(err)
	}
	defer hangs.Close()
	serve := func(h http.HandlerFunc) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
	for name, c := range map[string]struct{ address, want string }{
		"gone":    {gone.Addr().String(), "connection refused"},
		"frozen":  {hangs.Addr().String(), "deadline exceeded"},
		"broken":  {serve(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "{{{") }), "no figures"},
		"refuses": {serve(http.NotFound), "404"},
		"old":     {"", "start the network again"},
	} {
		t.Run(name, func(t *testing.T) {
			a := withWorkers(t, c.address)
			report := &statusReport{Report: native.Report{Running: true, Heights: map[string]uint64{"census": 12}}}
			if err := a.watchWorkers(t.Context(), report, func() error { return nil }); err != nil {
				t.Fatal(err)
			}
			if len(report.Workers) != 1 || !strings.Contains(report.Workers[0].Trouble, c.want) || report.Healthy() {
				t.Errorf("%+v, %v", report.Workers, report.Problems)
			}
		})
	}
}

// TestServeMetrics: figures are served where the profile says; where another
// program listens there, elsewhere; a port that is asked for must be free.
func TestServeMetrics(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	a := withWorkers(t, address)
	profile, err := workers.LoadProfile(filepath.Join(a.data, "census"))
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	ctx := zerolog.New(&log).WithContext(t.Context())
	stop, err := a.serveMetrics(ctx, profile, workers.NewMetrics("census"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if rows := a.readWorkers(context.Background(), nil); len(rows) != len(workerNames()) {
		t.Errorf("rows %+v", rows)
	}
	other, err := a.serveMetrics(ctx, profile, workers.NewMetrics("census"))
	if err != nil {
		t.Fatal(err)
	}
	other()
	if strings.Count(log.String(), "metrics are served") != 2 || !strings.Contains(log.String(), "take any port") {
		t.Errorf("log:\n%s", log.String())
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	if a.metricsPort, err = net.LookupPort("tcp", port); err != nil {
		t.Fatal(err)
	}
	if _, err := a.serveMetrics(ctx, profile, workers.NewMetrics("census")); err == nil {
		t.Error("a busy port was taken")
	}
}
