package native

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// narrator writes progress lines, one at a time, for whoever waits. It may be
// used by many goroutines at once.
type narrator struct {
	mu  sync.Mutex
	out io.Writer
}

// newNarrator writes to out; a nil out takes nothing.
func newNarrator(out io.Writer) *narrator {
	if out == nil {
		out = io.Discard
	}
	return &narrator{out: out}
}

func (n *narrator) say(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.out, format+"\n", args...)
}

// during says what is being done, again every interval with the time it has
// taken, until the returned function is called.
func (n *narrator) during(what string, interval time.Duration) (done func()) {
	began := time.Now()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		n.say("%s …", what)
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				n.say("%s … %s", what, time.Since(began).Round(time.Second))
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}
