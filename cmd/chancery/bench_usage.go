package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"chancery/compose/native"
)

// usage is what the network's processes have had of the processor so far, by
// role, in seconds.
type usage struct {
	at    time.Time
	roles map[string]float64
}

const benchRole = "this program"

func (b *bench) usage(ctx context.Context) usage {
	u := usage{at: time.Now(), roles: map[string]float64{}}
	report, err := native.Status(ctx, b.network.Dir())
	if err != nil {
		return u // a remark that is missing; no figure hangs on it
	}
	for _, p := range report.Parts {
		u.roles[p.Role] += p.CPUSeconds
	}
	u.roles[benchRole] = ownTime().Seconds()
	return u
}

// ownTime is what this process has had of the processor.
func ownTime() time.Duration {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return 0 // it fails for a wrong argument alone
	}
	return time.Duration(own.Utime.Nano() + own.Stime.Nano())
}

// since says how many cores each role has kept busy since an earlier reading,
// the busiest first.
func (u usage) since(before usage) string {
	elapsed := u.at.Sub(before.at).Seconds()
	type share struct {
		role  string
		cores float64
	}
	var shares []share
	for role, seconds := range u.roles {
		if cores := (seconds - before.roles[role]) / elapsed; cores >= 0.005 {
			shares = append(shares, share{role, cores})
		}
	}
	slices.SortFunc(shares, func(a, b share) int {
		if a.cores != b.cores {
			if a.cores > b.cores {
				return -1
			}
			return 1
		}
		return strings.Compare(a.role, b.role)
	})
	parts := make([]string, len(shares))
	for i, s := range shares {
		parts[i] = fmt.Sprintf("%s %.2f", s.role, s.cores)
	}
	return strings.Join(parts, ", ")
}
