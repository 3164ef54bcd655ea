package e2e

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
)

// unharmed runs a test after which every process of the network is the one that
// it was, and no message has become a dead letter.
func unharmed(t *testing.T, n network, test func(t *testing.T)) {
	t.Helper()
	pids := func() map[string]int {
		all := map[string]int{}
		for _, p := range n.status(t).Parts {
			all[p.Name] = p.PID
		}
		return all
	}
	n.awaitHealthy(t)
	processes, letters := pids(), n.letters(t)
	test(t)
	if after := pids(); !maps.Equal(processes, after) {
		t.Errorf("processes were %v, are %v", processes, after)
	}
	if after := n.letters(t); !slices.Equal(letters, after) {
		t.Errorf("dead letters were %v, are %v", letters, after)
	}
	n.awaitHealthy(t)
	n.settled(t)
}

// letters is how many dead letters each department has.
func (n network) letters(t *testing.T) (all []uint64) {
	t.Helper()
	for _, d := range departments {
		all = append(all, n.tail(t, d, events.StreamDead).Messages)
	}
	return all
}

// TestBadCommands says what no worker can do, on the bus: each is answered, and
// the next command is done.
func TestBadCommands(t *testing.T) {
	n := shared(t)
	s, _ := n.publish(t, "census")
	good := asking("census/" + s.name)
	unharmed(t, n, func(t *testing.T) {
		health := n.system(t, "health")
		for _, tc := range []struct {
			name, verb, body string
			change           func(*nats.Msg)
			code, word       string
		}{
			{name: "unknown dataset", body: asking("census/nothing"), code: "not-found", word: "census/nothing"},
			{name: "unknown department", body: asking("treasury/gold"), code: "not-found", word: "treasury"},
			{name: "own dataset", body: asking("health/obesity"), code: "not-found", word: "health/obesity"},
			{name: "no JSON", body: `{"dataset":`, code: "invalid", word: "JSON"},
			{name: "no object", body: `[]`, code: "invalid", word: "object"},
			{name: "empty", body: ``, code: "invalid", word: "object"},
			{name: "key twice", body: strings.Replace(good, `{`, `{"uses":1,`, 1), code: "invalid", word: "uses"},
			{name: "unknown field", body: strings.Replace(good, `{`, `{"from":"census",`, 1), code: "invalid", word: "from"},
			{name: "another case", body: strings.Replace(good, `"uses"`, `"Uses"`, 1), code: "invalid", word: "Uses"},
			{name: "wrong type", body: strings.Replace(good, `"uses":1`, `"uses":"1"`, 1), code: "invalid", word: "uses"},
			{name: "more after it", body: good + `{}`, code: "invalid", word: "JSON"},
			{name: "out of range", body: strings.Replace(good, `"uses":1`, `"uses":-1`, 1), code: "invalid", word: "uses"},
			{name: "against the terms", body: strings.Replace(good, `"uses":1`, `"uses":900`, 1), code: "denied", word: "uses"},
			{name: "300 kB", body: strings.Replace(good, "planning", strings.Repeat("x", 300<<10), 1), code: "invalid", word: "larger"},
			{name: "unknown verb", verb: "request.burn", body: good, code: "invalid", word: "request.burn"},
			{name: "another source", body: good, code: "invalid", word: "source",
				change: func(m *nats.Msg) { m.Header["ce-source"] = []string{"census"} }},
			{name: "another type", body: good, code: "invalid", word: "type",
				change: func(m *nats.Msg) { m.Header["ce-type"] = []string{"chancery.grant.redeem.v1"} }},
			{name: "another version", body: good, code: "invalid", word: "specversion",
				change: func(m *nats.Msg) { m.Header["ce-specversion"] = []string{"0.3"} }},
			{name: "upper case", body: good, code: "invalid", word: "lower case",
				change: func(m *nats.Msg) { m.Header["Ce-Extra"] = []string{"1"} }},
			{name: "no such grant", verb: "grant.redeem", body: `{"grant":"g-aaaaaaaaaaaaaaaaaaaaaaaaaa","slot":0}`, code: "not-found", word: "g-"},
		} {
			t.Run(tc.name, func(t *testing.T) {
				id := "bad-" + s.name + "-" + strings.ReplaceAll(tc.name, " ", "-")
				m := health.message(orElse(tc.verb, "request.open"), id, tc.body)
				if tc.change != nil {
					tc.change(m)
				}
				health.publish(t, m)
				r := health.answer(t, id, false)
				if !r.refused || r.Code != tc.code || !strings.Contains(r.Message, tc.word) || r.Department != "health" {
					t.Errorf("answered %+v, want %s with %q", r, tc.code, tc.word)
				}
			})
		}
		t.Run("no id", func(t *testing.T) {
			m := health.message("request.open", "", good)
			delete(m.Header, "ce-id")
			health.publish(t, m)
			if r := health.answer(t, "", true); r.Code != "invalid" || !strings.Contains(r.Message, "id") {
				t.Errorf("answered %+v", r)
			}
		})
		t.Run("structured mode", func(t *testing.T) {
			m := nats.NewMsg("chancery.cmd.health.request.open")
			m.Header["content-type"] = []string{"application/cloudevents+json"}
			m.Data = []byte(`{"specversion":"1.0","id":"structured","source":"health","type":"chancery.request.open.v1","data":` + good + `}`)
			health.publish(t, m)
			if r := health.answer(t, "", true); r.Code != "invalid" || !strings.Contains(r.Message, "binary mode") {
				t.Errorf("answered %+v", r)
			}
		})
		t.Run("2 MB", func(t *testing.T) {
			m := health.message("request.open", "huge", strings.Repeat("x", 2<<20))
			if err := health.nc.PublishMsg(m); !errors.Is(err, nats.ErrMaxPayload) {
				t.Errorf("%v, want %v", err, nats.ErrMaxPayload)
			}
		})
		t.Run("then a good one", func(t *testing.T) {
			health.command(t, "request.open", "good-"+s.name, good)
			if r := health.answer(t, "good-"+s.name, false); r.refused || r.Repeated || n.absent(t, exchange.NounRequest, r.ID) {
				t.Errorf("answered %+v", r)
			}
		})
	})
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// TestRepeatedCommand says a command twice, and another under its id.
func TestRepeatedCommand(t *testing.T) {
	n := shared(t)
	s, _ := n.publish(t, "census")
	unharmed(t, n, func(t *testing.T) {
		health := n.system(t, "health")
		id, body := "twice-"+s.name, asking("census/"+s.name)
		health.command(t, "request.open", id, body)
		first := health.answer(t, id, false)
		health.command(t, "request.open", id, body)
		second := health.answer(t, id, false)
		if first.refused || first.Repeated || second.refused || !second.Repeated || second.ID != first.ID {
			t.Errorf("answered %+v, then %+v", first, second)
		}
		health.command(t, "request.open", id, strings.Replace(body, "planning", "curiosity", 1))
		if other := health.answer(t, id, false); !other.refused || other.Code != "conflict" {
			t.Errorf("another body is answered %+v", other)
		}
		opened := 0
		for _, e := range n.settled(t) {
			if e.Correlation == id {
				opened++
			}
		}
		if opened != 1 {
			t.Errorf("%d events of the command, want 1", opened)
		}
		again := []string{"request", "open", "census/" + s.name, "-d", "health", "--purpose", "planning",
			"--legal-basis", "section 5", "--command", id + "-cli"}
		one := ask[outcome](t, n, again...)
		if two := ask[outcome](t, n, again...); two.ID != one.ID || two.Code != exchange.Exists {
			t.Errorf("the command line answers %+v, then %+v", one, two)
		}
		n.fails(t, 5, []string{"conflict"}, append(slices.Clone(again), "--for", "2d")...)
	})
}

// TestBadArguments gives the command line what there is not.
func TestBadArguments(t *testing.T) {
	n := shared(t)
	ask := func(dataset, as string) []string {
		return []string{"request", "open", dataset, "-d", as, "--purpose", "planning", "--legal-basis", "section 5"}
	}
	unharmed(t, n, func(t *testing.T) {
		n.fails(t, 4, []string{"census/nothing"}, ask("census/nothing", "health")...)
		n.fails(t, 4, []string{"treasury"}, ask("treasury/gold", "health")...)
		n.fails(t, 4, []string{"treasury", "census, health, labor"}, ask("census/nothing", "treasury")...)
		n.fails(t, 2, []string{"dataset"}, ask("no dataset", "health")...)
		n.fails(t, 4, []string{"r-aaaaaaaaaaaaaaaaaaaaaaaaaa"}, "grant", "give", "r-aaaaaaaaaaaaaaaaaaaaaaaaaa", "-d", "census")
		n.fails(t, 4, []string{"o-aaaaaaaaaaaaaaaaaaaaaaaaaa"}, "object", "verify", "o-aaaaaaaaaaaaaaaaaaaaaaaaaa", "-d", "labor")
		n.fails(t, 2, []string{"o-x"}, "object", "verify", "o-x", "-d", "labor")
		n.fails(t, 5, []string{"running"}, "up")
		n.fails(t, 3, []string{"denied"}, "grant", "give", "r-aaaaaaaaaaaaaaaaaaaaaaaaaa", "-d", "census", "--as", "worker")
	})
}

// TestBadFiles names files that cannot be published.
func TestBadFiles(t *testing.T) {
	n := shared(t)
	census := n.system(t, "census")
	spool := n.profile(t, "census").Spool
	run := newTable(t, "census").name
	in := func(name string) string { return filepath.Join(spool, run+name) }
	for _, err := range []error{
		os.WriteFile(in("outside.csv"), []byte("place,people\na,1\n"), 0o600),
		os.Symlink(in("outside.csv"), in("link.csv")),
		os.Mkdir(in("dir.csv"), 0o700),
		syscall.Mkfifo(in("pipe.csv"), 0o600),
		os.WriteFile(in("empty.csv"), nil, 0o600),
		os.WriteFile(in("columns.csv"), []byte("place,persons\na,1\n"), 0o600),
		os.WriteFile(in("types.csv"), []byte("place,people\na,1\nb,many\n"), 0o600),
		os.WriteFile(in("rows.csv"), []byte("place,people\na,1\nb\n"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	unharmed(t, n, func(t *testing.T) {
		for _, tc := range []struct{ name, file, code, word string }{
			{"absolute", in("outside.csv"), "invalid", "file"},
			{"parent", "../census/spool/" + run + "outside.csv", "invalid", "file"},
			{"dot dot", "..", "invalid", "file"},
			{"none", "", "invalid", "file"},
			{"link", run + "link.csv", "invalid", "regular"},
			{"directory", run + "dir.csv", "invalid", "regular"},
			{"pipe", run + "pipe.csv", "invalid", "regular"},
			{"empty", run + "empty.csv", "invalid", "empty"},
			{"missing", run + "missing.csv", "not-found", "missing.csv"},
			{"columns", run + "columns.csv", "invalid", "people"},
			{"types", run + "types.csv", "invalid", "row 2"},
			{"rows", run + "rows.csv", "invalid", "row 2"},
		} {
			t.Run(tc.name, func(t *testing.T) {
				id := run + "-" + strings.ReplaceAll(tc.name, " ", "-")
				census.command(t, "dataset.publish", id, publication(t, run, tc.file))
				if r := census.answer(t, id, true); r.Code != tc.code || !strings.Contains(r.Message, tc.word) {
					t.Errorf("answered %+v, want %s with %q", r, tc.code, tc.word)
				}
				if id := exchange.NewID(exchange.NounObject, n.profile(t, "census").MSP, id); !n.absent(t, exchange.NounObject, id) {
					t.Errorf("object %s is on the ledger", id)
				}
			})
		}
		t.Run("removed half way", func(t *testing.T) { n.removedHalfWay(t, census, run) })
	})
}

// publication is the body of a command to publish a file.
func publication(t *testing.T, name, file string) string {
	t.Helper()
	text, err := json.Marshal(events.PublishDataset{File: file, Dataset: exchange.RegisterDataset{
		Name: name,
		Description: exchange.Description{Title: "Table " + name, Licence: "CC0-1.0", MediaType: "text/csv", Columns: []exchange.Column{
			{Name: "place", Type: exchange.String}, {Name: "people", Type: exchange.Integer, Unit: "persons"},
		}},
		Terms: exchange.Terms{Actions: []exchange.Action{exchange.Read}, MaxUses: 1, MaxDuration: 3600},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// removedHalfWay has a file staged by intake that is gone when it is to be
// sealed: the worker's own step is said here, so that the file is gone for sure.
func (n network) removedHalfWay(t *testing.T, census *system, run string) {
	p := n.profile(t, "census")
	conn, err := bus.Connect(t.Context(), bus.Config{URL: p.Bus.URL, CA: p.Bus.CA, NKeys: p.Bus.NKeys, User: "intake"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	id := run + "-removed"
	object := exchange.NewID(exchange.NounObject, p.MSP, id)
	e, err := events.NewWork(events.ObjectStaged, "census", exchange.ToAll, object, id, &events.Staged{
		Object: object, Dataset: exchange.DatasetID(p.MSP, run), Command: id, File: run + "removed.csv",
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if r := census.answer(t, id, true); r.Code != "not-found" || !strings.Contains(r.Message, "removed.csv") {
		t.Errorf("answered %+v", r)
	}
	if !n.absent(t, exchange.NounObject, object) {
		t.Errorf("object %s is on the ledger", object)
	}
}

// TestAlteredBytes flips a bit in a kubo node's store, and puts it back.
func TestAlteredBytes(t *testing.T) {
	n := shared(t)
	_, published := n.publish(t, "census")
	n.hear(t, "census", exchange.ObjectAttested, published.ID)
	object := ask[exchange.Object](t, n, "object", "show", published.ID)
	verify := []string{"object", "verify", published.ID, "-d", "labor"}
	n.must(t, verify...)
	file := n.block(t, "labor", object.CID)
	flip(t, file)
	n.fails(t, 6, []string{published.ID}, verify...)
	flip(t, file)
	n.must(t, verify...)
	if err := n.healthy(t); err != nil {
		t.Error(err)
	}
}
