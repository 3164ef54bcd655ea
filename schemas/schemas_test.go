package schemas_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/schemas"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is every message of the bus with every field filled, by name.
func golden() map[string]any {
	all := map[string]any{
		string(events.CommandUnsettled): goldenUnsettled, string(events.DeliveryFailed): goldenFailed(), string(events.DeliveryRetried): goldenRetried(),
	}
	for t, v := range goldenRecords() {
		all[string(t)] = v
	}
	for t, v := range goldenWork() {
		all[string(t)] = v
	}
	for c, v := range goldenCommands() {
		all[string(c)] = v
	}
	return all
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	b, err := exchange.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestGolden holds the wire format: what the structs write is what the golden
// files say and what the schemas allow.
func TestGolden(t *testing.T) {
	for name, v := range golden() {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			if err := json.Indent(&text, encode(t, v), "", "  "); err != nil {
				t.Fatal(err)
			}
			text.WriteByte('\n')
			file := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(text.Bytes(), want) {
				t.Errorf("the wire format changed: %s says otherwise (-update writes it anew)\n%s", file, text.Bytes())
			}
			if err := schemas.Validate(events.CEType(name), want); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRejectedBeforeTheLedger: the same event without what only the ledger
// knows, and without an id where that was unusable.
func TestRejectedBeforeTheLedger(t *testing.T) {
	r := events.Rejected{Department: "health", Command: "c-2", Op: "request.open", Code: exchange.Invalid, Message: "no JSON", Time: at}
	for _, command := range []string{"c-2", ""} {
		r.Command = command
		if err := schemas.Validate(events.CEType(exchange.CommandRejected), encode(t, r)); err != nil {
			t.Errorf("command %q: %v", command, err)
		}
	}
}

func TestOpenRequestEndsOnce(t *testing.T) {
	r := goldenCommands()[events.RequestOpen].(exchange.OpenRequest)
	r.ValidFor = 60
	if err := schemas.Validate(events.CEType(events.RequestOpen), encode(t, r)); !errors.Is(err, schemas.ErrMismatch) {
		t.Errorf("two ends: %v", err)
	}
	r.NotAfter = time.Time{}
	if err := schemas.Validate(events.CEType(events.RequestOpen), encode(t, r)); err != nil {
		t.Errorf("validFor alone: %v", err)
	}
}

func fields(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestRefused: every field but the optional ones is missed, every field is
// refused with a value of another kind, and no other field is taken.
func TestRefused(t *testing.T) {
	for name, v := range golden() {
		t.Run(name, func(t *testing.T) {
			whole := fields(t, encode(t, v))
			node, err := definition(name)
			if err != nil {
				t.Fatal(err)
			}
			refuse := func(what string, change func(map[string]any)) {
				t.Helper()
				m := maps.Clone(whole)
				change(m)
				if err := schemas.Validate(events.CEType(name), encode(t, m)); !errors.Is(err, schemas.ErrMismatch) {
					t.Errorf("%s: %v", what, err)
				}
			}
			for _, field := range node.Required {
				refuse("without "+field, func(m map[string]any) { delete(m, field) })
			}
			for field := range whole {
				refuse("another kind of "+field, func(m map[string]any) { m[field] = []any{map[string]any{"x": 1.5}} })
			}
			refuse("an unknown field", func(m map[string]any) { m["extra"] = "x" })
			if len(node.Required) == 0 {
				t.Error("no field is required")
			}
		})
	}
}

func TestValidateNothing(t *testing.T) {
	for _, c := range []struct {
		ceType, data string
		want         error
	}{
		{"chancery.grant.lost.v1", "{}", schemas.ErrUnknown},
		{"chancery.records.v1", "{}", schemas.ErrUnknown},
		{"", "{}", schemas.ErrUnknown},
		{events.CEType(exchange.GrantWasGiven), "", schemas.ErrMismatch},
		{events.CEType(exchange.GrantWasGiven), "{", schemas.ErrMismatch},
		{events.CEType(exchange.GrantWasGiven), "[]", schemas.ErrMismatch},
		{events.CEType(exchange.GrantWasGiven), "{} {}", schemas.ErrMismatch},
	} {
		if err := schemas.Validate(c.ceType, []byte(c.data)); !errors.Is(err, c.want) {
			t.Errorf("%s %q: %v", c.ceType, c.data, err)
		}
	}
}

// TestStateBelongs: an event with the record in another state is refused.
func TestStateBelongs(t *testing.T) {
	revoked := encode(t, grantIn(exchange.GrantRevoked, exchange.OpGrantRevoke))
	if err := schemas.Validate(events.CEType(exchange.GrantWasGiven), revoked); !errors.Is(err, schemas.ErrMismatch) {
		t.Errorf("a revoked grant as grant.given: %v", err)
	}
}

// TestEveryMessageHasASchema, and every schema a message.
func TestEveryMessageHasASchema(t *testing.T) {
	var want []string
	for _, tr := range exchange.Transitions {
		want = append(want, string(tr.Event))
	}
	for _, e := range events.WorkEvents {
		want = append(want, string(e))
	}
	for _, c := range events.Commands() {
		want = append(want, string(c))
	}
	want = append(want, string(exchange.CommandRejected), string(events.CommandUnsettled), string(events.DeliveryFailed), string(events.DeliveryRetried))
	slices.Sort(want)
	want = slices.Compact(want)
	if got := slices.Sorted(slices.Values(schemas.Names())); !slices.Equal(got, want) {
		t.Errorf("schemas of\n%q, messages\n%q", got, want)
	}
	if got := slices.Sorted(maps.Keys(golden())); !slices.Equal(got, want) {
		t.Errorf("golden values of\n%q, messages\n%q", got, want)
	}
	for _, name := range want {
		text, err := schemas.Schema(name)
		if err != nil {
			t.Fatal(err)
		}
		if id := fields(t, text)["$id"]; id != events.SchemaURI(name) {
			t.Errorf("%s: $id %v, the envelopes say %s", name, id, events.SchemaURI(name))
		}
	}
}
