package main

import (
	"reflect"
	"testing"

	"github.com/spf13/pflag"

	"chancery/chaincode/exchange"
)

// TestTermsFlags changes what the flags name and leaves the rest.
func TestTermsFlags(t *testing.T) {
	now := exchange.Terms{
		Requesters: []string{"health"}, Purposes: []string{"planning, and more"}, Actions: []exchange.Action{exchange.Read},
		MaxUses: 2, MaxDuration: 3600, Attestations: 1, Certified: true, Obligations: exchange.Obligations{DeleteWithin: 60},
	}
	for _, tc := range []struct {
		args []string
		want func(*exchange.Terms)
	}{
		{nil, func(*exchange.Terms) {}},
		{[]string{"--requester=", "--purpose="}, func(t *exchange.Terms) { t.Requesters, t.Purposes = []string{}, []string{} }},
		{[]string{"--requester=health,labor", "--purpose=one, two"}, func(t *exchange.Terms) {
			t.Requesters, t.Purposes = []string{"health", "labor"}, []string{"one, two"}
		}},
		{[]string{"--action=compute", "--max-uses=0"}, func(t *exchange.Terms) { t.Actions, t.MaxUses = []exchange.Action{exchange.Compute}, 0 }},
		{[]string{"--certified=false", "--attestations=0", "--delegation"}, func(t *exchange.Terms) {
			t.Certified, t.Attestations, t.Delegation = false, 0, true
		}},
		{[]string{"--max-duration=2d", "--delete-within=1d", "--no-onward-sharing"}, func(t *exchange.Terms) {
			t.MaxDuration, t.Obligations = 172800, exchange.Obligations{DeleteWithin: 86400, NoOnwardSharing: true}
		}},
	} {
		var d termsFlags
		flags := pflag.NewFlagSet("terms", pflag.ContinueOnError)
		d.addTo(flags)
		if err := flags.Parse(tc.args); err != nil {
			t.Fatal(err)
		}
		got, want := now, now
		tc.want(&want)
		if said := d.apply(flags, &got); said != (len(tc.args) > 0) || !reflect.DeepEqual(got, want) {
			t.Errorf("%q says %t: %+v, want %+v", tc.args, said, got, want)
		}
	}
}

func TestDemandsText(t *testing.T) {
	for _, tc := range []struct {
		attestations int
		certified    bool
		want         string
	}{
		{0, false, "nothing"}, {1, false, "1 good attestation"}, {2, true, "2 good attestations and a certification by the owner"},
		{0, true, "a certification by the owner"},
	} {
		if got := demandsText(tc.attestations, tc.certified); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}
