package schemas_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/schemas"
)

// node is the part of a JSON Schema that the tests look at.
type node struct {
	Ref        string          `json:"$ref"`
	Type       any             `json:"type"`
	Required   []string        `json:"required"`
	Properties map[string]node `json:"properties"`
	Items      *node           `json:"items"`
	Defs       map[string]node `json:"$defs"`
}

func load(name string) (node, error) {
	var n node
	text, err := schemas.Schema(name)
	if err == nil {
		err = json.Unmarshal(text, &n)
	}
	return n, err
}

// definition is the schema of a message with its reference to a record
// followed.
func definition(name string) (node, error) {
	n, err := load(name)
	if err != nil {
		return n, err
	}
	return follow(n)
}

func follow(n node) (node, error) {
	_, def, found := strings.Cut(n.Ref, "#/$defs/")
	if !found {
		return n, nil
	}
	records, err := load("records")
	if err != nil {
		return n, err
	}
	target, ok := records.Defs[def]
	if !ok {
		return n, fmt.Errorf("no definition %q", def)
	}
	return follow(target)
}

// TestSchemasFollowTheStructs: a schema has the fields of its struct, and
// requires those that are always written.
func TestSchemasFollowTheStructs(t *testing.T) {
	for name, v := range golden() {
		t.Run(name, func(t *testing.T) {
			n, err := definition(name)
			if err != nil {
				t.Fatal(err)
			}
			// One schema for both places where a command is rejected.
			skipRequired := name == string(exchange.CommandRejected)
			compare(t, n, reflect.TypeOf(v), name, skipRequired)
			complete(t, n, reflect.ValueOf(fields(t, encode(t, v))), name)
		})
	}
	r, err := definition(string(exchange.CommandRejected))
	if err != nil {
		t.Fatal(err)
	}
	_, always := jsonFields(reflect.TypeFor[events.Rejected]())
	for _, field := range r.Required {
		if !slices.Contains(always, field) {
			t.Errorf("a refusal before the ledger has no %s", field)
		}
	}
}

func compare(t *testing.T, n node, typ reflect.Type, path string, skipRequired bool) {
	t.Helper()
	n, err := follow(n)
	if err != nil {
		t.Fatal(err)
	}
	for typ.Kind() == reflect.Slice && n.Items != nil {
		if n, err = follow(*n.Items); err != nil {
			t.Fatal(err)
		}
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() {
		return
	}
	types, always := jsonFields(typ)
	if got, want := slices.Sorted(maps.Keys(n.Properties)), slices.Sorted(maps.Keys(types)); !slices.Equal(got, want) {
		t.Errorf("%s: the schema has %q, the struct %q", path, got, want)
	}
	slices.Sort(n.Required)
	slices.Sort(always)
	if !skipRequired && !slices.Equal(n.Required, always) {
		t.Errorf("%s: the schema requires %q, the struct always writes %q", path, n.Required, always)
	}
	for name, ft := range types {
		compare(t, n.Properties[name], ft, path+"."+name, false)
	}
}

// jsonFields are the fields of a struct as encoding/json writes them.
func jsonFields(typ reflect.Type) (types map[string]reflect.Type, always []string) {
	types = make(map[string]reflect.Type)
	for f := range typ.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			inner, sure := jsonFields(f.Type)
			maps.Copy(types, inner)
			always = append(always, sure...)
			continue
		}
		types[name] = f.Type
		if !strings.Contains(options, "omit") {
			always = append(always, name)
		}
	}
	return types, always
}

// alternative is left out of the golden value because its counterpart is in.
const alternative = "request.open.validFor"

// complete reports the fields that a golden value leaves out.
func complete(t *testing.T, n node, v reflect.Value, path string) {
	t.Helper()
	n, err := follow(n)
	if err != nil {
		t.Fatal(err)
	}
	for name, property := range n.Properties {
		inner := v.MapIndex(reflect.ValueOf(name))
		if !inner.IsValid() {
			if path+"."+name != alternative {
				t.Errorf("the golden value has no %s.%s", path, name)
			}
			continue
		}
		if m, ok := inner.Interface().(map[string]any); ok {
			complete(t, property, reflect.ValueOf(m), path+"."+name)
		}
	}
}
