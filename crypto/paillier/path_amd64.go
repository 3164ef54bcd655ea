//go:build amd64 && !purego

package paillier

import "golang.org/x/sys/cpu"

// rowADX is the row in assembly, by MULX, ADCX and ADOX.
func rowADX(t, s, a, b []uint64) {
	adxRow(&t[0], &s[0], &a[0], &b[0], uint64(len(b)))
}

// paths returns this machine's paths, fastest first.
func paths() []path {
	var p []path
	if hasIFMA() {
		p = append(p, ifmaPath{})
	}
	if cpu.X86.HasADX && cpu.X86.HasBMI2 {
		p = append(p, wordPath{title: "adx", row: rowADX})
	}
	return append(p, pathGo)
}
