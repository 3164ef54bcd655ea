package native

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of CPU time in /proc; Linux fixes it for programs at
// 100 a second.
const clockTick = 10 * time.Millisecond

// usageOf reads /proc/<pid>/stat (proc_pid_stat(5)).
func usageOf(pid int) (usage, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, err
	}
	// Fields count from 1; the second, in parentheses, may hold anything.
	_, rest, found := bytes.Cut(data[bytes.LastIndexByte(data, '(')+1:], []byte(") "))
	fields := bytes.Fields(rest)
	if !found || len(fields) < 22 {
		return usage{}, fmt.Errorf("/proc/%d/stat is not understood", pid)
	}
	var values [3]int64
	for i, field := range []int{14, 15, 24} { // utime, stime, rss
		if values[i], err = strconv.ParseInt(string(fields[field-3]), 10, 64); err != nil {
			return usage{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
	}
	return usage{
		resident: values[2] * int64(os.Getpagesize()),
		cpu:      time.Duration(values[0]+values[1]) * clockTick,
	}, nil
}
