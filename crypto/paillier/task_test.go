package paillier

import "testing"

func TestEvenChunk(t *testing.T) {
	for _, c := range []struct{ items, chunk, processors, lanes, want int }{
		{0, 64, 2, 8, 64},
		{1, 64, 2, 8, 8},
		{64, 64, 1, 8, 64},
		{64, 64, 2, 8, 32},
		{65, 64, 2, 8, 40},
		{129, 64, 2, 8, 40},
		{192, 64, 2, 8, 48},
		{8, 8, 2, 8, 8},
		{24, 8, 2, 8, 8},
		{14085, 64, 2, 8, 64},
		{9, 8, 2, 1, 5},
		{9, 3, 2, 8, 3}, // not in whole lanes: left alone
	} {
		if got := evenChunk(c.items, c.chunk, c.processors, c.lanes); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
		if got := evenChunk(c.items, c.chunk, c.processors, c.lanes); got > c.chunk || got < 1 {
			t.Errorf("%+v: %d is out of range", c, got)
		}
	}
}
