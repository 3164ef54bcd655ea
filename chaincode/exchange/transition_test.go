package exchange

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTransitions holds every row of the table to what its readers rely on.
func TestTransitions(t *testing.T) {
	ops, functions := make(map[Op]bool), make(map[string]bool)
	op := regexp.MustCompile(`^[a-z]+\.[a-z]+(-[a-z]+)?$`)
	for _, row := range Transitions {
		t.Run(string(row.Op), func(t *testing.T) {
			if ops[row.Op] || functions[row.Function] {
				t.Error("is there twice")
			}
			ops[row.Op], functions[row.Function] = true, true
			if !op.MatchString(string(row.Op)) || !op.MatchString(string(row.Event)) {
				t.Errorf("%s and %s are not noun and verb", row.Op, row.Event)
			}
			noun, _, _ := strings.Cut(string(row.Op), ".")
			if eventNoun, _, _ := strings.Cut(string(row.Event), "."); eventNoun != noun {
				t.Errorf("tells %s", row.Event)
			}
			if !slices.Contains(Listed, row.Noun) || len(row.From) == 0 {
				t.Errorf("changes %q from %v", row.Noun, row.From)
			}
			if (len(row.Roles) == 0) != (row.Party == Unlisted) {
				t.Errorf("signed by %v of %s", row.Roles, row.Party)
			}
			for _, role := range row.Roles {
				if !slices.Contains(Roles, role) {
					t.Errorf("signed by the unknown role %q", role)
				}
			}
			if row.Apply && !slices.ContainsFunc(BatchSigners, row.MaySign) {
				t.Error("may be in a batch that nobody may sign")
			}
			if row.MaySign(Auditor) {
				t.Error("signed by an auditor, who only reads")
			}
			checkRowBody(t, row)
		})
	}
}

func checkRowBody(t *testing.T, row Transition) {
	t.Helper()
	a, b := NewBody(row.Op), NewBody(row.Op)
	if a == nil || reflect.TypeOf(a).Kind() != reflect.Pointer || a == b {
		t.Fatalf("body %T", a)
	}
	if err := a.Validate(); err == nil {
		t.Error("an empty body is valid")
	}
	if got, ok := TransitionOf(row.Op); !ok || got.Function != row.Function {
		t.Errorf("TransitionOf finds %+v", got)
	}
}

// TestReachable finds for every state a way from nothing: a state without one
// would be a rule that nobody can use.
func TestReachable(t *testing.T) {
	for _, noun := range []Noun{NounDepartment, NounOfficer, NounDataset, NounObject, NounRequest, NounGrant, NounRedemption, NounKeyring, NounJob} {
		reached := map[string]bool{Absent: true}
		if noun == NounGrant {
			reached[string(GrantGiven)] = true // made by the request's row
		}
		if noun == NounJob { // made by the last department's word, not by a row alone
			for _, state := range []JobState{JobApproved, JobAligned, JobContributed} {
				reached[string(state)] = true
			}
		}
		for range Transitions {
			for _, row := range Transitions {
				if row.Noun == noun && slices.ContainsFunc(row.From, func(s string) bool { return reached[s] }) {
					reached[row.To] = true
				}
			}
		}
		for _, row := range Transitions {
			for _, from := range row.From {
				if row.Noun == noun && !reached[from] {
					t.Errorf("%s starts from %q, to which no way leads", row.Op, from)
				}
			}
		}
	}
}

func TestTransitionOf(t *testing.T) {
	if row, ok := TransitionOf("request.burn"); ok || NewBody("request.burn") != nil {
		t.Errorf("found %+v", row)
	}
	if _, err := DecodeBody("request.burn", []byte("{}")); ParseError(err.Error()) == nil {
		t.Errorf("decoded: %v", err)
	}
}
