package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/crypto/keystore"
)

type note struct {
	Text string   `json:"text"`
	List []string `json:"list"`
}

var job = exchange.NewID(exchange.NounJob, "CensusMSP", "c3")

func TestTheFirstPartOfAJobStays(t *testing.T) {
	j, keys := open(t)
	if _, err := PutJob(j, job, "mask", note{Text: "early"}); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("without the department's identity: %v", err)
	}
	if _, err := keys.CreateIdentity(keystore.Department); err != nil {
		t.Fatal(err)
	}
	if _, err := Job[note](j, job, "mask"); !errors.Is(err, ErrNotFound) {
		t.Errorf("in an empty journal: %v", err)
	}
	for _, said := range []note{{Text: "first", List: []string{"a"}}, {Text: "second", List: []string{"b", "c"}}} {
		if held, err := PutJob(j, job, "mask", said); err != nil || held.Text != "first" || len(held.List) != 1 {
			t.Errorf("holds %+v, %v", held, err)
		}
	}
	if other, err := PutJob(j, job, "input-3", note{Text: "other"}); err != nil || other.Text != "other" {
		t.Errorf("another part: %+v, %v", other, err)
	}
	raw, err := os.ReadFile(filepath.Join(j.dir, jobs, job+"-mask"+suffix))
	if err != nil || bytes.Contains(raw, []byte("first")) {
		t.Errorf("the record lies open on disk: %v", err)
	}
	if err := keys.Delete(keystore.Department); err != nil {
		t.Fatal(err)
	}
	if _, err := Job[note](j, job, "mask"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("read without the department's identity: %v", err)
	}
}

func TestNoJobIsFoundByABadName(t *testing.T) {
	j, keys := open(t)
	if _, err := keys.CreateIdentity(keystore.Department); err != nil {
		t.Fatal(err)
	}
	for _, name := range [][2]string{
		{"", "mask"}, {"../x", "mask"}, {object, "mask"}, {job, ""}, {job, "../mask"}, {job, "Mask"}, {job, "-mask"}, {job, strings.Repeat("m", 33)},
	} {
		_, readErr := Job[note](j, name[0], name[1])
		_, putErr := PutJob(j, name[0], name[1], note{})
		if !errors.Is(readErr, ErrNotFound) || !errors.Is(putErr, ErrNotFound) {
			t.Errorf("%q: %v, %v", name, readErr, putErr)
		}
	}
}
