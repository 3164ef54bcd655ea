// Package test holds what concerns the repository as a whole; its folders hold
// the end-to-end tests and the public tables they use.
package test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// layer of each package of ours. A package imports only lower layers, or, where
// both are listed in beside, its own.
func layer(path string) int {
	switch {
	case path == "events", path == "chaincode/exchange", path == "schemas", path == "test/data", strings.HasPrefix(path, "crypto/"):
		return 0
	case path == "workers", path == "events/bus", path == "chaincode", strings.HasPrefix(path, "chaincode/"),
		path == "workers/ipfs", path == "workers/table", path == "workers/journal", path == "workers/inbox", path == "workers/provenance":
		return 1
	case strings.HasPrefix(path, "workers/"), path == "compose", strings.HasPrefix(path, "compose/"):
		return 2
	case strings.HasPrefix(path, "cmd/"), path == "test", strings.HasPrefix(path, "test/"):
		return 3
	}
	return -1
}

// beside are the imports allowed within one layer.
var beside = map[string][]string{
	"events":                 {"chaincode/exchange"},
	"chaincode/exchange":     {"crypto/paillier"},
	"chaincode/contracttest": {"chaincode"},
	"crypto/keystore":        {"crypto/envelope", "crypto/paillier"}, // within crypto: keys are kept as these write them
	"workers":                {"events/bus"},
	"workers/provenance":     {"chaincode/ledger"},
	"compose/native":         {"compose"},
	"test/workertest":        {"test/bustest"},
}

// forbidden are libraries that a tree of ours must not reach, even at second
// hand.
var forbidden = []struct{ from, to, why string }{
	{"chancery/chaincode", "github.com/nats-io/", "the contract knows no bus"},
	{"chancery/chaincode", "chancery/events", "the contract knows no bus"},
	{"chancery/chaincode", "chancery/chaincode/ledger", "the contract knows no client"},
	{"chancery/workers/", "github.com/hyperledger/fabric-contract-api-go", "workers are no chaincode"},
	{"chancery/crypto/", "chancery/chaincode", "crypto imports nothing of ours"},
	{"chancery/crypto/", "chancery/events", "crypto imports nothing of ours"},
	{"chancery/crypto/", "chancery/workers", "crypto imports nothing of ours"},
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "chancery/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestImportsGoDown holds the picture of the rooms: layers, and that packages of
// one layer keep apart.
func TestImportsGoDown(t *testing.T) {
	all := packages(t)
	if len(all) < 10 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	for _, p := range all {
		from := strings.TrimPrefix(p.ImportPath, "chancery/")
		if layer(from) < 0 {
			t.Errorf("%s has no place in the layers", from)
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, "chancery/")
			if ours && !allowed(from, to) {
				t.Errorf("%s (layer %d) imports %s (layer %d)", from, layer(from), to, layer(to))
			}
		}
	}
}

func allowed(from, to string) bool {
	if layer(to) < layer(from) {
		return !(strings.HasPrefix(from, "crypto/") || from == "schemas")
	}
	for _, b := range beside[from] {
		if b == to {
			return true
		}
	}
	return false
}

// TestForbiddenDependencies looks at everything a package links, not only at
// what it names itself.
func TestForbiddenDependencies(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range forbidden {
			if p.ImportPath != f.from && !(strings.HasSuffix(f.from, "/") && strings.HasPrefix(p.ImportPath, f.from)) {
				continue
			}
			for _, d := range p.Deps {
				if strings.HasPrefix(d, f.to) {
					t.Errorf("%s reaches %s: %s", p.ImportPath, d, f.why)
				}
			}
		}
	}
}
