package receive

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/test/workertest"
)

var other = exchange.NewID(exchange.NounGrant, "CensusMSP", "give-2")

// contested are deliveries with one thing altered.
var contested = []struct {
	name   string
	alter  func(t *testing.T, s *scene)
	cause  exchange.DisputeCause
	reason string
}{
	{"another wrap than on record", func(t *testing.T, s *scene) {
		s.release.WrapDigest = strings.Repeat("0", 64)
	}, exchange.CauseWrap, "not the recorded one"},
	{"altered wrap", func(t *testing.T, s *scene) {
		s.node.PutAt(s.release.WrapCID, []byte("altered"))
	}, exchange.CauseWrap, "not the recorded one"},
	{"endless wrap", func(t *testing.T, s *scene) {
		s.node.PutAt(s.release.WrapCID, make([]byte, 1<<20))
	}, exchange.CauseWrap, "not the recorded one"},
	{"wrap at no address", func(t *testing.T, s *scene) { s.release.WrapCID = "bafkqaaa" }, exchange.CauseWrap, "invalid CID"},
	{"wrap is no age file", func(t *testing.T, s *scene) { s.expose(t, []byte("key")) }, exchange.CauseWrap, "malformed"},
	{"wrap for another recipient", func(t *testing.T, s *scene) {
		thief, err := envelope.NewIdentity()
		if err != nil {
			t.Fatal(err)
		}
		s.rewrap(t, thief.Recipient())
	}, exchange.CauseWrap, "another recipient"},
	{"wrap for another grant", func(t *testing.T, s *scene) {
		s.wrap.Grant = other
		s.rewrap(t, s.me(t))
	}, exchange.CauseWrap, "grant " + other},
	{"wrap for another slot", func(t *testing.T, s *scene) {
		s.wrap.Slot = 1
		s.rewrap(t, s.me(t))
	}, exchange.CauseWrap, "slot 1"},
	{"wrap for another object", func(t *testing.T, s *scene) {
		s.wrap.Object = "o-other"
		s.rewrap(t, s.me(t))
	}, exchange.CauseWrap, "object o-other"},

	{"sealed bytes altered", func(t *testing.T, s *scene) {
		s.node.PutAt(s.object.CID, append(bytes.Repeat([]byte{1}, int(s.object.Size)-1), 2))
	}, exchange.CauseSealed, "do not match"},
	{"sealed bytes cut short", func(t *testing.T, s *scene) {
		s.node.PutAt(s.object.CID, []byte("short"))
	}, exchange.CauseSealed, "do not match"},
	{"sealed bytes at no address", func(t *testing.T, s *scene) { s.object.CID = "bafkqaaa" }, exchange.CauseSealed, "invalid CID"},

	{"another file key", func(t *testing.T, s *scene) {
		key, err := envelope.NewFileKey(bytes.Repeat([]byte{7}, envelope.FileKeySize))
		if err != nil {
			t.Fatal(err)
		}
		s.wrap.FileKey = key
		s.rewrap(t, s.me(t))
	}, exchange.CauseContent, "file key does not open"},
	{"another salt", func(t *testing.T, s *scene) {
		salt, err := envelope.NewSalt(bytes.Repeat([]byte{7}, envelope.SaltSize))
		if err != nil {
			t.Fatal(err)
		}
		s.wrap.Salt = salt
		s.rewrap(t, s.me(t))
	}, exchange.CauseContent, "salted digest"},
	{"another content digest", func(t *testing.T, s *scene) {
		s.object.ContentDigest = strings.Repeat("0", 64)
	}, exchange.CauseContent, "salted digest"},

	{"another column", func(t *testing.T, s *scene) { s.dataset.Columns[1].Name = "births" }, exchange.CauseSchema, "not the table"},
	{"another type", func(t *testing.T, s *scene) { s.dataset.Columns[0].Type = exchange.Integer }, exchange.CauseSchema, "row 1"},
	{"incomplete table", func(t *testing.T, s *scene) {
		s.seal(t, content+`Sussex,"1`, 3)
		s.rewrap(t, s.me(t))
	}, exchange.CauseSchema, "not the table"},
	{"fewer rows", func(t *testing.T, s *scene) { s.object.Rows = 3 }, exchange.CauseSchema, "2 rows arrived, 3"},
	{"a digest and the table", func(t *testing.T, s *scene) {
		s.object.ContentDigest, s.dataset.Columns[0].Type = strings.Repeat("0", 64), exchange.Integer
	}, exchange.CauseContent, "salted digest"},
}

// TestDisputes alters one thing of a delivery. Each is contested for its cause,
// and nothing is delivered.
func TestDisputes(t *testing.T) {
	for _, c := range contested {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			c.alter(t, s)
			s.play(t)
			if err := s.released(t); err != nil {
				t.Fatalf("verdict %v", err)
			}
			s.nothing(t)
			body := workertest.Body[exchange.OpenDispute](t, s.one(t, exchange.OpDisputeOpen))
			if body.Grant != grantID || body.Slot != 0 || body.Cause != c.cause || !strings.Contains(body.Reason, c.reason) {
				t.Errorf("contested as %+v, want %s: %q", body, c.cause, c.reason)
			}
			if slices.ContainsFunc([]string{"Kent", "Dover", "12"}, func(word string) bool { return strings.Contains(body.Reason, word) }) {
				t.Errorf("the dispute quotes the table: %s", body.Reason)
			}
		})
	}
}
