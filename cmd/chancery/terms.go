package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"chancery/chaincode/exchange"
)

// termsFlags are a dataset's terms on the command line.
type termsFlags struct {
	Requesters      []string
	Purposes        []string
	Actions         []string
	MaxUses         int
	MaxDuration     span
	Attestations    int
	Certified       bool
	DeleteWithin    span
	NoOnwardSharing bool
	Delegation      bool
}

func (d *termsFlags) addTo(flags *pflag.FlagSet) {
	flags.StringSliceVar(&d.Requesters, "requester", nil, "department that may ask; may be repeated (empty: any)")
	flags.StringArrayVar(&d.Purposes, "purpose", nil, "purpose that may be named; may be repeated (empty: any)")
	flags.StringSliceVar(&d.Actions, "action", nil, "action that may be asked for: read (the default) or compute")
	flags.IntVar(&d.MaxUses, "max-uses", 0, "uses of a grant at most (default 1)")
	flags.Var(&d.MaxDuration, "max-duration", "validity of a grant at most (default 30d)")
	flags.IntVar(&d.Attestations, "attestations", 0, "departments that must have checked a version before it is redeemed")
	flags.BoolVar(&d.Certified, "certified", false, "an officer must have certified a version before it is redeemed")
	flags.Var(&d.DeleteWithin, "delete-within", "oblige grantees to delete it so long after the release")
	flags.BoolVar(&d.NoOnwardSharing, "no-onward-sharing", false, "oblige grantees to share it with nobody")
	flags.BoolVar(&d.Delegation, "delegation", false, "let grantees delegate what they hold")
}

// apply puts what the flags say into the terms, leaves the rest, and reports
// whether they say anything.
func (d *termsFlags) apply(flags *pflag.FlagSet, to *exchange.Terms) (said bool) {
	for _, field := range []struct {
		flag string
		set  func()
	}{
		{"requester", func() { to.Requesters = named(d.Requesters) }},
		{"purpose", func() { to.Purposes = named(d.Purposes) }},
		{"action", func() { to.Actions = actionsOf(d.Actions) }},
		{"max-uses", func() { to.MaxUses = d.MaxUses }},
		{"max-duration", func() { to.MaxDuration = d.MaxDuration.seconds() }},
		{"attestations", func() { to.Attestations = d.Attestations }},
		{"certified", func() { to.Certified = d.Certified }},
		{"delete-within", func() { to.Obligations.DeleteWithin = d.DeleteWithin.seconds() }},
		{"no-onward-sharing", func() { to.Obligations.NoOnwardSharing = d.NoOnwardSharing }},
		{"delegation", func() { to.Delegation = d.Delegation }},
	} {
		if flags.Changed(field.flag) {
			field.set()
			said = true
		}
	}
	return said
}

// named leaves out the empty word, by which a flag says that any will do.
func named(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool { return word == "" })
}

// defaultDuration bounds a grant where neither flag nor document does.
const defaultDuration = 30 * 24 * 3600 // seconds

// complete gives new terms the defaults of what neither flags nor document say.
// A document cannot ask for zero uses, a flag can, to be refused.
func (d *termsFlags) complete(flags *pflag.FlagSet, to *exchange.Terms) {
	if to.Actions == nil {
		to.Actions = []exchange.Action{exchange.Read}
	}
	if to.MaxUses == 0 && !flags.Changed("max-uses") {
		to.MaxUses = 1
	}
	if to.MaxDuration == 0 {
		to.MaxDuration = defaultDuration
	}
}

// addTerms prints a dataset's terms.
func addTerms(f *fields, t exchange.Terms) {
	f.add("requesters", "%s", anyOf(t.Requesters))
	f.add("purposes", "%s", anyOf(t.Purposes))
	f.add("actions", "%s", joined(t.Actions))
	f.add("uses at most", "%d", t.MaxUses)
	f.add("duration at most", "%s", spanText(t.MaxDuration))
	f.add("needed to redeem", "%s", demandsText(t.Attestations, t.Certified))
	f.add("obligations", "%s", obligationsText(t.Obligations))
	f.add("delegation", "%s", yesNo(t.Delegation))
}

// demandsText prints what a version needs before it is redeemed.
func demandsText(attestations int, certified bool) string {
	var parts []string
	switch attestations {
	case 0:
	case 1:
		parts = append(parts, "1 good attestation")
	default:
		parts = append(parts, fmt.Sprintf("%d good attestations", attestations))
	}
	if certified {
		parts = append(parts, "a certification by the owner")
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, " and ")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
