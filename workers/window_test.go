package workers

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	w := newWindow(4, false)
	claim := func() int {
		t.Helper()
		n, err := w.claim(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := claim(); n != 4 {
		t.Errorf("at first %d", n)
	}
	w.release(1)
	if n := claim(); n != 1 {
		t.Errorf("slow handlers: %d", n)
	}
	w.took(time.Millisecond)
	if n := claim(); n != 4 {
		t.Errorf("quick handlers are fetched ahead for: %d", n)
	}
	w.release(1)
	if n := w.tryClaim(); n != 0 {
		t.Errorf("with much in hand a claim of %d", n)
	}
	w.release(1)
	if n := claim(); n != 2 {
		t.Errorf("half of the handlers' worth: %d", n)
	}
	for range 20 {
		w.took(time.Second)
	}
	w.release(4)
	if n := w.tryClaim(); n != 0 {
		t.Errorf("slow again, and the handlers have enough: %d", n)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.claim(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("after the stop: %v", err)
	}
	for _, c := range []struct{ base, want int }{{1, 8}, {64, 512}, {600, 600}} {
		if n := newWindow(c.base, true).tryClaim(); n != c.want {
			t.Errorf("with keys and %d handlers: %d, want %d", c.base, n, c.want)
		}
	}
}

// TestWindowWakes has two wait for room and sees both get some.
func TestWindowWakes(t *testing.T) {
	w := newWindow(1, false)
	w.take(1)
	got := make(chan int)
	for range 2 {
		go func() {
			n, err := w.claim(t.Context())
			if err != nil {
				t.Error(err)
			}
			got <- n
		}()
	}
	for range 2 {
		w.release(1)
		select {
		case n := <-got:
			if n != 1 {
				t.Errorf("claimed %d", n)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("nobody woke")
		}
	}
}

func TestTurns(t *testing.T) {
	var turns turns
	through := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	a1, doneA1 := turns.next("a")
	a2, doneA2 := turns.next("a")
	b1, doneB1 := turns.next("b")
	none, doneNone := turns.next("")
	if !through(a1) || through(a2) || !through(b1) || !through(none) {
		t.Error("who may go on")
	}
	doneNone()
	doneB1()
	doneA1()
	if !through(a2) {
		t.Error("the second of a must follow the first")
	}
	doneA2()
	if len(turns.last) != 0 {
		t.Errorf("%d keys are left", len(turns.last))
	}
}

func TestHeld(t *testing.T) {
	var h held
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	if !h.add(5, nil, at(50)) || !h.add(7, nil, at(70)) || h.add(5, nil, at(50)) {
		t.Error("a message that is here is not taken twice")
	}
	if h.len() != 2 || !h.oldest(0).Equal(at(50)) {
		t.Errorf("%d, oldest %s", h.len(), h.oldest(0))
	}
	h.remove(5, true)
	if h.len() != 1 || !h.oldest(4).Equal(at(50)) {
		t.Error("what comes again still waits")
	}
	if !h.oldest(5).Equal(at(70)) {
		t.Error("another copy has handled it")
	}
	h.remove(7, false)
	if !h.oldest(0).IsZero() {
		t.Error("nothing waits")
	}
}
