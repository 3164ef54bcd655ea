package paillier

import "math/bits"

// pathGo is the path of machines that have no other.
var pathGo = wordPath{"go", multiplyGo, accumulateGo, eliminateGo}

func multiplyGo(t, a, b []uint64) {
	for i := 0; i < len(a); i += 4 {
		rowGo(t[i:], t[i+len(b):], a[i:], b)
	}
}

func accumulateGo(t, a, b []uint64) (carry uint64) {
	var s [4]uint64
	for i := 0; i < len(a); i += 4 {
		rowGo(t[i:], s[:], a[i:], b)
		carry = addFour(t[i+len(b):], &s, carry)
	}
	return carry
}

func eliminateGo(t, q, n, inv []uint64) (carry uint64) {
	var s [4]uint64
	for i := 0; i < len(n); i += 4 {
		lowProduct(q[i:], t[i:], inv)
		rowGo(t[i:], s[:], q[i:], n)
		carry = addFour(t[i+len(n):], &s, carry)
	}
	return carry
}

func addFour(t []uint64, s *[4]uint64, carry uint64) uint64 {
	t = t[:4]
	t[0], carry = bits.Add64(t[0], s[0], carry)
	t[1], carry = bits.Add64(t[1], s[1], carry)
	t[2], carry = bits.Add64(t[2], s[2], carry)
	t[3], carry = bits.Add64(t[3], s[3], carry)
	return carry
}

// lowProduct returns a·b modulo 2^256.
func lowProduct(q, a, b []uint64) {
	a, b, q = a[:4], b[:4], q[:4]
	h00, q0 := bits.Mul64(a[0], b[0])
	h01, l01 := bits.Mul64(a[0], b[1])
	h10, l10 := bits.Mul64(a[1], b[0])
	h02, l02 := bits.Mul64(a[0], b[2])
	h11, l11 := bits.Mul64(a[1], b[1])
	h20, l20 := bits.Mul64(a[2], b[0])
	q1, c := bits.Add64(l01, h00, 0)
	q2, c2 := bits.Add64(l02, h01, c)
	q3 := h02 + c2
	q1, c = bits.Add64(q1, l10, 0)
	q2, c2 = bits.Add64(q2, h10, c)
	q3 += c2
	q2, c = bits.Add64(q2, l11, 0)
	q3 += h11 + c
	q2, c = bits.Add64(q2, l20, 0)
	q3 += h20 + c
	q3 += a[0]*b[3] + a[1]*b[2] + a[2]*b[1] + a[3]*b[0]
	q[0], q[1], q[2], q[3] = q0, q1, q2, q3
}

// rowGo sets t[0:n], s[0:4] to t[0:n] + a[0:4]·b[0:n]. s may lie behind t.
func rowGo(t, s, a, b []uint64) {
	a0, a1, a2, a3 := a[0], a[1], a[2], a[3]
	var s0, s1, s2, s3 uint64
	t = t[:len(b)]
	for j, w := range b {
		var c, d uint64
		h0, l0 := bits.Mul64(a0, w)
		h1, l1 := bits.Mul64(a1, w)
		h2, l2 := bits.Mul64(a2, w)
		h3, l3 := bits.Mul64(a3, w)
		s0, c = bits.Add64(s0, l0, 0)
		s1, c = bits.Add64(s1, l1, c)
		s2, c = bits.Add64(s2, l2, c)
		s3, c = bits.Add64(s3, l3, c)
		h3 += c
		t[j], d = bits.Add64(s0, t[j], 0)
		s0, d = bits.Add64(s1, h0, d)
		s1, d = bits.Add64(s2, h1, d)
		s2, d = bits.Add64(s3, h2, d)
		s3 = h3 + d
	}
	s[0], s[1], s[2], s[3] = s0, s1, s2, s3
}
