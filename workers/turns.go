package workers

import "sync"

// turns makes messages of one key follow one another. Safe for concurrent use.
type turns struct {
	mu   sync.Mutex
	last map[string]chan struct{} // of each key: closed when its last message is through
}

// next queues a message up behind the last one of its key. It may go on when
// before is closed, and calls done when it is through. The empty key has no
// order.
func (t *turns) next(key string) (before <-chan struct{}, done func()) {
	if key == "" {
		return open, func() {}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last = make(map[string]chan struct{})
	}
	before = open
	if last, ok := t.last[key]; ok {
		before = last
	}
	mine := make(chan struct{})
	t.last[key] = mine
	return before, func() {
		close(mine)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.last[key] == mine {
			delete(t.last, key)
		}
	}
}

// open lets everything through.
var open = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
