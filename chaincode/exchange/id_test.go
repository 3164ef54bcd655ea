package exchange

import (
	"strings"
	"testing"
)

// TestNewID pins ids that ledgers hold.
func TestNewID(t *testing.T) {
	for want, got := range map[string]string{
		"o-u7fqz4f4ghd67wzta26hnfzdml": NewID(NounObject, "CensusMSP", "publish-1"),
		"r-mce4kqfgblqrob2hdiooucjduv": NewID(NounRequest, "HealthMSP", "ask-1"),
		"g-46bjc5ui3enl2i25uftfnuzrpn": NewID(NounGrant, "CensusMSP", "give-1"),
		"c-eiy5odoybaxdtrroqwim6jcu6i": NewID(NounOperation, "CensusMSP", "give-1"),
		"d-iqf5pdicnbxm6rtl6thbr4pvqk": DatasetID("CensusMSP", "population"),
		"k-apehpqxrlizmr3bdyux6rxlp33": KeyringID("LaborMSP", "statistics"),
		"j-5cd5ct4nobjax565w2lpn5loyg": NewID(NounJob, "HealthMSP", "ask-1"),
		"g-437pxnitfl5dztfz5jqg7n5zpb": JobGrantID(NewID(NounJob, "HealthMSP", "ask-1"), 2),
		"f-aplg3ueigxa4upysrthkzuptdl": OfficerID([]byte("certificate")),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	seen := make(map[string]string)
	for _, noun := range []Noun{NounObject, NounRequest, NounGrant, NounOperation, NounKeyring, NounJob} {
		for _, msp := range []string{"A", "AB", ""} {
			for _, command := range []string{"B", "BC", "C", ""} {
				id, name := NewID(noun, msp, command), string(noun)+"|"+msp+"|"+command
				if other := seen[id]; other != "" || !ValidID(noun, id) {
					t.Errorf("%s and %s are both %s", name, other, id)
				}
				seen[id] = name
			}
		}
	}
}

func TestValid(t *testing.T) {
	id := NewID(NounGrant, "m", "c")
	long := strings.Repeat("a", 64)
	for _, tc := range []struct {
		name string
		ok   func(string) bool
		good []string
		bad  []string
	}{
		{"id", func(s string) bool { return ValidID(NounGrant, s) }, []string{id},
			[]string{"", "g-", id + "a", id[:27], "r" + id[1:], strings.ToUpper(id), id + "\n", "g-" + strings.Repeat("1", 26)}},
		{"name", ValidName, []string{"census", "a", "0", "us-employment", long},
			[]string{"", "-a", "a-", "Census", "a b", "a_b", "a.b", "cénsus", "а", long + "a", "a\n", "a\x00"}},
		{"command", ValidCommand, []string{"a", "A1", "2024-01-01T00:00:00Z", "a.b_c:d-e", strings.Repeat("a", 128)},
			[]string{"", ".a", "-a", "a b", "a/b", "é", strings.Repeat("a", 129), "a\n"}},
		{"digest", ValidDigest, []string{strings.Repeat("0f", 32)},
			[]string{"", strings.Repeat("0F", 32), strings.Repeat("0", 63), strings.Repeat("0", 65), strings.Repeat("g", 64)}},
	} {
		for _, s := range tc.good {
			if !tc.ok(s) {
				t.Errorf("%s %q is refused", tc.name, s)
			}
		}
		for _, s := range tc.bad {
			if tc.ok(s) {
				t.Errorf("%s %q is taken", tc.name, s)
			}
		}
	}
}

// TestKeys makes sure that no two records share a key, joined as Fabric joins.
func TestKeys(t *testing.T) {
	id, other := NewID(NounGrant, "m", "c"), NewID(NounObject, "m", "c")
	seen := make(map[string]int)
	for i, k := range []Key{
		DepartmentKey("census"), DepartmentsKey(), MSPKey("census"), OfficerKey(id), DatasetKey(id), ObjectKey(id), ObjectKey(other),
		AttestationKey(other, "census"), AttestationKey(other, "health"), RequestKey(id), GrantKey(id),
		RedemptionKey(id, 0), RedemptionKey(id, 10), ReleaseKeyOf(id, 0), ReceiptKey(id, 0), DisputeKey(id, 0),
		KeyringKey(id), JobKey(id), ContributionKey(id, "census"), ContributionKey(id, "labor"), MaskKey(id), EvaluationKey(id), ShareKey(id, "labor"), ResultKey(id),
		OperationKey("census", "c1"), OperationKey("census", "c"), OperationKey("census1", "c"),
	} {
		joined := k.Type + "\x00" + strings.Join(k.Parts, "\x00") + "\x00"
		if before, ok := seen[joined]; ok {
			t.Errorf("keys %d and %d are both %q", before, i, joined)
		}
		seen[joined] = i
	}
	if a, b := RedemptionKey(id, 9).Parts[1], RedemptionKey(id, 10).Parts[1]; a >= b {
		t.Errorf("slot 9 (%s) sorts after slot 10 (%s)", a, b)
	}
}
