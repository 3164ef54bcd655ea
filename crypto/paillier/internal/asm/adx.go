package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// One number in 64-bit words. A row multiplies four words of a by all of b and
// adds t: one step for each word of b, four products wide, the low halves on the
// carry flag's chain and the high halves, with t's word, on the overflow flag's.
// Five registers hold the open columns and take turns; the fourth word of a stays
// in memory for want of a sixteenth register.
var (
	words = []reg.Register{reg.R8, reg.R9, reg.R10}
	open  = []reg.Register{reg.R11, reg.R12, reg.R13, reg.R14, reg.R15}

	adxT, adxA, adxB, adxN = reg.RDI, reg.RSI, reg.RBX, reg.RCX
	low, high              = reg.RAX, reg.RBP
)

func word(base reg.Register, i int) Mem { return Mem{Base: base, Disp: 8 * i} }

// rowSteps leaves the low columns in t and the last four in open[0:4], with t
// just behind the columns it wrote. It changes t, b and n.
func rowSteps(name string) {
	for i, w := range words {
		MOVQ(word(adxA, i), w)
	}
	for _, o := range open[:4] {
		XORQ(o, o)
	}
	Label(name)
	for step := range 4 {
		o := func(i int) reg.Register { return open[(step+i)%5] }
		MOVQ(word(adxB, step), reg.RDX)
		XORQ(o(4), o(4))
		ADOXQ(word(adxT, step), o(0))
		for i := range 4 {
			if i < 3 {
				MULXQ(words[i], low, high)
			} else {
				MULXQ(word(adxA, 3), low, high)
			}
			ADCXQ(low, o(i))
			ADOXQ(high, o(i+1))
		}
		MOVQ(U32(0), low)
		ADCXQ(low, o(4))
		MOVQ(o(0), word(adxT, step))
	}
	Comment("Four steps leave the columns one register behind: put them back.")
	MOVQ(open[2], open[3])
	MOVQ(open[1], open[2])
	MOVQ(open[0], open[1])
	MOVQ(open[4], open[0])
	ADDQ(Imm(32), adxT)
	ADDQ(Imm(32), adxB)
	SUBQ(Imm(4), adxN)
	JNZ(LabelRef(name))
}

func product() {
	TEXT("adxProduct", NOSPLIT, "func(t, a, b *uint64, an, bn uint64)")
	Pragma("noescape")
	Doc("adxProduct sets t[0:an+bn] to t[0:bn] + a[0:an]·b[0:bn]; what was above is", "lost. an and bn are multiples of 4.")
	rows, tAt := AllocLocal(8), AllocLocal(8)
	Load(Param("t"), adxT)
	Load(Param("a"), adxA)
	MOVQ(adxT, tAt)
	MOVQ(loadTo("an", low), rows)
	Label("productRow")
	MOVQ(tAt, adxT)
	Load(Param("b"), adxB)
	Load(Param("bn"), adxN)
	rowSteps("productStep")
	for i := range 4 {
		MOVQ(open[i], word(adxT, i))
	}
	ADDQ(Imm(32), adxA)
	ADDQ(Imm(32), tAt)
	SUBQ(Imm(4), rows)
	JNZ(LabelRef("productRow"))
	RET()
}

func loadTo(name string, r reg.Register) reg.Register {
	Load(Param(name), r)
	return r
}

// accumulate writes products that add to all of t, and reductions, whose rows are
// quotients.
func accumulate(name string, quotient bool, doc ...string) {
	TEXT(name, NOSPLIT, "func(t, a, b, inv *uint64, n uint64) uint64")
	Pragma("noescape")
	Doc(doc...)
	rows, tAt, carry := AllocLocal(8), AllocLocal(8), AllocLocal(8)
	Load(Param("t"), adxT)
	Load(Param("a"), adxA)
	MOVQ(adxT, tAt)
	MOVQ(loadTo("n", low), rows)
	MOVQ(U32(0), carry)
	Label(name + "Row")
	MOVQ(tAt, adxT)
	if quotient {
		fourWords()
	}
	Load(Param("b"), adxB)
	Load(Param("n"), adxN)
	rowSteps(name + "Step")
	Comment("Restore the last row's carry, add, keep the new one.")
	MOVQ(carry, low)
	ADDQ(I32(-1), low)
	for i := range 4 {
		ADCQ(open[i], word(adxT, i))
	}
	SBBQ(low, low)
	NEGQ(low)
	MOVQ(low, carry)
	ADDQ(Imm(32), adxA)
	ADDQ(Imm(32), tAt)
	SUBQ(Imm(4), rows)
	JNZ(LabelRef(name + "Row"))
	MOVQ(carry, low)
	Store(low, ReturnIndex(0))
	RET()
}

// fourWords sets a[0:4] to t[0:4]·inv modulo 2^256.
func fourWords() {
	inv, x, y := adxB, low, high
	q := open[:4]
	Load(Param("inv"), inv)
	MOVQ(word(adxT, 0), reg.RDX)
	MULXQ(word(inv, 0), q[0], q[1])
	MULXQ(word(inv, 1), x, q[2])
	ADDQ(x, q[1])
	MULXQ(word(inv, 2), x, q[3])
	ADCQ(x, q[2])
	MULXQ(word(inv, 3), x, y)
	ADCQ(x, q[3])
	MOVQ(word(adxT, 1), reg.RDX)
	MULXQ(word(inv, 2), reg.R8, y)
	MULXQ(word(inv, 0), x, y)
	ADDQ(x, q[1])
	ADCQ(y, q[2])
	ADCQ(reg.R8, q[3])
	MULXQ(word(inv, 1), x, y)
	ADDQ(x, q[2])
	ADCQ(y, q[3])
	MOVQ(word(adxT, 2), reg.RDX)
	MULXQ(word(inv, 1), reg.R8, y)
	MULXQ(word(inv, 0), x, y)
	ADDQ(x, q[2])
	ADCQ(y, q[3])
	ADDQ(reg.R8, q[3])
	MOVQ(word(adxT, 3), reg.RDX)
	MULXQ(word(inv, 0), x, y)
	ADDQ(x, q[3])
	for i := range 4 {
		MOVQ(q[i], word(adxA, i))
	}
}
