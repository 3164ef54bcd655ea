package workers

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"chancery/chaincode/exchange"
	"chancery/events"
)

// Spans. A worker's span for a message belongs to the trace of the command
// behind it, which follows from the message: see [events.Trace]. A trace
// context that the message carries is the span's parent where it is of that
// trace, and a link where it is of another, as a system's own may be.
//
// What a worker tells the ledger is a span below it with the transaction's id,
// and a link to the trace under which that transaction's events are handled.

// scope is the name of our tracer.
const scope = "chancery/workers"

// tracing travels in the context of handlers and loops.
type tracing struct {
	tracer     trace.Tracer
	department string
}

type tracingKey struct{}

// withTracing leaves the context alone where nobody takes spans: the traces of
// messages are not even computed then.
func (c Config) withTracing(ctx context.Context) context.Context {
	if c.Traces == nil {
		return ctx
	}
	return context.WithValue(ctx, tracingKey{}, &tracing{c.Traces.Tracer(scope), c.Department})
}

// tracingOf is nil where nobody takes spans.
func tracingOf(ctx context.Context) *tracing {
	t, _ := ctx.Value(tracingKey{}).(*tracing)
	return t
}

// rootOf is the context of the span that all others of a trace come under. It
// is sampled: a sampler that thins out shall go by the trace's id, which is the
// same everywhere.
func rootOf(t events.Trace) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: t.ID, SpanID: t.Root, TraceFlags: trace.FlagsSampled, Remote: true})
}

// startMessage begins the span of one attempt at a message.
func (c *consumer) startMessage(ctx context.Context, d *delivery) (context.Context, trace.Span) {
	t := tracingOf(ctx)
	if t == nil {
		return ctx, trace.SpanFromContext(ctx)
	}
	m := d.Message
	parent := rootOf(m.Trace())
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer)}
	if said := saidBy(d); said.IsValid() && said.TraceID() == parent.TraceID() {
		parent = said
	} else if said.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: said}))
	}
	name := c.worker.Name + " " + m.Address.Noun + "." + m.Address.Verb
	ctx, span := t.tracer.Start(trace.ContextWithRemoteSpanContext(ctx, parent), name, options...)
	if !span.IsRecording() {
		return ctx, span
	}
	span.SetAttributes(
		attribute.String("messaging.system", "nats"),
		attribute.String("messaging.destination.name", m.Stream),
		attribute.String("messaging.consumer.group.name", d.consumer),
		attribute.String("messaging.message.id", m.ID),
		attribute.String("chancery.department", t.department),
		attribute.String("chancery.worker", c.worker.Name),
		attribute.String("chancery.from", m.Address.From),
		attribute.String("chancery.id", m.About),
		attribute.String("chancery.command", m.Correlation),
		attribute.Int("chancery.attempt", m.Attempt),
	)
	if p := m.Position; p != nil {
		span.SetAttributes(attribute.String("chancery.tx", p.Tx), attribute.Int64("chancery.block", int64(p.Block)))
	}
	return ctx, span
}

// saidBy is the trace context that a message carries, if any: as CloudEvents
// has it, else in plain W3C headers.
func saidBy(d *delivery) trace.SpanContext {
	read := propagation.TraceContext{}
	said := trace.SpanContextFromContext(read.Extract(context.Background(), events.TraceCarrier{Envelope: &d.Envelope}))
	if !said.IsValid() {
		said = trace.SpanContextFromContext(read.Extract(context.Background(), plainHeader(d.header)))
	}
	return said
}

func endMessage(span trace.Span, v verdict) {
	span.SetAttributes(attribute.String("chancery.verdict", v.kind))
	if v.err != nil && v.kind != verdictInterrupted {
		span.SetStatus(codes.Error, events.Reason(v.err))
	}
	span.End()
}

// traced tells the ledger one thing within a span.
func traced(ctx context.Context, op exchange.Operation, tell func(context.Context) (exchange.Outcome, error)) (exchange.Outcome, error) {
	t := tracingOf(ctx)
	if t == nil {
		return tell(ctx)
	}
	ctx, span := t.tracer.Start(ctx, "submit "+string(op.Op), trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	outcome, err := tell(ctx)
	if !span.IsRecording() {
		return outcome, err
	}
	span.SetAttributes(
		attribute.String("chancery.op", string(op.Op)),
		attribute.String("chancery.command", op.Command),
		attribute.String("chancery.tx", outcome.Tx),
		attribute.String("chancery.code", string(outcome.Code)),
	)
	if err != nil {
		span.SetStatus(codes.Error, events.Reason(err))
		return outcome, err
	}
	effect := events.TxTrace(outcome.Tx)
	if op.Command != "" {
		effect = events.CommandTrace(t.department, op.Command)
	}
	if root := rootOf(effect); root.TraceID() != span.SpanContext().TraceID() {
		span.AddLink(trace.Link{SpanContext: root})
	}
	return outcome, nil
}

// Published records that listen has put events on the stream: a span in each
// one's trace, from the time of its transaction until now.
func Published(ctx context.Context, list []events.Envelope) {
	t := tracingOf(ctx)
	if t == nil {
		return
	}
	for i := range list {
		e := &list[i]
		_, span := t.tracer.Start(trace.ContextWithRemoteSpanContext(ctx, rootOf(e.Trace())),
			fmt.Sprintf("listen %s.%s", e.Address.Noun, e.Address.Verb), trace.WithSpanKind(trace.SpanKindProducer), trace.WithTimestamp(e.Time))
		if span.IsRecording() {
			span.SetAttributes(
				attribute.String("chancery.department", t.department),
				attribute.String("chancery.id", e.About),
				attribute.String("chancery.command", e.Correlation),
				attribute.String("chancery.tx", e.Position.Tx),
				attribute.Int64("chancery.block", int64(e.Position.Block)),
			)
		}
		span.End()
	}
}

// plainHeader reads W3C headers as NATS has them: as they were written.
type plainHeader nats.Header

func (h plainHeader) Get(key string) string { return nats.Header(h).Get(key) }
func (h plainHeader) Set(string, string)    {}
func (h plainHeader) Keys() []string        { return slices.Collect(maps.Keys(h)) }
