package workers_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/rs/zerolog"

	"chancery/workers"
)

// run runs workers with figures and spans until the end of the test.
func run(t *testing.T, cfg workers.Config, list ...workers.Worker) {
	t.Helper()
	ctx, cancel := context.WithCancel(zerolog.Nop().WithContext(t.Context()))
	done := make(chan error, 1)
	go func() { done <- workers.Run(ctx, cfg, list) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

// get asks the figures' listener.
func get(t *testing.T, m *workers.Metrics, path string) (int, string) {
	t.Helper()
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	response, err := http.Get(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// figure is the value of one series: a counter, a gauge, or the count of a
// histogram; −1: there is none. Labels are given in pairs.
func figure(t *testing.T, m *workers.Metrics, family string, labels ...string) float64 {
	t.Helper()
	_, text := get(t, m, "/metrics")
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, series := range families[family].GetMetric() {
		if has(series, labels) {
			return series.GetCounter().GetValue() + series.GetGauge().GetValue() + float64(series.GetHistogram().GetSampleCount())
		}
	}
	return -1
}

func has(series *dto.Metric, labels []string) bool {
	found := 0
	for _, l := range series.GetLabel() {
		for i := 0; i < len(labels); i += 2 {
			if l.GetName() == labels[i] && l.GetValue() == labels[i+1] {
				found++
			}
		}
	}
	return 2*found == len(labels)
}

// TestMetrics: every verdict is counted where it belongs, and what waits shows.
func TestMetrics(t *testing.T) {
	s := newStage(t)
	m := workers.NewMetrics("health")
	gate, entered := make(chan struct{}), make(chan struct{}, 1)
	cfg := quick
	cfg.Metrics = m
	run(t, cfg, s.intake(func(_ context.Context, m *workers.Message) error {
		switch {
		case m.ID == "held":
			entered <- struct{}{}
			<-gate
		case m.ID == "waits" && m.Attempt < 3:
			return workers.Retry(0, errors.New("not yet"))
		case m.ID == "fails" && m.Attempt == 1:
			return errors.New("broken")
		case m.ID == "bad":
			return workers.Reject(errors.New("nonsense"))
		}
		return nil
	}))
	for _, id := range []string{"waits", "fails", "bad", "good"} {
		s.command(id)
	}
	of := []string{"department", "health", "worker", "intake", "subscription", "commands"}
	count := func(verdict string) float64 {
		return figure(t, m, workers.MetricMessages, append(of, "verdict", verdict)...)
	}
	eventually(t, "every verdict", func() bool { return s.pending() == 0 })
	for verdict, want := range map[string]float64{"done": 3, "again": 2, "failed": 1, "dead": 1, "interrupted": 0} {
		if got := count(verdict); got != want {
			t.Errorf("%s: %v, want %v", verdict, got, want)
		}
	}
	if n := figure(t, m, "chancery_worker_handling_seconds", of...); n != 7 {
		t.Errorf("%v attempts were timed", n)
	}
	eventually(t, "the ages of three", func() bool { return figure(t, m, "chancery_worker_event_age_seconds", of...) == 3 })
	s.command("held")
	<-entered
	if n := figure(t, m, workers.MetricInFlight, of...); n != 1 {
		t.Errorf("%v in flight", n)
	}
	eventually(t, "the held one in the figures", func() bool {
		return figure(t, m, workers.MetricUnsettled, of...) == 1 && figure(t, m, workers.MetricOldest, of...) > 0
	})
	close(gate)
	eventually(t, "nothing waits", func() bool {
		return figure(t, m, workers.MetricUnsettled, of...) == 0 && figure(t, m, workers.MetricOldest, of...) == 0
	})
	if n := figure(t, m, workers.MetricConsuming, "worker", "intake", "subscription", "retry"); n != 1 {
		t.Errorf("the consumer of retries: %v", n)
	}
	if n := figure(t, m, "go_goroutines"); n < 1 {
		t.Errorf("%v goroutines", n)
	}
}

// TestReady: a loop that fails and a bus that is away are named, and no longer
// when they are back.
func TestReady(t *testing.T) {
	s := newStage(t)
	m := workers.NewMetrics("health")
	cfg := quick
	cfg.Metrics = m
	var good atomic.Bool
	intake := s.intake(func(context.Context, *workers.Message) error { return nil })
	intake.Run = func(ctx context.Context) error {
		if !good.Load() {
			return errors.New("lost the peer")
		}
		<-ctx.Done()
		return nil
	}
	run(t, cfg, intake)
	says := func(code int, words ...string) func() bool {
		return func() bool {
			got, body := get(t, m, "/readyz")
			for _, w := range words {
				if !strings.Contains(body, w) {
					return false
				}
			}
			return got == code
		}
	}
	eventually(t, "the failed loop", says(http.StatusServiceUnavailable, "worker intake, loop: lost the peer"))
	eventually(t, "its failures", func() bool { return figure(t, m, "chancery_worker_loop_failures_total", "worker", "intake") > 1 })
	good.Store(true)
	eventually(t, "all well", says(http.StatusOK, "ok"))
	s.Stop()
	eventually(t, "the lost bus", says(http.StatusServiceUnavailable, "worker intake, subscription commands"))
	if code, _ := get(t, m, "/healthz"); code != http.StatusOK {
		t.Errorf("healthz: %d", code)
	}
	if n := figure(t, m, workers.MetricConsuming, "worker", "intake", "subscription", "commands"); n != 0 {
		t.Errorf("consuming is %v", n)
	}
	s.Resume(t)
	eventually(t, "all well again", says(http.StatusOK, "ok"))
	if n := figure(t, m, "chancery_worker_consumer_restarts_total", "worker", "intake", "subscription", "commands"); n < 1 {
		t.Errorf("%v restarts", n)
	}
}
