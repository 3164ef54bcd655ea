package native

import (
	"os/exec"
	"runtime"
	"sync"
)

// spawner starts commands, all from one operating-system thread that lives as
// long as this program: the kernel ends a child when the thread that started it
// ends, and Go's other threads come and go.
var spawner = sync.OnceValue(func() chan<- func() {
	requests := make(chan func())
	go func() {
		runtime.LockOSThread() // for good: the goroutine never returns
		for request := range requests {
			request()
		}
	}()
	return requests
})

// start starts cmd in a process group of its own, so that a terminal's Ctrl-C
// reaches only the launcher, which then stops its parts in order. Where the
// system can do it (Linux), the child is killed when the launcher ends.
func start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = childAttributes()
	result := make(chan error)
	spawner() <- func() { result <- cmd.Start() }
	return <-result
}
