package native

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestGoneProcess reports a part whose process ended a moment ago, before its
// launcher has written that down.
func TestGoneProcess(t *testing.T) {
	ended := exec.Command(os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	r := Report{Running: true}
	r.addPart(PartStatus{Name: "census-bus", State: stateRunning, PID: ended.Process.Pid})
	if r.Parts[0].State != stateFailed || r.Total.Running != 0 || r.Healthy() {
		t.Errorf("%+v", r)
	}
}

// TestMeasure watches this very program while it keeps one core busy, and a
// process that is not there.
func TestMeasure(t *testing.T) {
	r := Report{Parts: []PartStatus{{Name: "busy", PID: os.Getpid()}, {Name: "starting"}}}
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	if err := r.Measure(t.Context(), 300*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if r.Parts[0].Cores < 0.1 || r.Parts[1].Cores != 0 || r.Total.Cores != r.Parts[0].Cores || r.MeasuredSeconds < 0.3 {
		t.Errorf("%+v", r)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Measure(ended, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
