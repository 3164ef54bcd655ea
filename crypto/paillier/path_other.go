//go:build !amd64 || purego

package paillier

// paths returns this machine's paths, fastest first.
func paths() []path { return []path{pathGo} }
