package listen

import (
	"fmt"
	"slices"
	"strings"

	"chancery/events"
	"chancery/events/bus"
)

// comparison goes along the ledger's events and the stream's messages side by
// side. It holds one event, two messages and the findings, however long both
// are.
type comparison struct {
	channel string
	through uint64 // messages after this sequence are read only while the ledger tells of more

	nextEvent   func() (*events.Envelope, error) // nil at the end
	nextMessage func() (*bus.Message, error)     // nil at the end

	event  *events.Envelope // the next one that the stream should hold; nil: all were told
	peeked *bus.Message     // read ahead
	last   *events.Position // of the last event that stood in its place
	gap    bool             // the last finding are the events just before event
	report *Report
}

// run compares to the end of both, or until there are too many findings.
func (c *comparison) run() error {
	if err := c.advance(); err != nil {
		return err
	}
	for read := uint64(0); c.event != nil || read < c.through; {
		m, err := c.message()
		if err != nil {
			return err
		}
		if m == nil {
			break
		}
		read = m.Sequence
		c.report.Messages++
		if err := c.judge(m); err != nil {
			return err
		}
		if c.report.Cut {
			return nil
		}
	}
	c.report.Behind = c.event != nil && c.report.Complete()
	for c.event != nil && !c.report.Cut {
		if err := c.miss(); err != nil {
			return err
		}
	}
	return nil
}

// judge finds the message's place on the ledger.
func (c *comparison) judge(m *bus.Message) error {
	if why := c.foreign(m); why != "" {
		c.found(Finding{Fault: Foreign, Sequence: m.Sequence, Count: 1, Detail: why})
		return nil
	}
	p := *m.Position
	f := Finding{Sequence: m.Sequence, Place: placeAt(p), Count: 1}
	if p.Block >= c.report.Height {
		f.Fault, f.Detail = Beyond, fmt.Sprintf("the ledger has %d blocks", c.report.Height)
		c.found(f)
		return nil
	}
	if c.last != nil && p.Compare(*c.last) <= 0 {
		c.late(f)
		return nil
	}
	early, err := c.early(p)
	if err != nil {
		return err
	}
	if early {
		f.Fault, f.Detail = Misplaced, "it stands before what comes before it on the ledger"
		c.found(f)
		return nil
	}
	for c.event != nil && c.event.Position.Compare(p) < 0 && !c.report.Cut {
		if err := c.miss(); err != nil {
			return err
		}
	}
	if c.event == nil || c.event.Position.Compare(p) != 0 {
		f.Fault, f.Detail = Foreign, "the ledger has no event there"
		c.found(f)
		return nil
	}
	return c.match(m, f)
}

// match compares a message with the event that stands at its place.
func (c *comparison) match(m *bus.Message, f Finding) error {
	if names := m.Differences(*c.event); len(names) > 0 {
		f.Fault, f.Detail = Altered, "differs from the ledger in "+strings.Join(names, ", ")
		c.found(f)
	}
	c.last, c.gap = c.event.Position, false
	return c.advance()
}

// foreign says why a message cannot be an event of this ledger at all.
func (c *comparison) foreign(m *bus.Message) string {
	switch {
	case m.Err != nil:
		return fmt.Sprintf("on %s: %v", m.Subject, m.Err)
	case m.Position == nil:
		return "on " + m.Subject + ": it names no place on a ledger"
	case m.Position.Channel != c.channel:
		return fmt.Sprintf("it is of channel %q, not %q", m.Position.Channel, c.channel)
	}
	return ""
}

// early reports whether a message ahead of the next event is out of place, and
// not that event missing: the message after it then is that event.
func (c *comparison) early(p events.Position) (bool, error) {
	if c.event == nil || c.event.Position.Compare(p) >= 0 {
		return false, nil
	}
	m, err := c.message()
	if err != nil || m == nil {
		return false, err
	}
	c.peeked = m
	return m.Err == nil && m.Position != nil && m.Position.Channel == c.channel && m.Position.Compare(*c.event.Position) == 0, nil
}

// late judges a message whose place is passed: it was missed there, or stood
// there too.
func (c *comparison) late(f Finding) {
	p := f.Place.position()
	i := slices.IndexFunc(c.report.Findings, func(g Finding) bool {
		return g.Fault == Missing && g.Place.position().Compare(p) <= 0 && p.Compare(g.end().position()) <= 0
	})
	if i < 0 {
		f.Fault, f.Detail = Repeated, "its place on the stream is passed already"
		c.found(f)
		return
	}
	f.Fault, f.Detail = Misplaced, "it stands after what comes after it on the ledger"
	if c.report.Findings[i].Count == 1 {
		c.report.Findings[i] = f
		c.gap = false
		return
	}
	c.found(f)
}

// end is the last place that a finding is about.
func (f Finding) end() *Place {
	if f.Through != nil {
		return f.Through
	}
	return f.Place
}

// miss notes that the stream lacks the next event, unless it was seen before
// its place, and goes on to the one after it.
func (c *comparison) miss() error {
	place := placeAt(*c.event.Position)
	seen := slices.ContainsFunc(c.report.Findings, func(f Finding) bool { return f.Fault == Misplaced && *f.Place == *place })
	switch {
	case seen:
		c.gap = false
	case c.gap:
		f := &c.report.Findings[len(c.report.Findings)-1]
		f.Through, f.Count = place, f.Count+1
	default:
		c.found(Finding{Fault: Missing, Place: place, Count: 1})
		c.gap = true
	}
	return c.advance()
}

// found notes a finding, or that there were too many.
func (c *comparison) found(f Finding) {
	c.gap = false
	if len(c.report.Findings) == MaxFindings {
		c.report.Cut = true
		return
	}
	c.report.Findings = append(c.report.Findings, f)
}

func (c *comparison) advance() (err error) {
	if c.event, err = c.nextEvent(); c.event != nil {
		c.report.Events++
	}
	return err
}

func (c *comparison) message() (*bus.Message, error) {
	if m := c.peeked; m != nil {
		c.peeked = nil
		return m, nil
	}
	return c.nextMessage()
}
