package policy

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/checker"

	"chancery/chaincode/exchange"
)

// Facts are what the rules decide upon: records of the ledger, and the own
// clock.
type Facts struct {
	Request   exchange.Request
	Dataset   exchange.Dataset
	Requester exchange.Department
	History   *History  // nil: not known; a rule that asks for it leaves the request to an officer
	Now       time.Time // by the own clock

	Job   *exchange.Job // that the request is one input of; nil: data is asked for
	Input int           // which one, by its place in the spec
}

// History counts what there has been between the requester and this owner
// before the request.
type History struct {
	Requests    int `cel:"requests" json:"requests"`
	Grants      int `cel:"grants" json:"grants"`
	Refusals    int `cel:"refusals" json:"refusals"`
	Withdrawals int `cel:"withdrawals" json:"withdrawals"`
	Revocations int `cel:"revocations" json:"revocations"` // of grants
	Disputes    int `cel:"disputes" json:"disputes"`       // that the requester opened
}

// The types below are the rules' vocabulary. The tag cel is the field's name
// there, most the largest size of a text (in bytes) or list that the contract
// accepts, items the same of a list's items: costs are estimated by them.

type request struct {
	ID         string        `cel:"id" most:"28"`
	Requester  string        `cel:"requester" most:"64"`
	Provider   string        `cel:"provider" most:"64"`
	Dataset    string        `cel:"dataset" most:"28"`
	Version    string        `cel:"version" most:"64"`
	Object     string        `cel:"object" most:"28"`
	Purpose    string        `cel:"purpose" most:"200"`
	LegalBasis string        `cel:"legalBasis" most:"500"`
	Actions    []string      `cel:"actions" most:"2" items:"7"`
	Spec       string        `cel:"spec" most:"64"`
	NotBefore  time.Time     `cel:"notBefore"`
	NotAfter   time.Time     `cel:"notAfter"`
	ValidFor   time.Duration `cel:"validFor"` // from notBefore to notAfter
	Uses       int           `cel:"uses"`
	Opened     time.Time     `cel:"opened"`
}

type dataset struct {
	ID          string    `cel:"id" most:"28"`
	Name        string    `cel:"name" most:"64"`
	Owner       string    `cel:"owner" most:"64"`
	Title       string    `cel:"title" most:"200"`
	Description string    `cel:"description" most:"4000"`
	Keywords    []string  `cel:"keywords" most:"50" items:"64"`
	Licence     string    `cel:"licence" most:"200"`
	MediaType   string    `cel:"mediaType" most:"129"`
	Columns     []column  `cel:"columns" most:"500"`
	Versions    int       `cel:"versions"`
	Terms       terms     `cel:"terms"`
	Since       time.Time `cel:"since"`
}

type column struct {
	Name        string `cel:"name" most:"128"`
	Type        string `cel:"type" most:"7"`
	Unit        string `cel:"unit" most:"64"`
	Description string `cel:"description" most:"1000"`
}

type terms struct {
	Requesters   []string      `cel:"requesters" most:"100" items:"64"`
	Purposes     []string      `cel:"purposes" most:"50" items:"200"`
	Actions      []string      `cel:"actions" most:"2" items:"7"`
	MaxUses      int           `cel:"maxUses"`
	MaxDuration  time.Duration `cel:"maxDuration"`
	Attestations int           `cel:"attestations"`
	Certified    bool          `cel:"certified"`
	Obligations  obligations   `cel:"obligations"`
	Delegation   bool          `cel:"delegation"`
}

type obligations struct {
	DeleteWithin    time.Duration `cel:"deleteWithin"` // 0: none
	NoOnwardSharing bool          `cel:"noOnwardSharing"`
}

type requester struct {
	Name   string    `cel:"name" most:"64"`
	MSP    string    `cel:"msp" most:"128"`
	Title  string    `cel:"title" most:"200"`
	Status string    `cel:"status" most:"9"`
	Since  time.Time `cel:"since"`
}

// variables are the rules' variables with their types; now is one more.
var variables = []struct {
	name string
	of   reflect.Type
}{
	{"request", reflect.TypeFor[request]()},
	{"dataset", reflect.TypeFor[dataset]()},
	{"requester", reflect.TypeFor[requester]()},
	{historyVariable, reflect.TypeFor[History]()},
	{jobVariable, reflect.TypeFor[job]()},
}

const (
	historyVariable = "history"
	nowVariable     = "now"
)

// Vocabulary lists what conditions may name, a variable a line, for people.
func Vocabulary() string {
	var b strings.Builder
	for _, v := range variables {
		fmt.Fprintf(&b, "%-9s  %s\n", v.name, strings.Join(fieldsOf(v.of), ", "))
	}
	fmt.Fprintf(&b, "%-9s  a timestamp\n", nowVariable)
	return b.String()
}

// fieldsOf are a type's fields as rules name them; a record among them has its
// own in braces, a list brackets.
func fieldsOf(of reflect.Type) []string {
	var list []string
	for f := range of.Fields() {
		name, t := f.Tag.Get("cel"), f.Type
		if t.Kind() == reflect.Slice {
			name, t = name+"[]", t.Elem()
		}
		if t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() {
			name += "{" + strings.Join(fieldsOf(t), ", ") + "}"
		}
		list = append(list, name)
	}
	return list
}

// values are the variables' values.
func (f Facts) values() map[string]any {
	values := map[string]any{
		"request":   newRequest(f.Request),
		"dataset":   newDataset(f.Dataset),
		"requester": requester{f.Requester.Name, f.Requester.MSP, f.Requester.Title, string(f.Requester.Status), f.Requester.Since},
		nowVariable: f.Now,
	}
	if f.History != nil {
		values[historyVariable] = *f.History
	}
	if f.Job != nil {
		values[jobVariable] = newJob(*f.Job, f.Input)
	}
	return values
}

func newRequest(r exchange.Request) request {
	return request{
		ID: r.ID, Requester: r.Requester, Provider: r.Provider, Dataset: r.Dataset, Version: r.Version, Object: r.Object,
		Purpose: r.Purpose, LegalBasis: r.LegalBasis, Actions: words(r.Actions), Spec: r.Spec,
		NotBefore: r.NotBefore, NotAfter: r.NotAfter, ValidFor: r.NotAfter.Sub(r.NotBefore), Uses: r.Uses, Opened: r.Since,
	}
}

func newDataset(d exchange.Dataset) dataset {
	columns := make([]column, len(d.Columns))
	for i, c := range d.Columns {
		columns[i] = column{c.Name, string(c.Type), c.Unit, c.Description}
	}
	t := d.Terms
	return dataset{
		ID: d.ID, Name: d.Name, Owner: d.Owner, Title: d.Title, Description: d.Description.Description,
		Keywords: words(d.Keywords), Licence: d.Licence, MediaType: d.MediaType, Columns: columns,
		Versions: d.Versions, Since: d.Since,
		Terms: terms{
			Requesters: words(t.Requesters), Purposes: words(t.Purposes), Actions: words(t.Actions),
			MaxUses: t.MaxUses, MaxDuration: seconds(t.MaxDuration), Attestations: t.Attestations, Certified: t.Certified, Delegation: t.Delegation,
			Obligations: obligations{seconds(t.Obligations.DeleteWithin), t.Obligations.NoOnwardSharing},
		},
	}
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

// sizes are the largest sizes of the variables' texts and lists, by path, as
// in "dataset.keywords" and "dataset.keywords.@items".
type sizes map[string]uint64

var _ checker.CostEstimator = sizes{}

func newSizes() sizes {
	s := sizes{}
	for _, v := range variables {
		s.add(v.name, v.of)
	}
	return s
}

func (s sizes) add(path string, of reflect.Type) {
	for f := range of.Fields() {
		at := path + "." + f.Tag.Get("cel")
		s.bound(at, f.Tag.Get("most"))
		s.bound(at+".@items", f.Tag.Get("items"))
		t := f.Type
		if t.Kind() == reflect.Slice {
			t, at = t.Elem(), at+".@items"
		}
		if t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() {
			s.add(at, t)
		}
	}
}

func (s sizes) bound(path, most string) {
	if n, err := strconv.ParseUint(most, 10, 32); err == nil {
		s[path] = n
	}
}

// EstimateSize implements [checker.CostEstimator]. What it does not know has
// no bound.
func (s sizes) EstimateSize(n checker.AstNode) *checker.SizeEstimate {
	most, known := s[strings.Join(n.Path(), ".")]
	if !known {
		return nil
	}
	return &checker.SizeEstimate{Max: most}
}

// EstimateCallCost implements [checker.CostEstimator]: every function costs
// what CEL says.
func (s sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}
