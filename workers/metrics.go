package workers

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Names of figures that are read elsewhere, by `chancery status`.
const (
	MetricConsuming  = "chancery_worker_consuming"
	MetricPending    = "chancery_worker_pending_messages"
	MetricUnsettled  = "chancery_worker_unsettled_messages"
	MetricOldest     = "chancery_worker_oldest_unhandled_seconds"
	MetricMessages   = "chancery_worker_messages_total"
	MetricInFlight   = "chancery_worker_in_flight"
	MetricLoop       = "chancery_worker_loop_running"
	MetricBlocksTold = "chancery_listen_blocks_told"
	LabelWorker      = "worker"
	LabelSub         = "subscription"
	LabelVerdict     = "verdict"
)

// What becomes of one attempt at a message, as [LabelVerdict] has it.
const (
	VerdictDone        = "done"        // acknowledged, or about to be
	verdictAgain       = "again"       // Retry: it waits for something, and is no failure
	verdictFailed      = "failed"      // it failed and comes again
	VerdictDead        = "dead"        // dead letter
	verdictInterrupted = "interrupted" // by the stop; comes again
)

var verdicts = []string{VerdictDone, verdictAgain, verdictFailed, VerdictDead, verdictInterrupted}

// Metrics are the figures of a department's workers for Prometheus, in a
// registry of their own. Labels are names of workers and subscriptions, which
// are few. Safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	figures  prometheus.Registerer // with the department's name

	messages                                        *prometheus.CounterVec
	restarts, failures                              *prometheus.CounterVec
	inFlight, pending, unsettled, oldest, consuming *prometheus.GaugeVec
	loop                                            *prometheus.GaugeVec
	handling, age                                   *prometheus.HistogramVec

	mu       sync.Mutex
	troubles map[string]string // what does not run now, and why
}

// NewMetrics makes the figures of a department's workers.
func NewMetrics(department string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), troubles: make(map[string]string)}
	m.figures = prometheus.WrapRegistererWith(prometheus.Labels{"department": department}, m.registry)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	sub := []string{LabelWorker, LabelSub}
	m.messages = m.counter(MetricMessages, "Attempts at messages, by what became of them: "+strings.Join(verdicts, ", ")+".", append(sub, LabelVerdict)...)
	m.restarts = m.counter("chancery_worker_consumer_restarts_total", "Times that a consumer failed and was begun again.", sub...)
	m.failures = m.counter("chancery_worker_loop_failures_total", "Times that a worker's own loop failed and was begun again.", LabelWorker)
	m.inFlight = m.gauge(MetricInFlight, "Handlers that run.", sub...)
	m.pending = m.gauge(MetricPending, "Messages on the stream that were not delivered yet.", sub...)
	m.unsettled = m.gauge(MetricUnsettled, "Messages that were delivered and have no verdict, those included that wait to come again.", sub...)
	m.oldest = m.gauge(MetricOldest, "Age of the oldest message without a verdict: since it was stored, or, where none is known here, since there are any.", sub...)
	m.consuming = m.gauge(MetricConsuming, "1 while the consumer is there and answers, else 0.", sub...)
	m.loop = m.gauge(MetricLoop, "1 while the worker's own loop runs, 0 while it waits to be begun again.", LabelWorker)
	m.handling = m.histogram("chancery_worker_handling_seconds", "Time of one attempt at a message.", handlingBuckets, sub...)
	m.age = m.histogram("chancery_worker_event_age_seconds", "Time from the event (ce-time) to its acknowledgement.", ageBuckets, sub...)
	return m
}

var (
	handlingBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 900}
	ageBuckets      = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 21600, 86400}
)

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.figures.MustRegister(v)
	return v
}

func (m *Metrics) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.figures.MustRegister(v)
	return v
}

func (m *Metrics) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.figures.MustRegister(v)
	return v
}

// Registerer takes figures of a worker's own.
func (m *Metrics) Registerer() prometheus.Registerer { return m.figures }

// Handler serves /metrics, and /readyz: 200 while every consumer and loop runs,
// else 503 with what does not, a line each; /healthz answers while the process
// can.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := m.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	return mux
}

// Ready names every consumer and loop that does not run now; nil: all do.
func (m *Metrics) Ready() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	for _, what := range slices.Sorted(maps.Keys(m.troubles)) {
		errs = append(errs, fmt.Errorf("%s: %s", what, m.troubles[what]))
	}
	return errors.Join(errs...)
}

// mark notes whether something runs, and why not.
func (m *Metrics) mark(what string, gauge prometheus.Gauge, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		delete(m.troubles, what)
		gauge.Set(1)
		return
	}
	m.troubles[what] = err.Error()
	gauge.Set(0)
}

var errStarting = errors.New("starts")

// figures are those of one subscription.
type figures struct {
	all                                             *Metrics
	what                                            string
	verdicts                                        map[string]prometheus.Counter
	restarts                                        prometheus.Counter
	inFlight, pending, unsettled, oldest, consuming prometheus.Gauge
	handling, age                                   prometheus.Observer
}

func (m *Metrics) of(worker, subscription string) *figures {
	f := &figures{
		all: m, what: "worker " + worker + ", subscription " + subscription,
		verdicts:  make(map[string]prometheus.Counter),
		restarts:  m.restarts.WithLabelValues(worker, subscription),
		inFlight:  m.inFlight.WithLabelValues(worker, subscription),
		pending:   m.pending.WithLabelValues(worker, subscription),
		unsettled: m.unsettled.WithLabelValues(worker, subscription),
		oldest:    m.oldest.WithLabelValues(worker, subscription),
		consuming: m.consuming.WithLabelValues(worker, subscription),
		handling:  m.handling.WithLabelValues(worker, subscription),
		age:       m.age.WithLabelValues(worker, subscription),
	}
	for _, v := range verdicts {
		f.verdicts[v] = m.messages.WithLabelValues(worker, subscription, v)
	}
	f.mark(errStarting)
	return f
}

func (f *figures) mark(err error) { f.all.mark(f.what, f.consuming, err) }

// attempt counts one attempt at a message.
func (f *figures) attempt(kind string, took time.Duration) {
	f.verdicts[kind].Inc()
	f.handling.Observe(took.Seconds())
}
