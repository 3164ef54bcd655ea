package encrypt

import (
	"bufio"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"chancery/test/bustest"
)

const (
	large    = 256 << 20 // bytes of the file
	mostHeap = 24 << 20  // bytes that sealing it may add
)

// TestConstantMemory seals a file of 256 MiB and watches the heap meanwhile.
func TestConstantMemory(t *testing.T) {
	s := newScene(t, bustest.Start(t, "census"))
	s.node.Forget = true
	fill(t, s.file())
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				most.Store(max(most.Load(), now.HeapInuse))
			}
		}
	}()
	err := s.hand(t)
	close(stop)
	<-stopped
	if err != nil {
		t.Fatal(err)
	}
	if o := s.journalled(t); o.Registration.Size < large {
		t.Errorf("sealed %d bytes", o.Registration.Size)
	}
	if most.Load() == 0 {
		t.Fatal("the heap was not looked at")
	}
	if grown := int64(most.Load()) - int64(before.HeapInuse); grown > mostHeap {
		t.Errorf("the heap grew by %d bytes for a file of %d", grown, large)
	}
}

func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	n, _ := w.WriteString("county,people\n")
	for row := []byte("a county with a name of some length,123456\n"); n < large; n += len(row) {
		w.Write(row) //nolint:errcheck // Flush tells
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}
