//go:build gmp && cgo

// Package gmp is the little of GMP that crypto/paillier is measured against. It
// needs libgmp-dev and -tags gmp, and serves benchmarks only.
package gmp

/*
#cgo LDFLAGS: -lgmp
#include <gmp.h>
#include <stdlib.h>
*/
import "C"

import (
	"math/big"
	"unsafe"
)

// Int is an mpz_t that is never freed.
type Int struct{ z C.mpz_t }

// New returns the value of v.
func New(v *big.Int) *Int {
	x := new(Int)
	text := C.CString(v.Text(16))
	defer C.free(unsafe.Pointer(text))
	C.mpz_init_set_str(&x.z[0], text, 16)
	return x
}

// Int returns the value.
func (x *Int) Int() *big.Int {
	text := C.mpz_get_str(nil, 16, &x.z[0])
	defer C.free(unsafe.Pointer(text))
	v, _ := new(big.Int).SetString(C.GoString(text), 16)
	return v
}

// Mul sets x to a·b.
func (x *Int) Mul(a, b *Int) { C.mpz_mul(&x.z[0], &a.z[0], &b.z[0]) }

// Add sets x to a + b.
func (x *Int) Add(a, b *Int) { C.mpz_add(&x.z[0], &a.z[0], &b.z[0]) }

// Sub sets x to a - b.
func (x *Int) Sub(a, b *Int) { C.mpz_sub(&x.z[0], &a.z[0], &b.z[0]) }

// Mod sets x to a modulo b, not negative.
func (x *Int) Mod(a, b *Int) { C.mpz_mod(&x.z[0], &a.z[0], &b.z[0]) }

// Div sets x to a / b, which must be whole.
func (x *Int) Div(a, b *Int) { C.mpz_divexact(&x.z[0], &a.z[0], &b.z[0]) }

// Powm sets x to a^e modulo m.
func (x *Int) Powm(a, e, m *Int) { C.mpz_powm(&x.z[0], &a.z[0], &e.z[0], &m.z[0]) }

// NextPrime sets x to the prime after a.
func (x *Int) NextPrime(a *Int) { C.mpz_nextprime(&x.z[0], &a.z[0]) }
