package paillier

import (
	"encoding/binary"
	"math/big"
)

// wordsOf returns x as size little-endian words. x must fit.
func wordsOf(x *big.Int, size int) []uint64 {
	w := make([]uint64, size)
	putWords(w, x, make([]byte, 8*size))
	return w
}

// putWords writes x to w as little-endian words; buf has 8 bytes for each.
func putWords(w []uint64, x *big.Int, buf []byte) {
	buf = buf[:8*len(w)]
	x.FillBytes(buf)
	wordsFromBytes(w, buf)
}

// wordsFromBytes reads big-endian bytes, 8 for each word of w.
func wordsFromBytes(w []uint64, b []byte) {
	for i := range w {
		w[i] = binary.BigEndian.Uint64(b[len(b)-8*(i+1):])
	}
}

// bytesFromWords writes w as big-endian bytes, 8 for each word.
func bytesFromWords(b []byte, w []uint64) {
	for i, x := range w {
		binary.BigEndian.PutUint64(b[len(b)-8*(i+1):], x)
	}
}

// setWords sets z to the value of w; buf has 8 bytes for each word.
func setWords(z *big.Int, w []uint64, buf []byte) *big.Int {
	buf = buf[:8*len(w)]
	bytesFromWords(buf, w)
	return z.SetBytes(buf)
}

// intOf returns the value of w as a new integer.
func intOf(w []uint64) *big.Int {
	return setWords(new(big.Int), w, make([]byte, 8*len(w)))
}
