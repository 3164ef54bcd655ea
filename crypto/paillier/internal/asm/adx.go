package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// row multiplies four limbs of a by all of b and adds t: one step for each limb
// of b, four products wide, the low halves on the carry flag's chain and the high
// halves, with t's limb, on the overflow flag's. Five registers hold the open
// columns and take turns; the fourth limb of a stays in memory for want of a
// sixteenth register.
func row() {
	TEXT("adxRow", NOSPLIT, "func(t, s, a, b *uint64, n uint64)")
	Pragma("noescape")
	Doc("adxRow sets t[0:n], s[0:4] to t[0:n] + a[0:4]·b[0:n], low limbs in t and the", "rest in s. n is a multiple of 4. s must not overlap t.")
	t := Load(Param("t"), reg.RDI)
	a := Load(Param("a"), reg.RSI)
	b := Load(Param("b"), reg.RBX)
	n := Load(Param("n"), reg.RCX)
	limbs := []reg.Register{reg.R8, reg.R9, reg.R10}
	for i, l := range limbs {
		MOVQ(Mem{Base: a, Disp: 8 * i}, l)
	}
	open := []reg.Register{reg.R11, reg.R12, reg.R13, reg.R14, reg.R15}
	for _, o := range open[:4] {
		XORQ(o, o)
	}
	low, high := reg.RAX, reg.RBP
	Label("rowStep")
	for step := range 4 {
		o := func(i int) reg.Register { return open[(step+i)%5] }
		MOVQ(Mem{Base: b, Disp: 8 * step}, reg.RDX)
		XORQ(o(4), o(4))
		ADOXQ(Mem{Base: t, Disp: 8 * step}, o(0))
		for i := range 4 {
			if i < 3 {
				MULXQ(limbs[i], low, high)
			} else {
				MULXQ(Mem{Base: a, Disp: 24}, low, high)
			}
			ADCXQ(low, o(i))
			ADOXQ(high, o(i+1))
		}
		MOVQ(U32(0), low)
		ADCXQ(low, o(4))
		MOVQ(o(0), Mem{Base: t, Disp: 8 * step})
	}
	Comment("Four steps leave the columns one register behind: put them back.")
	MOVQ(open[2], open[3])
	MOVQ(open[1], open[2])
	MOVQ(open[0], open[1])
	MOVQ(open[4], open[0])
	ADDQ(Imm(32), t)
	ADDQ(Imm(32), b)
	SUBQ(Imm(4), n)
	JNZ(LabelRef("rowStep"))
	s := Load(Param("s"), reg.RDI)
	for i := range 4 {
		MOVQ(open[i], Mem{Base: s, Disp: 8 * i})
	}
	RET()
}
