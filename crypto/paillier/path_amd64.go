//go:build amd64 && !purego

package paillier

import "golang.org/x/sys/cpu"

// pathADX multiplies by MULX and adds in two carry chains by ADCX and ADOX.
var pathADX = wordPath{
	title: "adx",
	multiply: func(t, a, b []uint64) {
		adxProduct(&t[0], &a[0], &b[0], uint64(len(a)), uint64(len(b)))
	},
	accumulate: func(t, a, b []uint64) uint64 {
		return adxProductAdd(&t[0], &a[0], &b[0], nil, uint64(len(a)))
	},
	eliminate: func(t, q, n, inv []uint64) uint64 {
		return adxReduce(&t[0], &q[0], &n[0], &inv[0], uint64(len(n)))
	},
}

// paths returns this machine's paths, fastest first.
func paths() []path {
	var p []path
	if hasIFMA() {
		p = append(p, ifmaPath{})
	}
	if cpu.X86.HasADX && cpu.X86.HasBMI2 {
		p = append(p, pathADX)
	}
	return append(p, pathGo)
}
