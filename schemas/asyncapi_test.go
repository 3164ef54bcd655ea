package schemas_test

import (
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/schemas"
)

type ref struct {
	Ref string `yaml:"$ref"`
}

type document struct {
	AsyncAPI string `yaml:"asyncapi"`
	Channels map[string]struct {
		Address    string         `yaml:"address"`
		Messages   map[string]ref `yaml:"messages"`
		Parameters map[string]ref `yaml:"parameters"`
	} `yaml:"channels"`
	Operations map[string]struct {
		Action  string `yaml:"action"`
		Channel ref    `yaml:"channel"`
		Reply   struct {
			Channel ref `yaml:"channel"`
		} `yaml:"reply"`
	} `yaml:"operations"`
	Components struct {
		Parameters map[string]any `yaml:"parameters"`
		Messages   map[string]struct {
			Name    string `yaml:"name"`
			Headers ref    `yaml:"headers"`
			Payload struct {
				Schema ref `yaml:"schema"`
			} `yaml:"payload"`
		} `yaml:"messages"`
		Schemas map[string]any `yaml:"schemas"`
	} `yaml:"components"`
}

func asyncAPI(t *testing.T) document {
	t.Helper()
	text, err := schemas.AsyncAPI()
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := yaml.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func last(r ref) string { return r.Ref[strings.LastIndexByte(r.Ref, '/')+1:] }

// places is where each message belongs, by the kind of its subject.
func places() map[events.Kind][]string {
	p := map[events.Kind][]string{
		events.KindDead:   {string(events.DeliveryFailed)},
		events.KindRetry:  {string(events.DeliveryRetried)},
		events.KindLedger: {string(exchange.CommandRejected)},
	}
	for _, tr := range exchange.Transitions {
		p[events.KindLedger] = append(p[events.KindLedger], string(tr.Event))
	}
	for _, e := range events.WorkEvents {
		p[events.KindWork] = append(p[events.KindWork], string(e))
	}
	for _, c := range events.Commands() {
		p[events.KindCommand] = append(p[events.KindCommand], string(c))
	}
	return p
}

// TestAsyncAPIHasAPlaceForEach: every message has a channel whose address is a
// subject of ours, an operation and a schema, and there is nothing else.
func TestAsyncAPIHasAPlaceForEach(t *testing.T) {
	d := asyncAPI(t)
	if d.AsyncAPI != "3.0.0" {
		t.Errorf("version %q", d.AsyncAPI)
	}
	got := make(map[events.Kind][]string)
	example := strings.NewReplacer("{from}", "census", "{to}", "all", "{id}", "g-1", "{worker}", "pin", "{noun}", "grant", "{verb}", "given")
	for name, c := range d.Channels {
		if strings.HasSuffix(name, "AtTheDoor") {
			continue
		}
		s, err := events.ParseSubject(example.Replace(c.Address))
		if err != nil {
			t.Errorf("channel %s: %v", name, err)
			continue
		}
		for p := range c.Parameters {
			if !strings.Contains(c.Address, "{"+p+"}") || d.Components.Parameters[p] == nil {
				t.Errorf("channel %s: parameter %s", name, p)
			}
		}
		if n := strings.Count(c.Address, "{"); n != len(c.Parameters) {
			t.Errorf("channel %s: %d parameters in the address, %d described", name, n, len(c.Parameters))
		}
		for _, m := range c.Messages {
			message := d.Components.Messages[last(m)]
			title, _ := strings.CutPrefix(message.Name, "chancery.")
			title, _ = strings.CutSuffix(title, ".v1")
			if s.Worker == "" && title != s.Noun+"."+s.Verb {
				t.Errorf("channel %s carries %s", c.Address, message.Name)
			}
			if file := strings.TrimPrefix(message.Payload.Schema.Ref, "./"); file != title+".schema.json" {
				t.Errorf("message %s has the schema %s", message.Name, file)
			}
			if d.Components.Schemas[last(message.Headers)] == nil {
				t.Errorf("message %s has no headers", message.Name)
			}
			got[s.Kind] = append(got[s.Kind], title)
		}
	}
	for kind, want := range places() {
		slices.Sort(want)
		want = slices.Compact(want)
		slices.Sort(got[kind])
		if !slices.Equal(got[kind], want) {
			t.Errorf("channels of %s carry\n%q, want\n%q", kind, got[kind], want)
		}
	}
}

func TestAsyncAPIOperations(t *testing.T) {
	d := asyncAPI(t)
	used := make(map[string]bool)
	for name, o := range d.Operations {
		c, ok := d.Channels[last(o.Channel)]
		if !ok {
			t.Errorf("operation %s has no channel", name)
		}
		want := "send"
		if strings.HasPrefix(c.Address, "chancery.cmd.") || strings.HasPrefix(c.Address, "chancery.api.") {
			want = "receive"
		}
		if o.Action != want {
			t.Errorf("operation %s: action %q", name, o.Action)
		}
		used[last(o.Channel)], used[last(o.Reply.Channel)] = true, true
	}
	for name := range d.Channels {
		if !used[name] {
			t.Errorf("channel %s has no operation", name)
		}
	}
}
