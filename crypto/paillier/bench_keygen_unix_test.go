//go:build unix

package paillier

import (
	"context"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkGenerateSafeKey reports the median and the greatest of the seconds that
// keys of 3072 bits and two safe primes take on all processors, and the median of
// the processor time, which a busy machine does not change.
func BenchmarkGenerateSafeKey(b *testing.B) {
	var seconds, busy []float64
	for range max(b.N, 9) {
		start, told, used := time.Now(), 0, processorSeconds(b)
		o := KeyOptions{Safe: true, Progress: func(Progress) { told++ }}
		if _, err := GenerateKey(context.Background(), o); err != nil {
			b.Fatal(err)
		}
		seconds = append(seconds, time.Since(start).Seconds())
		busy = append(busy, processorSeconds(b)-used)
		if told == 0 {
			b.Fatal("no progress was told")
		}
	}
	b.ReportMetric(median(seconds), "s/median")
	b.ReportMetric(slices.Max(seconds), "s/max")
	b.ReportMetric(median(busy), "cpu-s/median")
	b.ReportMetric(float64(len(seconds)), "keys")
	b.ReportMetric(0, "ns/op")
}

// processorSeconds is what this process has used of all processors.
func processorSeconds(b *testing.B) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
