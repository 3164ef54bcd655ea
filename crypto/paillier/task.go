package paillier

import (
	"context"
	"io"
	"math/big"
	"runtime"
	"sync"
	"sync/atomic"
)

// groupsAtOnce is how many elements a goroutine keeps in work at a time: they
// share what is read of a comb's table.
const groupsAtOnce = 8

// workspace is all that one goroutine needs to compute under one key. Steady
// state allocates nothing: workspaces are kept by their key.
type workspace struct {
	s      *scratch
	acc    []uint64 // groupsAtOnce elements
	x, y   []uint64 // elements
	wide   []uint64 // an element's words and a carry
	table  []uint64 // 32 elements
	digits []byte
	words  []uint64
	buf    []byte
	many   []uint64 // grows: the entered operands of a linear combination
	tables []uint64 // grows: powers of many

	exponents [][]uint64
	a, b, c   big.Int
}

func newWorkspace(r *ring, positions, words int) *workspace {
	lanes := r.path.lanes()
	w := &workspace{
		s:         r.newScratch(),
		acc:       make([]uint64, groupsAtOnce*r.size),
		x:         make([]uint64, r.size),
		y:         make([]uint64, r.size),
		wide:      make([]uint64, 2*r.size+16*lanes),
		table:     make([]uint64, 32*r.size),
		digits:    make([]byte, groupsAtOnce*positions*lanes),
		words:     make([]uint64, words+1),
		buf:       make([]byte, 8*(words+1)),
		exponents: make([][]uint64, lanes),
	}
	return w
}

// task is one batch in work: its operands, and how far it has come. Tasks are
// pooled; a goroutine is started by a function value that is made once.
type task struct {
	step   func(t *task, lo, hi int) error
	start  func()
	pk     *PublicKey
	sk     *PrivateKey
	dst    []*Ciphertext
	a, b   []*Ciphertext
	m, k   []*big.Int
	v, u   *Vector
	random io.Reader
	lock   lockedReader

	columns [][]*Ciphertext
	weights []int64

	ctx   context.Context
	items int
	chunk int
	next  atomic.Int64
	wg    sync.WaitGroup

	mu  sync.Mutex
	err error // the first one; guarded by mu
}

var tasks = sync.Pool{New: func() any {
	t := new(task)
	t.start = func() {
		defer t.wg.Done()
		t.loop()
	}
	return t
}}

func newTask(step func(*task, int, int) error, pk *PublicKey) *task {
	t := tasks.Get().(*task)
	t.step, t.pk = step, pk
	return t
}

// draws sets the source of randomness. A reader of the caller's is read by one
// goroutine at a time.
func (t *task) draws(random io.Reader) {
	if random == nil {
		t.random = source(nil)
		return
	}
	t.lock.r = random
	t.random = &t.lock
}

// run shares items out in chunks among as many goroutines as Go runs at once,
// this one among them, and gives the task back. It stops at the first error and
// at the context's end; what has been done by then is done.
func (t *task) run(ctx context.Context, items, chunk int) error {
	processors := runtime.GOMAXPROCS(0)
	chunk = evenChunk(items, chunk, processors, t.pk.engine().r.path.lanes())
	t.ctx, t.items, t.chunk = ctx, items, chunk
	t.next.Store(0)
	for range min(processors, (items+chunk-1)/chunk) - 1 {
		t.wg.Add(1)
		go t.start()
	}
	t.loop()
	t.wg.Wait()
	err := t.err
	start := t.start
	t.clear()
	t.start = start
	tasks.Put(t)
	return err
}

// evenChunk returns a chunk of at most chunk items, in whole lanes, such that all
// processors have equally many: a batch of one chunk would leave all but one idle,
// and one of three chunks would take two processors as long as one of four.
func evenChunk(items, chunk, processors, lanes int) int {
	if items == 0 || chunk%lanes != 0 {
		return chunk
	}
	turns := (items + chunk*processors - 1) / (chunk * processors)
	each := (items + turns*processors - 1) / (turns * processors)
	return (each + lanes - 1) / lanes * lanes
}

func (t *task) clear() {
	t.step, t.pk, t.sk = nil, nil, nil
	t.dst, t.a, t.b, t.m, t.k, t.v, t.u = nil, nil, nil, nil, nil, nil, nil
	t.random, t.lock.r, t.ctx, t.err = nil, nil, nil, nil
	t.columns, t.weights = nil, nil
}

func (t *task) loop() {
	for {
		lo := int(t.next.Add(int64(t.chunk))) - t.chunk
		if lo >= t.items {
			return
		}
		err := t.ctx.Err()
		if err == nil {
			err = t.step(t, lo, min(lo+t.chunk, t.items))
		}
		if err != nil {
			t.mu.Lock()
			if t.err == nil {
				t.err = err
			}
			t.mu.Unlock()
			t.next.Store(int64(t.items))
			return
		}
	}
}
