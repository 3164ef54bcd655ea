package compose

import (
	"strings"
	"testing"
)

func TestDefaultTopology(t *testing.T) {
	topology, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range topology.Departments {
		names = append(names, d.Name)
	}
	if got, want := strings.Join(names, " "), "census health labor"; got != want {
		t.Errorf("departments %q, want %q", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, edit := range map[string]struct{ old, new, want string }{
		"unknown key":          {"channel: chancery", "channel: chancery\nchanel: x", "chanel"},
		"second document":      {"- name: labor\n    msp: LaborMSP", "- name: labor\n    msp: LaborMSP\n---\nchannel: x", "more than one document"},
		"upper-case name":      {"name: census", "name: Census", `"Census" does not match`},
		"name with a slash":    {"name: census", "name: ../census", "does not match"},
		"empty name":           {"name: census", `name: ""`, "does not match"},
		"long name":            {"name: census", "name: " + strings.Repeat("c", 33), "does not match"},
		"reserved name":        {"name: census", "name: orderer", "reserved"},
		"duplicate department": {"name: health", "name: census", "census is listed twice"},
		"duplicate msp":        {"msp: HealthMSP", "msp: CensusMSP", "used twice"},
		"msp of the orderer":   {"msp: HealthMSP", "msp: OrdererMSP", "used twice"},
		"bad channel":          {"channel: chancery", "channel: Chancery", "channel"},
		"zero sequence":        {"sequence: 1", "sequence: 0", "sequence"},
		"no batch timeout":     {"batchTimeout: 100ms", "batchTimeout: 0s", "batchTimeout"},
		"batch without a unit": {"batchTimeout: 100ms", "batchTimeout: fast", "line"},
		"preferred above max":  {"preferredBytes: 2097152", "preferredBytes: 20971520", "preferredBytes"},
		"empty blocks":         {"maxMessages: 500", "maxMessages: 0", "maxMessages"},
	} {
		t.Run(name, func(t *testing.T) {
			data := strings.Replace(string(topologyYAML), edit.old, edit.new, 1)
			if data == string(topologyYAML) {
				t.Fatalf("%q is not in topology.yaml", edit.old)
			}
			_, err := Parse([]byte(data))
			if err == nil || !strings.Contains(err.Error(), edit.want) {
				t.Errorf("error %v, want one with %q", err, edit.want)
			}
		})
	}
}

func TestParseRefusesNoDepartments(t *testing.T) {
	head, _, _ := strings.Cut(string(topologyYAML), "departments:")
	if _, err := Parse([]byte(head)); err == nil || !strings.Contains(err.Error(), "no departments") {
		t.Errorf("error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(topologyYAML)
	f.Add([]byte("departments: [{name: a, msp: b}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		topology, err := Parse(data)
		if err == nil && topology.Validate() != nil {
			t.Error("accepted a topology that is not valid")
		}
	})
}
