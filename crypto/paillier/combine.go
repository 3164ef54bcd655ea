package paillier

// combine returns the product of c[i]^weights[i]. Operands lie in lanes, so that
// each lane collects its own product; the lanes are multiplied at the end.
// Weights go bit by bit from the highest, all sharing the squarings (Straus).
func (pk *PublicKey) combine(c []*Ciphertext, weights []int64) (*Ciphertext, error) {
	positive, negative := make([]*Ciphertext, 0, len(c)), make([]*Ciphertext, 0, len(c))
	var up, down []uint64
	for i, w := range weights {
		switch {
		case w > 0:
			positive, up = append(positive, c[i]), append(up, uint64(w))
		case w < 0:
			negative, down = append(negative, c[i]), append(down, magnitude(w))
		}
	}
	if len(positive)+len(negative) == 0 {
		return nil, ErrCiphertextBare
	}
	minus := pk.powerProduct(negative, down)
	if err := pk.negate(minus); err != nil {
		return nil, err
	}
	plus := pk.powerProduct(positive, up)
	return pk.result(pk.multiply(plus, minus))
}

// powerProduct returns the words of the product of c[i]^weights[i] modulo n².
func (pk *PublicKey) powerProduct(c []*Ciphertext, weights []uint64) []uint64 {
	e := pk.engine()
	w := e.take()
	defer e.give(w)
	r, lanes := e.r, e.r.path.lanes()
	total := make([]uint64, 2*pk.size)
	total[0] = 1
	words := make([]uint64, 2*pk.size)
	const groupLimit = 64
	for len(c) > 0 {
		n := min(len(c), groupLimit*lanes)
		pk.enterAll(w, c[:n])
		pk.straus(w, weights[:n])
		r.leave(w.x, w.x, w.s)
		r.join(w.wide, w.x)
		for l := range lanes {
			r.store(words, w.wide[:r.size], l)
			copy(total, wordsOf(pk.multiply(total, words), 2*pk.size))
		}
		c, weights = c[n:], weights[n:]
	}
	return total
}

// enterAll puts c into w.many, an element for each lane's worth.
func (pk *PublicKey) enterAll(w *workspace, c []*Ciphertext) {
	r, lanes := pk.engine().r, pk.engine().r.path.lanes()
	groups := (len(c) + lanes - 1) / lanes
	if len(w.many) < groups*r.size {
		w.many = make([]uint64, groups*r.size)
	}
	for g := range groups {
		pk.loadWire(w, c[g*lanes:min((g+1)*lanes, len(c))])
		r.enter(w.many[g*r.size:(g+1)*r.size], w.wide[:r.size], w.s)
	}
}

// straus sets w.x to each lane's product of w.many to the weights.
func (pk *PublicKey) straus(w *workspace, weights []uint64) {
	r, lanes := pk.engine().r, pk.engine().r.path.lanes()
	bits := uint64(0)
	for _, v := range weights {
		bits |= v
	}
	top := 63
	for top > 0 && bits>>top == 0 {
		top--
	}
	copy(w.x, r.one)
	for bit := top; bit >= 0; bit-- {
		if bit < top {
			r.sqr(w.x, w.x, w.s)
		}
		for g := 0; g*lanes < len(weights); g++ {
			set, all := 0, weights[g*lanes:min((g+1)*lanes, len(weights))]
			for _, v := range all {
				set += int(v >> bit & 1)
			}
			x := w.many[g*r.size : (g+1)*r.size]
			switch set {
			case 0:
				continue
			case lanes:
				r.mul(w.x, w.x, x, w.s)
				continue
			}
			copy(w.y, r.one)
			for l, v := range all {
				if v>>bit&1 == 1 {
					for i := l; i < r.size; i += lanes {
						w.y[i] = x[i]
					}
				}
			}
			r.mul(w.x, w.x, w.y, w.s)
		}
	}
}
