package contracttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
)

// Unreadable are texts that no field takes, whatever it is for.
var Unreadable = map[string]string{
	"nul": "a\x00b", "control": "a\x07b", "escape": "a\x1b[2Jb", "override": "a\u202eb", "zero width": "a\u200bb",
	"byte order mark": "\ufeffa", "private": "a\ue000b", "10 KB": strings.Repeat("a", 10<<10),
}

// WithText yields the JSON of a body once for each text that it holds, with that
// text changed, under the path of the text: "terms.purposes.0".
func WithText(t *testing.T, body exchange.Body, change func(string) string) iter.Seq2[string, string] {
	t.Helper()
	return func(yield func(path, changed string) bool) {
		for _, path := range textPaths(decoded(t, body), nil) {
			changed, err := exchange.Encode(replaced(decoded(t, body), path, change))
			if err != nil {
				t.Fatal(err)
			}
			if !yield(strings.Join(path, "."), string(changed)) {
				return
			}
		}
	}
}

// decoded is a body as JSON without types.
func decoded(t *testing.T, body exchange.Body) any {
	t.Helper()
	data, err := exchange.Encode(body)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// textPaths are the ways to every string in a decoded value, sorted.
func textPaths(v any, at []string) (paths [][]string) {
	switch v := v.(type) {
	case string:
		return [][]string{at}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			paths = append(paths, textPaths(v[key], append(slices.Clone(at), key))...)
		}
	case []any:
		for i := range v {
			paths = append(paths, textPaths(v[i], append(slices.Clone(at), fmt.Sprint(i)))...)
		}
	}
	return paths
}

// replaced changes the string at a path in a decoded value.
func replaced(v any, path []string, change func(string) string) any {
	switch v := v.(type) {
	case string:
		return change(v)
	case map[string]any:
		v[path[0]] = replaced(v[path[0]], path[1:], change)
	case []any:
		for i := range v {
			if fmt.Sprint(i) == path[0] {
				v[i] = replaced(v[i], path[1:], change)
			}
		}
	}
	return v
}
