package encrypt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/test/bustest"
	"chancery/test/workertest"
	"chancery/workers"
	"chancery/workers/journal"
)

// TestSeals seals a file, and says the same when the event comes again, also
// when the file is gone by then.
func TestSeals(t *testing.T) {
	s := newScene(t, bustest.Start(t, "census"))
	if err := s.hand(t); err != nil {
		t.Fatal(err)
	}
	o := s.journalled(t)
	if got := s.open(t, o); got != content {
		t.Errorf("sealed %q", got)
	}
	if r := o.Registration; r.Rows != 2 || r.FileName != name || r.Command != "publish-1" || r.Source != "the bureau" {
		t.Errorf("journalled %+v", r)
	}
	if err := os.Remove(s.file()); err != nil {
		t.Fatal(err)
	}
	if err := s.hand(t); err != nil {
		t.Fatal(err)
	}
	if got := said[events.Sealed](t, s, events.ObjectSealed); got.Object != s.staged.Object || got.CID != o.Registration.CID {
		t.Errorf("said %+v", got)
	}
	if added := s.node.Added(); len(added) != 1 {
		t.Errorf("the node got %v", added)
	}
}

// TestRefusals meets files and tables that are wrong: the command's sender is
// told, and neither journal nor node keeps anything.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		alter  func(t *testing.T, s *scene)
		code   exchange.Code
		reason string
	}{
		{"no file", func(t *testing.T, s *scene) { remove(t, s.file()) }, exchange.NotFound, "no file"},
		{"empty", func(t *testing.T, s *scene) { s.write(t, "") }, exchange.Invalid, "empty"},
		{"a directory", func(t *testing.T, s *scene) {
			remove(t, s.file())
			check(t, os.Mkdir(s.file(), 0o700))
		}, exchange.Invalid, "not a regular file"},
		{"a link", func(t *testing.T, s *scene) {
			outside := filepath.Join(t.TempDir(), "secret")
			remove(t, s.file())
			check(t, os.WriteFile(outside, []byte(content), 0o600))
			check(t, os.Symlink(outside, s.file()))
		}, exchange.Invalid, "not a regular file"},
		{"a pipe", func(t *testing.T, s *scene) {
			remove(t, s.file())
			check(t, syscall.Mkfifo(s.file(), 0o600))
		}, exchange.Invalid, "not a regular file"},
		{"another header", func(t *testing.T, s *scene) { s.write(t, "county,births\nKent,12\n") }, exchange.Invalid, "not the table"},
		{"a wrong value", func(t *testing.T, s *scene) { s.write(t, content+"Sussex,many\n") }, exchange.Invalid, "row 3"},
		{"a wrong value after much else", func(t *testing.T, s *scene) {
			s.write(t, content+strings.Repeat("Kent,1\n", 100_000)+"Sussex,many\n")
		}, exchange.Invalid, "row 100003"},
		{"an incomplete row", func(t *testing.T, s *scene) { s.write(t, content+`Sussex,"1`) }, exchange.Invalid, "not the table"},
		{"grows", func(t *testing.T, s *scene) { s.node.BeforeAdd = func() { appendTo(t, s.file(), "Sussex,3\n") } }, exchange.Invalid, "changed while"},
		{"is cut short", func(t *testing.T, s *scene) { s.node.BeforeAdd = func() { check(t, os.Truncate(s.file(), 20)) } }, exchange.Invalid, "changed while"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, bustest.Start(t, "census"))
			c.alter(t, s)
			if err := s.hand(t); err != nil {
				t.Fatalf("verdict %v", err)
			}
			got := said[events.Rejected](t, s, exchange.CommandRejected)
			if got.Command != "publish-1" || got.Op != "dataset.publish" || got.Code != c.code || !strings.Contains(got.Message, c.reason) {
				t.Errorf("answered %+v, want %s: %q", got, c.code, c.reason)
			}
			if strings.Contains(got.Message, "many") {
				t.Errorf("the answer quotes the table: %s", got.Message)
			}
			s.nothingKept(t)
		})
	}
}

func (s *scene) nothingKept(t *testing.T) {
	t.Helper()
	if _, err := s.vault.Journal.Object(s.staged.Object, dataset); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("the journal has it: %v", err)
	}
	if n := s.node.Pinned(); n != 0 {
		t.Errorf("the node keeps %d files", n)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	check(t, os.Remove(file))
}

func appendTo(t *testing.T, file, content string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	check(t, err)
	_, err = io.WriteString(f, content)
	check(t, errors.Join(err, f.Close()))
}

// TestWaits meets parts that are away, which is no fault of the file.
func TestWaits(t *testing.T) {
	b := bustest.Start(t, "census")
	for _, c := range []struct {
		name    string
		alter   func(s *scene)
		verdict string
	}{
		{"the node is away", func(s *scene) { s.node.Away = workertest.ErrAway }, "later"},
		{"the node goes away", func(s *scene) { s.node.Break, s.node.BreakAfter = workertest.ErrAway, 100 }, "later"},
		{"the disk is full", func(s *scene) { s.node.Break, s.node.BreakAfter = fmt.Errorf("add: %w", syscall.ENOSPC), 100 }, "later"},
		{"the ledger is away", func(s *scene) { s.ledger.Away = fmt.Errorf("get: %w", ledger.ErrUnreachable) }, "later"},
		{"the ledger refuses to be read", func(s *scene) { s.ledger.Away = exchange.Errorf(exchange.Denied, "no") }, "failed"},
		{"the dataset is not there", func(s *scene) { s.ledger.Away = exchange.Errorf(exchange.NotFound, "no") }, "failed"},
		{"the spool is not there", func(s *scene) { s.spool += "/gone" }, "failed"},
		{"the object is of another command", func(s *scene) { s.staged.Command = "publish-2" }, "dead"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, b)
			c.alter(s)
			if err := s.hand(t); workertest.Verdict(err) != c.verdict {
				t.Errorf("verdict %v, want %s", err, c.verdict)
			}
			if list := workertest.Stored(t, b, events.StreamWork); len(list) > 0 {
				t.Errorf("said %v", list)
			}
			s.nothingKept(t)
		})
	}
}

// TestNodeComesBack seals after all.
func TestNodeComesBack(t *testing.T) {
	s := newScene(t, bustest.Start(t, "census"))
	s.node.Break, s.node.BreakAfter = workertest.ErrAway, 100
	if err := s.hand(t); !workers.Retried(err) {
		t.Fatalf("verdict %v", err)
	}
	s.node.Break = nil
	if err := s.hand(t); err != nil {
		t.Fatal(err)
	}
	if got := s.open(t, s.journalled(t)); got != content {
		t.Errorf("sealed %q", got)
	}
}

// TestAnotherFile stages other things under a command that was sealed.
func TestAnotherFile(t *testing.T) {
	for name, alter := range map[string]func(e *events.Staged){
		"file":   func(e *events.Staged) { e.File = "other.csv" },
		"source": func(e *events.Staged) { e.Source = "elsewhere" },
		"origin": func(e *events.Staged) { e.DerivedFrom = []string{strings.Repeat("0", 64)} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, bustest.Start(t, "census"))
			check(t, s.hand(t))
			before := s.journalled(t)
			alter(&s.staged)
			check(t, s.hand(t))
			list := workertest.Stored(t, s.bustest, events.StreamWork)
			if len(list) != 2 {
				t.Fatalf("said %v", list)
			}
			got, err := events.Payload[events.Rejected](list[1])
			if err != nil || got.Code != exchange.Conflict {
				t.Errorf("answered %+v, %v", got, err)
			}
			if s.journalled(t).Registration.CID != before.Registration.CID || s.node.Pinned() != 1 {
				t.Error("sealed again")
			}
		})
	}
}

// TestCopiesAtOnce seals one file twice at once: one result stands, and the
// other is let go.
func TestCopiesAtOnce(t *testing.T) {
	s := newScene(t, bustest.Start(t, "census"))
	var both, wg sync.WaitGroup
	both.Add(2)
	s.node.AfterAdd = func() { both.Done(); both.Wait() } // both have sealed, neither has journalled
	for range 2 {
		wg.Go(func() {
			if err := s.hand(t); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	o, added, unpinned := s.journalled(t), s.node.Added(), s.node.Unpinned()
	if len(added) != 2 || len(unpinned) != 1 || unpinned[0] == o.Registration.CID || s.node.Pinned() != 1 {
		t.Errorf("added %v, let go %v, the journal has %s", added, unpinned, o.Registration.CID)
	}
	if got := said[events.Sealed](t, s, events.ObjectSealed); got.CID != o.Registration.CID {
		t.Errorf("said %s, the journal has %s", got.CID, o.Registration.CID)
	}
}

// TestForeign hands over what another department staged, and what is malformed.
func TestForeign(t *testing.T) {
	s := newScene(t, bustest.Start(t, "census"))
	s.ledger.Put(t, exchange.NounDataset, dataset, s.dataset)
	foreign, err := events.NewWork(events.ObjectStaged, "health", exchange.ToAll, s.staged.Object, s.staged.Command, &s.staged, time.Now())
	check(t, err)
	malformed, err := events.NewWork(events.ObjectStaged, "census", exchange.ToAll, s.staged.Object, s.staged.Command, &s.staged, time.Now())
	check(t, err)
	malformed.Data = []byte(`{"object":"o-1","file":"../x"}`)
	for _, e := range []events.Envelope{foreign, malformed} {
		if err := workertest.Hand(t, s.worker(), e); !workers.Rejected(err) {
			t.Errorf("verdict %v", err)
		}
	}
	s.nothingKept(t)
}
