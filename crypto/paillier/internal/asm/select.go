package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func twice() {
	TEXT("ifmaTwice", NOSPLIT, "func(r, a *uint64, blocks uint64)")
	Pragma("noescape")
	Doc("ifmaTwice sets r to 2·a, carried as a is, blocks·10 vectors each.")
	r := Load(Param("r"), reg.RDI)
	a := Load(Param("a"), reg.RSI)
	blocks := Load(Param("blocks"), reg.RCX)
	mask, out := z[20], z[21]
	VPTERNLOGQ(Imm(0xff), mask, mask, mask)
	VPSRLQ(Imm(12), mask, mask)
	VPXORQ(out, out, out)
	Label("twiceBlock")
	for i := range block {
		x := z[i]
		VMOVDQU64(at(a, i), x)
		VPSRLQ(Imm(51), x, z[10+i])
		VPADDQ(x, x, x)
		Comment("(x and mask) or the bit below")
		VPTERNLOGQ(Imm(0xea), out, mask, x)
		out = z[10+i]
		VMOVDQU64(x, at(r, i))
	}
	VMOVDQA64(out, z[21])
	ADDQ(U32(span), a)
	ADDQ(U32(span), r)
	DECQ(blocks)
	JNZ(LabelRef("twiceBlock"))
	VZEROUPPER()
	RET()
}

// lookup selects within registers, by permutation: no address depends on an
// index.
func lookup() {
	TEXT("ifmaLookup", NOSPLIT, "func(r, table, index *uint64, vectors uint64)")
	Pragma("noescape")
	Doc("ifmaLookup sets lane l of vector v of r to table[64·v + index[l]]; indices are", "below 64.")
	r := Load(Param("r"), reg.RDI)
	table := Load(Param("table"), reg.RSI)
	index := Load(Param("index"), reg.RDX)
	count := Load(Param("vectors"), reg.RCX)
	idx, t := z[0], z[1]
	VMOVDQU64(Mem{Base: index}, idx)
	for bit, k := range []reg.OpmaskPhysical{reg.K1, reg.K2} {
		VPSLLQ(Imm(uint64(63-4-bit)), idx, t)
		VPMOVQ2M(t, k)
	}
	Label("lookupVector")
	for i := range 4 {
		VMOVDQU64(at(table, 2*i), z[4+i])
		VMOVDQA64(idx, z[8+i])
		VPERMI2Q(at(table, 2*i+1), z[4+i], z[8+i])
	}
	VPBLENDMQ(z[9], z[8], reg.K1, z[8])
	VPBLENDMQ(z[11], z[10], reg.K1, z[10])
	VPBLENDMQ(z[10], z[8], reg.K2, z[8])
	VMOVDQU64(z[8], Mem{Base: r})
	ADDQ(U32(8*vec), table)
	ADDQ(Imm(vec), r)
	DECQ(count)
	JNZ(LabelRef("lookupVector"))
	VZEROUPPER()
	RET()
}

// scan reads every entry and keeps one by a mask, in the table's own order: it is
// larger than the nearest cache, and such reads are foreseen.
func scan() {
	const group = 10
	TEXT("ifmaScan", NOSPLIT, "func(r, table *uint64, entries, groups, index uint64)")
	Pragma("noescape")
	Doc("ifmaScan copies entry number index of table to r. An entry is groups·10 vectors;", "the table holds the first group of all entries, then the second, and so on.")
	r := Load(Param("r"), reg.RDI)
	table := Load(Param("table"), reg.RSI)
	entries := Load(Param("entries"), reg.RDX)
	groups := Load(Param("groups"), reg.RCX)
	index := Load(Param("index"), reg.RAX)
	wanted, now, oneVec, mask := z[20], z[21], z[22], z[23]
	VPBROADCASTQ(index, wanted)
	MOVQ(U32(1), reg.R8)
	VPBROADCASTQ(reg.R8, oneVec)
	Label("scanGroup")
	for i := range group {
		VPXORQ(z[i], z[i], z[i])
	}
	VPXORQ(now, now, now)
	move(entries, reg.R11)
	Label("scanEntry")
	VPCMPEQQ(now, wanted, reg.K1)
	VPMOVM2Q(reg.K1, mask)
	for i := range group {
		VPTERNLOGQ(Imm(0xf8), at(table, i), mask, z[i])
	}
	VPADDQ(oneVec, now, now)
	ADDQ(U32(group*vec), table)
	DECQ(reg.R11)
	JNZ(LabelRef("scanEntry"))
	for i := range group {
		VMOVDQU64(z[i], at(r, i))
	}
	ADDQ(U32(group*vec), r)
	DECQ(groups)
	JNZ(LabelRef("scanGroup"))
	VZEROUPPER()
	RET()
}
