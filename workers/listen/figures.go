package listen

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"chancery/workers"
)

// figures are listen's own, for Prometheus.
type figures struct {
	height  prometheus.Gauge
	told    prometheus.Gauge
	events  prometheus.Counter
	flushed prometheus.Gauge
}

// newFigures registers them; nil: nobody sees them.
func newFigures(r prometheus.Registerer) *figures {
	with := promauto.With(r)
	return &figures{
		height:  with.NewGauge(prometheus.GaugeOpts{Name: "chancery_listen_ledger_blocks", Help: "Blocks that the ledger has, as the peer said last."}),
		told:    with.NewGauge(prometheus.GaugeOpts{Name: workers.MetricBlocksTold, Help: "Blocks of the ledger all of whose events are on the stream, from the first on."}),
		events:  with.NewCounter(prometheus.CounterOpts{Name: "chancery_listen_events_total", Help: "Events put on the stream."}),
		flushed: with.NewGauge(prometheus.GaugeOpts{Name: "chancery_listen_last_flush_timestamp_seconds", Help: "When events were put on the stream last, in Unix time; 0: not since the start."}),
	}
}

// askHeight is how often the peer is asked for the ledger's height.
const askHeight = 5 * time.Second

// watchHeight asks by itself, so that a listener that stands still is seen to
// fall behind.
func (l *listener) watchHeight(ctx context.Context) {
	t := time.NewTicker(askHeight)
	defer t.Stop()
	for {
		if height, err := l.Ledger.Height(ctx); err == nil {
			l.figures.height.Set(float64(height))
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// tell notes how many blocks the stream tells of in full.
func (w *writer) tell() {
	switch {
	case len(w.pending) == 0 && w.next > 0:
		w.figures.told.Set(float64(w.next))
	case w.place != nil:
		w.figures.told.Set(float64(w.place.Block)) // of which more may come
	}
}
