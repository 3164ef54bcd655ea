//go:build !linux

package chaos

import "syscall"

// childAttributes is nothing where the kernel cannot end a process with another.
func childAttributes() *syscall.SysProcAttr { return nil }
