//go:build !linux

package native

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// usageOf asks ps(1).
func usageOf(pid int) (usage, error) {
	out, err := exec.Command("ps", "-o", "rss=,time=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return usage{}, fmt.Errorf("ps: %w", err)
	}
	fields := strings.Fields(string(out))
	if len(fields) != 2 {
		return usage{}, fmt.Errorf("ps answers %q", out)
	}
	resident, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return usage{}, fmt.Errorf("ps: %w", err)
	}
	var seconds float64
	for _, part := range strings.Split(fields[1], ":") { // [hours:]minutes:seconds
		value, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return usage{}, fmt.Errorf("ps: %w", err)
		}
		seconds = 60*seconds + value
	}
	return usage{resident: resident << 10, cpu: time.Duration(seconds * float64(time.Second))}, nil
}
