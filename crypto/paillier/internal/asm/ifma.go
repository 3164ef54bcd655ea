package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Eight numbers side by side: limb i of all of them is the vector at 64·i bytes,
// 52 bits of each 64-bit lane. VPMADD52LUQ and VPMADD52HUQ add the low and high
// 52 bits of a product to a 64-bit lane, so that carries can wait: the sums of
// the longest number stay below 2^61.
//
// Products are formed in rows of ten limbs of one factor, which stay in
// registers, over all limbs of the other. Column j+i receives the low half of
// a[i]·b[j] and the high half of a[i]·b[j-1]; ten columns are open at a time, in
// registers that take turns. A step closes one column: 20 multiply-adds for two
// loads and a store, in chains that are 10 instructions apart.
const (
	block = 10
	vec   = 64
	span  = block * vec
)

var z = []reg.VecPhysical{
	reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
	reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
	reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
	reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
}

// row limbs, open columns, the current and the previous limb of b.
func limb(i int) reg.VecPhysical   { return z[i] }
func column(i int) reg.VecPhysical { return z[block+i%block] }

var current = [2]reg.VecPhysical{z[20], z[21]}

func at(base reg.Register, i int) Mem { return Mem{Base: base, Disp: vec * i} }

// sweep runs over count blocks of b (and of the columns t), then closes the last
// ten columns. The previous limb of b must be in current[1]. It changes t, b and
// count.
func sweep(name string, t, b, count reg.Register) {
	Label(name)
	steps(t, b, func(j int) { VMOVDQU64(at(t, j+block), column(j)) })
	DECQ(count)
	JNZ(LabelRef(name))
	closeColumns(t)
}

// sweepFresh is sweep where the last ten columns were never written: they begin at
// 0. The columns that open, but for those, are read from opens, which is t or
// what stands in its place; it changes opens too.
func sweepFresh(name string, t, b, count, opens reg.Register) {
	DECQ(count)
	JZ(LabelRef(name + "Last"))
	Label(name)
	steps(t, b, func(j int) { VMOVDQU64(at(opens, j+block), column(j)) })
	if opens != t {
		ADDQ(U32(span), opens)
	}
	DECQ(count)
	JNZ(LabelRef(name))
	Label(name + "Last")
	steps(t, b, func(j int) { VPXORQ(column(j), column(j), column(j)) })
	closeColumns(t)
}

// steps are ten steps of a row; open gives column j, once it is stored, the next
// column's value.
func steps(t, b reg.Register, open func(j int)) {
	for j := range block {
		now, before := current[j%2], current[(j+1)%2]
		VMOVDQU64(at(b, j), now)
		for i := range block {
			VPMADD52LUQ(now, limb(i), column(j+i))
		}
		for i := range block {
			VPMADD52HUQ(before, limb(i), column(j+i))
		}
		VMOVDQU64(column(j), at(t, j))
		open(j)
	}
	ADDQ(U32(span), t)
	ADDQ(U32(span), b)
}

func closeColumns(t reg.Register) {
	for i := range block {
		VPMADD52HUQ(current[1], limb(i), column(i))
		VMOVDQU64(column(i), at(t, i))
	}
}

func loadBlock(base reg.Register, to func(int) reg.VecPhysical) {
	for i := range block {
		VMOVDQU64(at(base, i), to(i))
	}
}

func move(from, to Op) { MOVQ(from, to) }

// multiplyRows writes products: with fresh, of columns that begin at low's below and
// at 0 above, else of columns that hold sums.
func multiplyRows(name string, fresh bool, signature string, doc ...string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(doc...)
	t := Load(Param("t"), reg.RDI)
	a := Load(Param("a"), reg.RSI)
	b := Load(Param("b"), reg.RDX)
	blocks := Load(Param("blocks"), reg.RCX)
	rows, opens := reg.R8, reg.R12
	move(blocks, rows)
	if fresh {
		Load(Param("low"), opens)
	} else {
		move(t, opens)
	}
	Label(name + "Row")
	loadBlock(a, limb)
	loadBlock(opens, column)
	VPXORQ(current[1], current[1], current[1])
	move(t, reg.R9)
	move(b, reg.R10)
	move(blocks, reg.R11)
	if fresh {
		sweepFresh(name+"Sweep", reg.R9, reg.R10, reg.R11, opens)
	} else {
		sweep(name+"Sweep", reg.R9, reg.R10, reg.R11)
	}
	ADDQ(U32(span), a)
	ADDQ(U32(span), t)
	move(t, opens)
	DECQ(rows)
	JNZ(LabelRef(name + "Row"))
	VZEROUPPER()
	RET()
}

func multiply() {
	multiplyRows("ifmaMul", true, "func(t, a, b, low *uint64, blocks uint64)",
		"ifmaMul sets the blocks·20 open sums of t to the product of a and b, blocks·10",
		"vectors each, plus low, as long as a. t and low may be the same.")
	multiplyRows("ifmaMulAcc", false, "func(t, a, b *uint64, blocks uint64)",
		"ifmaMulAcc adds the product of a and b, blocks·10 vectors each, to the",
		"blocks·20 open sums of t.")
}

func square() {
	TEXT("ifmaSquare", NOSPLIT, "func(t, a, zero *uint64, blocks uint64)")
	Pragma("noescape")
	Doc("ifmaSquare leaves the square of a, blocks·10 vectors, in the blocks·20 open", "sums of t. zero is as long as a, and 0.")
	t := Load(Param("t"), reg.RDI)
	a := Load(Param("a"), reg.RSI)
	blocks := Load(Param("blocks"), reg.RCX)
	rows := reg.R8

	Comment("Products of different blocks, once. None reaches the first and the last ten.")
	opens := reg.RBX
	Load(Param("zero"), opens)
	move(blocks, rows)
	move(blocks, reg.R9)
	SHLQ(Imm(1), reg.R9)
	IMUL3Q(U32(span), reg.R9, reg.R9)
	ADDQ(t, reg.R9)
	VPXORQ(z[0], z[0], z[0])
	for i := range block {
		VMOVDQU64(z[0], at(t, i))
		VMOVDQU64(z[0], at(reg.R9, i-block))
	}
	move(t, reg.R12)
	move(a, reg.R13)
	DECQ(rows)
	JZ(LabelRef("squareDiagonal"))
	Label("squareRow")
	loadBlock(reg.R13, limb)
	ADDQ(U32(span), reg.R12)
	ADDQ(U32(span), reg.R13)
	loadBlock(opens, column)
	VPXORQ(current[1], current[1], current[1])
	move(reg.R12, reg.R9)
	move(reg.R13, reg.R10)
	move(rows, reg.R11)
	sweepFresh("squareSweep", reg.R9, reg.R10, reg.R11, opens)
	ADDQ(U32(span), reg.R12)
	LEAQ(Mem{Base: reg.R12, Disp: span}, opens)
	DECQ(rows)
	JNZ(LabelRef("squareRow"))

	Comment("Within each block: different limbs once, doubled with all the rest, then squares.")
	Label("squareDiagonal")
	wide := func(i int) reg.VecPhysical { return z[block+i] }
	loadBlock(a, limb)
	for i := range 2 * block {
		VMOVDQU64(at(t, i), wide(i))
	}
	for d := 1; d < block; d++ {
		for i := 0; i+d < block; i++ {
			VPMADD52LUQ(limb(i), limb(i+d), wide(2*i+d))
			VPMADD52HUQ(limb(i), limb(i+d), wide(2*i+d+1))
		}
	}
	for i := range 2 * block {
		VPADDQ(wide(i), wide(i), wide(i))
	}
	for i := range block {
		VPMADD52LUQ(limb(i), limb(i), wide(2*i))
		VPMADD52HUQ(limb(i), limb(i), wide(2*i+1))
	}
	for i := range 2 * block {
		VMOVDQU64(wide(i), at(t, i))
	}
	ADDQ(U32(span), a)
	ADDQ(U32(2*span), t)
	DECQ(blocks)
	JNZ(LabelRef("squareDiagonal"))
	VZEROUPPER()
	RET()
}

// reduce is Montgomery's reduction in rows of ten: the quotient limbs of a row
// come one after another from the lowest open column, then sweep over n. The
// column that a quotient limb clears becomes a multiple of 2^52 by less than
// 2^52, so that its carry is known before the quotient is. The products of a limb
// that the next one does not wait for fill the time until that one is there.
func reduce() {
	TEXT("ifmaReduce", NOSPLIT, "func(u, t, n, k, inv *uint64, blocks uint64)")
	Pragma("noescape")
	Doc("ifmaReduce leaves (t + q·n)/2^(520·blocks) in the upper half of t's blocks·20",
		"open sums, and sets u to k - q, limb by limb, where q = -t/n modulo",
		"2^(520·blocks). inv is -1/n modulo 2^52, one for each lane.")
	u := Load(Param("u"), reg.RSI)
	t := Load(Param("t"), reg.RDI)
	n := Load(Param("n"), reg.RDX)
	k := Load(Param("k"), reg.RBX)
	inv := Load(Param("inv"), reg.RAX)
	blocks := Load(Param("blocks"), reg.RCX)
	rows := reg.R8
	move(blocks, rows)
	modulus := func(i int) reg.VecPhysical { return z[22+i] }
	mask := z[21]
	Label("reduceRow")
	VPTERNLOGQ(Imm(0xff), mask, mask, mask)
	VPSRLQ(Imm(12), mask, mask)
	loadBlock(n, modulus)
	loadBlock(t, column)
	// bulk adds the products of quotient limb i with n's limbs from to to.
	bulk := func(i, from, to int) {
		for j := from; i >= 0 && j < to; j++ {
			VPMADD52LUQ(modulus(j), limb(i), column(i+j))
			VPMADD52HUQ(modulus(j-1), limb(i), column(i+j))
		}
	}
	for i := range block {
		q, low, next := limb(i), column(i), column(i+1)
		VPXORQ(q, q, q)
		VPMADD52LUQ(Mem{Base: inv}, low, q)
		VPADDQ(mask, low, low)
		VPSRLQ(Imm(52), low, low)
		bulk(i-1, 6, block)
		VPMADD52HUQ(modulus(0), q, low)
		VPMADD52LUQ(modulus(1), q, next)
		VPADDQ(low, next, next)
		VMOVDQU64(at(t, i+block), low)
		bulk(i, 2, 6)
		VMOVDQU64(at(k, i), current[0])
		VPSUBQ(q, current[0], current[0])
		VMOVDQU64(current[0], at(u, i))
	}
	bulk(block-1, 6, block)
	ADDQ(U32(span), u)
	ADDQ(U32(span), k)
	VMOVDQA64(modulus(block-1), current[1])
	ADDQ(U32(span), t)
	move(t, reg.R9)
	LEAQ(Mem{Base: n, Disp: span}, reg.R10)
	move(blocks, reg.R11)
	DECQ(reg.R11)
	JZ(LabelRef("reduceClose"))
	sweep("reduceSweep", reg.R9, reg.R10, reg.R11)
	JMP(LabelRef("reduceNext"))
	Label("reduceClose")
	closeColumns(reg.R9)
	Label("reduceNext")
	DECQ(rows)
	JNZ(LabelRef("reduceRow"))

	VZEROUPPER()
	RET()
}

// carry takes two digits at a time: each limb waits for the one before, and the two
// do not wait for each other.
func carry() {
	TEXT("ifmaCarry", NOSPLIT, "func(r, t, s, u *uint64, blocks uint64)")
	Pragma("noescape")
	Doc("ifmaCarry sets r to the blocks·10 open sums of t, carried, and s to those of u.")
	r := Load(Param("r"), reg.RSI)
	t := Load(Param("t"), reg.RDI)
	s := Load(Param("s"), reg.RAX)
	u := Load(Param("u"), reg.RBX)
	blocks := Load(Param("blocks"), reg.RCX)
	first, second, mask, x, y := z[0], z[1], z[2], z[3], z[4]
	VPXORQ(first, first, first)
	VPXORQ(second, second, second)
	VPTERNLOGQ(Imm(0xff), mask, mask, mask)
	VPSRLQ(Imm(12), mask, mask)
	Label("carryBlock")
	for i := range block {
		VPADDQ(at(t, i), first, x)
		VPADDQ(at(u, i), second, y)
		VPSRLQ(Imm(52), x, first)
		VPSRLQ(Imm(52), y, second)
		VPANDQ(mask, x, x)
		VPANDQ(mask, y, y)
		VMOVDQU64(x, at(r, i))
		VMOVDQU64(y, at(s, i))
	}
	for _, p := range []reg.Register{r, t, s, u} {
		ADDQ(U32(span), p)
	}
	DECQ(blocks)
	JNZ(LabelRef("carryBlock"))
	VZEROUPPER()
	RET()
}
