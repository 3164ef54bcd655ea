package workers_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
)

// books is a ledger that answers everything with one transaction.
type books struct{}

func (books) Submit(_ context.Context, op exchange.Operation) (exchange.Outcome, error) {
	return exchange.Outcome{Command: op.Command, Op: op.Op, Code: exchange.OK, Tx: "tx-of-" + op.Command}, nil
}

func attributeOf(s tracetest.SpanStub, key string) string {
	for _, a := range s.Attributes {
		if a.Key == attribute.Key(key) {
			return a.Value.Emit()
		}
	}
	return ""
}

// spans are those that ended so far, by name.
func spans(exporter *tracetest.InMemoryExporter) map[string]tracetest.SpanStub {
	all := make(map[string]tracetest.SpanStub)
	for _, s := range exporter.GetSpans() {
		all[s.Name] = s
	}
	return all
}

// TestTrace follows one command: through intake, which tells the ledger and
// another worker; and, in another department that was told nothing, through
// the worker that handles the ledger's event of it. All are one trace.
func TestTrace(t *testing.T) {
	s := newStage(t)
	exporter := tracetest.NewInMemoryExporter()
	cfg := quick
	cfg.Traces = sdk.NewTracerProvider(sdk.WithSyncer(exporter))
	withdraw := &exchange.EndRequest{Request: exchange.NewID(exchange.NounRequest, "HealthMSP", "c"), Reason: "r"}

	intake := s.intake(nil)
	intake.Subscriptions[0].Handle = func(ctx context.Context, m *workers.Message) error {
		o, err := workers.Submit(ctx, books{}, m.ID, exchange.OpRequestWithdraw, withdraw)
		if err != nil {
			return err
		}
		return workers.Answer(ctx, intake.Bus, workers.Command{Department: "health", MSP: "HealthMSP", ID: m.ID, Op: "request.withdraw", Cause: "1"}, o)
	}
	verify := workers.Worker{Name: "verify", Bus: s.Connect(t, "verify"), Subscriptions: []workers.Subscription{{
		Filter: events.LedgerFilter(exchange.ObjectRegistered, "", ""), MaxAttempts: 1,
		Handle: func(ctx context.Context, m *workers.Message) error {
			o, err := workers.Submit(ctx, books{}, "own", exchange.OpRequestWithdraw, withdraw)
			return errors.Join(err, o.Err(), errors.New("and then it failed"))
		},
	}}}
	run(t, cfg, intake, verify)

	answers, err := s.system.Subscribe(t.Context(), events.WorkFilter(events.CommandAccepted, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer answers.Close()
	s.command("c-1")
	answer, err := answers.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.tells("c-1")
	eventually(t, "four spans", func() bool { return len(exporter.GetSpans()) >= 4 })

	want := trace.TraceID(events.CommandTrace("health", "c-1").ID)
	all := spans(exporter)
	in, told := all["intake request.withdraw"], all["verify object.registered"]
	for name, span := range map[string]tracetest.SpanStub{"intake": in, "verify": told} {
		if span.SpanContext.TraceID() != want || attributeOf(span, "chancery.command") != "c-1" {
			t.Errorf("%s: trace %s of %v, want %s", name, span.SpanContext.TraceID(), span.Attributes, want)
		}
	}
	if attributeOf(in, "chancery.verdict") != "done" || attributeOf(told, "chancery.verdict") != "dead" || told.Status.Code != codes.Error {
		t.Errorf("verdicts: %v, %v", in.Attributes, told.Attributes)
	}
	if attributeOf(told, "chancery.tx") != "tx-of-c-1" {
		t.Errorf("event's transaction: %v", told.Attributes)
	}
	checkSubmits(t, exporter.GetSpans(), in, told)
	if got, want := answer.Extensions["traceparent"], "00-"+in.SpanContext.TraceID().String()+"-"+in.SpanContext.SpanID().String()+"-01"; got != want {
		t.Errorf("answer carries %q, want %q", got, want)
	}
}

// tells has the ledger's event of a command on the stream, as listen puts it
// there: without a trace context.
func (s *stage) tells(command string) {
	s.t.Helper()
	e, err := events.NewLedger(exchange.Event{
		Type: exchange.ObjectRegistered, From: "health", To: exchange.ToAll, ID: "o-1", Command: command, Data: []byte(`{}`),
	}, events.Position{Channel: "chancery", Tx: "tx-of-" + command, Code: "VALID"}, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.Connect(s.t, "listen").PublishBatch(s.t.Context(), []events.Envelope{e}, bus.Tail{}); err != nil {
		s.t.Fatal(err)
	}
}

// checkSubmits: each transaction is a child of the worker's span, and linked to
// the trace under which its events are handled where that is another.
func checkSubmits(t *testing.T, list []tracetest.SpanStub, in, told tracetest.SpanStub) {
	t.Helper()
	var txs []string
	for _, span := range list {
		if span.Name != "submit request.withdraw" {
			continue
		}
		txs = append(txs, attributeOf(span, "chancery.tx"))
		switch span.Parent.SpanID() {
		case in.SpanContext.SpanID():
			if len(span.Links) != 0 {
				t.Errorf("intake's transaction is of the same trace: %v", span.Links)
			}
		case told.SpanContext.SpanID():
			want := trace.TraceID(events.CommandTrace("health", "own").ID)
			if len(span.Links) != 1 || span.Links[0].SpanContext.TraceID() != want {
				t.Errorf("links %v, want one to %s", span.Links, want)
			}
		default:
			t.Errorf("span %v is nobody's", span)
		}
	}
	slices.Sort(txs)
	if !slices.Equal(txs, []string{"tx-of-c-1", "tx-of-own"}) {
		t.Errorf("transactions %v", txs)
	}
}

// TestTraceOfTheCaller: a caller's own trace is linked; one that is the
// command's is the parent; a broken one is passed over.
func TestTraceOfTheCaller(t *testing.T) {
	own := events.CommandTrace("health", "c-own")
	for _, c := range []struct{ name, id, traceparent, parent, link string }{
		{"another trace", "c-1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "", "b7ad6b7169203331"},
		{"the command's", "c-own", "00-" + trace.TraceID(own.ID).String() + "-b7ad6b7169203331-01", "b7ad6b7169203331", ""},
		{"broken", "c-2", "00-nonsense", "", ""},
		{"none", "c-3", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			exporter := tracetest.NewInMemoryExporter()
			cfg := quick
			cfg.Traces = sdk.NewTracerProvider(sdk.WithSyncer(exporter))
			run(t, cfg, s.intake(func(context.Context, *workers.Message) error { return nil }))
			e, err := events.NewCommand("health", events.RequestWithdraw, c.id, &exchange.EndRequest{
				Request: exchange.NewID(exchange.NounRequest, "HealthMSP", "c"), Reason: "r",
			}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if c.traceparent != "" {
				e.Extensions = map[string]string{"traceparent": c.traceparent}
			}
			if _, err := s.system.Publish(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			eventually(t, "a span", func() bool { return len(exporter.GetSpans()) == 1 })
			span := exporter.GetSpans()[0]
			root := events.CommandTrace("health", c.id)
			parent := c.parent
			if parent == "" {
				parent = trace.SpanID(root.Root).String()
			}
			if span.SpanContext.TraceID() != trace.TraceID(root.ID) || span.Parent.SpanID().String() != parent {
				t.Errorf("trace %s, parent %s", span.SpanContext.TraceID(), span.Parent.SpanID())
			}
			var links []string
			for _, l := range span.Links {
				links = append(links, l.SpanContext.SpanID().String())
			}
			if len(links) > 1 || (c.link != "") != (len(links) == 1) || (c.link != "" && links[0] != c.link) {
				t.Errorf("links %v, want %q", links, c.link)
			}
		})
	}
}
