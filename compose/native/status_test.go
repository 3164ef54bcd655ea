package native

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

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
