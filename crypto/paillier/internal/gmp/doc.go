//go:build !gmp || !cgo

// Package gmp is empty without -tags gmp and cgo: it serves benchmarks only.
package gmp
