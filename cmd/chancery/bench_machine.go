package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// benchMachine is where figures were measured. What the system does not tell
// is empty.
type benchMachine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory int64  `json:"memoryBytes"`
	Kernel string `json:"kernel"`
	System string `json:"system"`
	Go     string `json:"go"`
	Load   string `json:"load,omitempty"` // average of the last minute, when the run began
	// LoadAfter is the same at its end: both say how much else the machine did.
	LoadAfter string `json:"loadAfter,omitempty"`
}

func thisMachine() benchMachine {
	m := benchMachine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	m.CPU = procField("/proc/cpuinfo", "model name")
	if kib, err := strconv.ParseInt(strings.TrimSuffix(procField("/proc/meminfo", "MemTotal"), " kB"), 10, 64); err == nil {
		m.Memory = kib << 10
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(release))
	}
	m.Load = loadAverage()
	return m
}

// loadAverage is the system's, of the last minute; empty where it does not say.
func loadAverage() string {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	minute, _, _ := strings.Cut(string(load), " ")
	return minute
}

// procField reads the first "name: value" of a file of /proc; empty if there is
// none.
func procField(file, name string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range bytes.Lines(data) {
		key, value, found := strings.Cut(string(line), ":")
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (m benchMachine) String() string {
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	add(m.CPU)
	add(count(m.Cores, "core"))
	if m.Memory > 0 {
		add(size(m.Memory) + " of memory")
	}
	if m.Kernel != "" {
		add("kernel " + m.Kernel)
	}
	add(m.System)
	add(m.Go)
	if m.Load != "" {
		add(fmt.Sprintf("load average %s when it began and %s at its end", m.Load, m.LoadAfter))
	}
	return strings.Join(parts, ", ")
}
