package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"chancery/compose/native"
	"chancery/workers"
	"chancery/workers/listen"
)

// workerStatus is how one worker of a department does, by its own figures.
type workerStatus struct {
	Department string `json:"department"`
	Worker     string `json:"worker"`
	// Pending messages were not delivered yet, Unsettled ones were and have no
	// verdict; Oldest is the age of the oldest of both, in seconds.
	Pending   uint64  `json:"pending"`
	Unsettled uint64  `json:"unsettled"`
	Oldest    float64 `json:"oldestSeconds"`
	InFlight  uint64  `json:"inFlight"` // handlers that run
	Done      uint64  `json:"done"`     // messages, since it was started
	Dead      uint64  `json:"dead"`     // dead letters, since it was started
	// Behind is how many blocks of the ledger the department's bus was not told
	// of; of listen only.
	Behind *uint64 `json:"behindBlocks,omitempty"`
	// Trouble says in words what is wrong; empty: nothing that shows.
	Trouble string `json:"trouble,omitempty"`

	told uint64
}

const (
	scrapeLimit = 2 * time.Second // for one department's figures
	maxFigures  = 8 << 20         // bytes of them
	longWait    = 60.0            // seconds: what has waited longer is told of
)

// readWorkers asks every department's workers for their figures. A department
// whose workers do not answer has one row that says so.
func (a *app) readWorkers(ctx context.Context, heights map[string]uint64) []workerStatus {
	names, err := a.departments()
	if err != nil {
		return nil // the network is told of elsewhere
	}
	var (
		mu   sync.Mutex
		list []workerStatus
		all  sync.WaitGroup
	)
	for _, name := range names {
		all.Go(func() {
			rows := a.readDepartment(ctx, name)
			for i := range rows {
				rows[i].compare(heights[name])
			}
			mu.Lock()
			defer mu.Unlock()
			list = append(list, rows...)
		})
	}
	all.Wait()
	order := workerNames()
	slices.SortFunc(list, func(a, b workerStatus) int {
		return cmp.Or(cmp.Compare(a.Department, b.Department), cmp.Compare(slices.Index(order, a.Worker), slices.Index(order, b.Worker)))
	})
	return list
}

func (a *app) readDepartment(ctx context.Context, name string) []workerStatus {
	silent := func(err error) []workerStatus {
		return []workerStatus{{Department: name, Worker: "all", Trouble: fmt.Sprintf("no figures: %v", err)}}
	}
	profile, err := workers.LoadProfile(filepath.Join(a.data, name))
	if err != nil {
		return silent(err)
	}
	if profile.Metrics == "" {
		return silent(errors.New("the profile names no address for them: start the network again"))
	}
	families, err := scrape(ctx, "http://"+profile.Metrics+"/metrics")
	if err != nil {
		return silent(fmt.Errorf("the workers do not answer: %w", err))
	}
	return statusOf(name, families)
}

// scrape reads figures in Prometheus' text format.
func scrape(ctx context.Context, url string) (map[string]*dto.MetricFamily, error) {
	ctx, cancel := context.WithTimeout(ctx, scrapeLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(io.LimitReader(response.Body, maxFigures))
}

// statusOf reads the figures of a department's workers: a row for each worker
// that there is, those included that do not run.
func statusOf(department string, families map[string]*dto.MetricFamily) []workerStatus {
	rows := make(map[string]*workerStatus)
	for _, name := range workerNames() {
		rows[name] = &workerStatus{Department: department, Worker: name, Trouble: "is not run"}
	}
	each := func(family string, take func(w *workerStatus, m *dto.Metric, value float64)) {
		for _, m := range families[family].GetMetric() {
			if w := rows[label(m, workers.LabelWorker)]; w != nil {
				take(w, m, m.GetGauge().GetValue()+m.GetCounter().GetValue())
			}
		}
	}
	runs := func(w *workerStatus, _ *dto.Metric, _ float64) { w.Trouble = "" }
	each(workers.MetricConsuming, runs)
	each(workers.MetricLoop, runs)
	each(workers.MetricConsuming, func(w *workerStatus, m *dto.Metric, value float64) {
		if value == 0 {
			w.worry("cannot consume " + label(m, workers.LabelSub))
		}
	})
	each(workers.MetricLoop, func(w *workerStatus, _ *dto.Metric, value float64) {
		if value == 0 {
			w.worry("its loop failed and is begun again")
		}
	})
	each(workers.MetricPending, func(w *workerStatus, _ *dto.Metric, value float64) { w.Pending += uint64(value) })
	each(workers.MetricUnsettled, func(w *workerStatus, _ *dto.Metric, value float64) { w.Unsettled += uint64(value) })
	each(workers.MetricInFlight, func(w *workerStatus, _ *dto.Metric, value float64) { w.InFlight += uint64(value) })
	each(workers.MetricOldest, func(w *workerStatus, _ *dto.Metric, value float64) { w.Oldest = max(w.Oldest, value) })
	each(workers.MetricMessages, func(w *workerStatus, m *dto.Metric, value float64) {
		switch label(m, workers.LabelVerdict) {
		case workers.VerdictDone:
			w.Done += uint64(value)
		case workers.VerdictDead:
			w.Dead += uint64(value)
		}
	})
	for _, m := range families[workers.MetricBlocksTold].GetMetric() {
		rows[listen.Name].told = uint64(m.GetGauge().GetValue())
	}
	list := make([]workerStatus, 0, len(rows))
	for _, w := range rows {
		list = append(list, *w)
	}
	return list
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// worry adds a trouble.
func (w *workerStatus) worry(what string) {
	if w.Trouble != "" {
		what = w.Trouble + ", " + what
	}
	w.Trouble = what
}

// compare says how far listen is behind the height of the department's peer.
func (w *workerStatus) compare(height uint64) {
	if w.Worker != listen.Name || height == 0 {
		return
	}
	behind := height - min(w.told, height)
	w.Behind = &behind
}

// standsStill notes, of two looks at a worker, that it is behind and did not
// come on between them.
func (w *workerStatus) standsStill(before workerStatus) {
	if w.Behind == nil || before.Behind == nil || *before.Behind == 0 || *w.Behind == 0 {
		return
	}
	if w.told == before.told {
		w.worry(fmt.Sprintf("stands still %d blocks behind the ledger", *w.Behind))
	}
}

// words is the state column: trouble, else what takes long, else "ok".
func (w *workerStatus) words() string {
	switch {
	case w.Trouble != "":
		return w.Trouble
	case w.Oldest > longWait:
		return "waits for " + seconds(w.Oldest)
	case w.Behind != nil && *w.Behind > 0:
		return fmt.Sprintf("%d blocks to tell", *w.Behind)
	}
	return "ok"
}

// statusReport is what the status verb prints.
type statusReport struct {
	native.Report
	Workers []workerStatus `json:"workers"`
}

// watchWorkers looks at the workers before and after something that lasts.
func (a *app) watchWorkers(ctx context.Context, r *statusReport, lasts func() error) error {
	before := a.readWorkers(ctx, r.Heights)
	if err := lasts(); err != nil {
		return err
	}
	r.Workers = a.readWorkers(ctx, r.Heights)
	for i := range r.Workers {
		w := &r.Workers[i]
		same := func(b workerStatus) bool { return b.Department == w.Department && b.Worker == w.Worker }
		if k := slices.IndexFunc(before, same); k >= 0 {
			w.standsStill(before[k])
		}
		if w.Trouble != "" {
			r.Problems = append(r.Problems, fmt.Sprintf("%s %s: %s", w.Department, w.Worker, w.Trouble))
		}
	}
	return nil
}

func writeWorkers(w io.Writer, list []workerStatus) {
	if len(list) == 0 {
		return
	}
	t := newTable("DEPARTMENT", "WORKER", "STATE", "PENDING", "UNSETTLED", "OLDEST", "IN FLIGHT", "DONE", "DEAD")
	for _, s := range list {
		t.add(s.Department, s.Worker, s.words(), fmt.Sprint(s.Pending), fmt.Sprint(s.Unsettled), seconds(s.Oldest),
			fmt.Sprint(s.InFlight), fmt.Sprint(s.Done), fmt.Sprint(s.Dead))
	}
	fmt.Fprintln(w)
	t.write(w)
}
