// Package workers is the runtime that every worker runs on: it consumes a
// worker's events, turns what a handler returns into a verdict, retries with
// backoff, sends heartbeats, buries what no retry can do as a dead letter, and
// drains on stop.
//
// A dead letter lies in the stream DEAD and can be retried from there: its
// message then comes once more, to the worker that gave it up and to no other.
//
// A message is delivered at least once: after a crash, a lost acknowledgement
// or a stop in the middle it comes again, to this or another copy of the same
// worker. So a handler's effect must be idempotent, and durable before the
// handler returns nil. Messages may overtake one another, except those of one
// key of a subscription: see [Subscription.Key].
//
// What the workers do shows in figures for Prometheus ([Metrics]) and in spans
// ([Config.Traces]), which follow a command from department to department.
package workers
