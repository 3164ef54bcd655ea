package paillier

import (
	"fmt"
	"io"
	"math/big"
)

// A comb raises fixed bases to secret exponents by a table of every digit at
// every position, base^(d·2^(w·position)), so that a power is one product for
// each digit, and the digits may be drawn rather than computed. Several bases lie
// end to end: the result is the product of their powers.
type comb struct {
	ring      *ring
	positions int
	table     []uint64 // [position][word of a lane][digit]
}

// tooth is one base of a comb and the length of its exponents in bits.
type tooth struct {
	base *big.Int
	bits int
}

func newComb(r *ring, teeth ...tooth) *comb {
	w := r.path.window()
	c := &comb{ring: r}
	var starts [][]uint64 // base^(2^(w·position)), the same in all lanes
	s := r.newScratch()
	for _, tooth := range teeth {
		x := r.element(tooth.base)
		for at := 0; at < tooth.bits; at += w {
			starts = append(starts, append([]uint64(nil), x...))
			for range w {
				r.sqr(x, x, s)
			}
		}
	}
	c.positions = len(starts)
	c.table = make([]uint64, c.positions*c.stride())
	lanes := r.path.lanes()
	x, y := make([]uint64, r.size), make([]uint64, r.size)
	for p := 0; p < c.positions; p += lanes {
		for i := range x {
			x[i] = starts[min(p+i%lanes, c.positions-1)][i]
		}
		copy(y, r.one)
		for d := range 1 << w {
			c.enter(p, d, y)
			r.mul(y, y, x, s)
		}
	}
	return c
}

// stride is the table's words for one position.
func (c *comb) stride() int {
	return c.ring.size / c.ring.path.lanes() << c.ring.path.window()
}

// enter writes the lanes of y to digit d of positions p and following.
func (c *comb) enter(p, d int, y []uint64) {
	lanes, w := c.ring.path.lanes(), c.ring.path.window()
	for i, v := range y {
		if lane := i % lanes; p+lane < c.positions {
			c.table[(p+lane)*c.stride()+i/lanes<<w+d] = v
		}
	}
}

// draw reads the digits of one exponent for each lane of each group: a byte for
// each, [group][position][lane].
func (c *comb) draw(random io.Reader, digits []byte) error {
	if _, err := io.ReadFull(random, digits); err != nil {
		return fmt.Errorf("randomness: %w", err)
	}
	return nil
}

// raise sets the groups elements of z to the powers whose digits are given. The
// time does not depend on the digits. All groups share a look at each position.
func (c *comb) raise(z []uint64, digits []byte, groups int, s *scratch) {
	r, lanes := c.ring, c.ring.path.lanes()
	mask := byte(1<<r.path.window() - 1)
	index := s.index
	for p := range c.positions {
		table := c.table[p*c.stride() : (p+1)*c.stride()]
		for g := range groups {
			for l := range lanes {
				index[l] = uint64(digits[(g*c.positions+p)*lanes+l] & mask)
			}
			to := z[g*r.size : (g+1)*r.size]
			if p == 0 {
				r.path.lookup(to, table, index)
				continue
			}
			r.path.lookup(s.x, table, index)
			r.mul(to, to, s.x, s)
		}
	}
}
