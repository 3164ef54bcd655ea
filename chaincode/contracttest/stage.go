package contracttest

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
)

// stage is a share of its own between census, which provides, and health, which
// requests; every case has one. Ids are there as soon as their record is.
type stage struct {
	*suite
	t       *testing.T
	name    string // of the dataset
	terms   exchange.Terms
	dataset string
	object  string // newest version
	version string // command of the newest version
	request string
	asked   string // command of the request
	grant   string
	attempt int // of slot 0

	keyring string // of census, with a key of nobody's
	job     string // of health, with data of census and labor under labor's keyring
	planned string // command of the job
	spec    string // digest of the job's spec
	digest  string // of the job's evaluation

	officer     string // id of an enrolled officer of census
	certificate string // of that officer, or of one to be enrolled
}

func (s *suite) stage(t *testing.T) *stage {
	t.Helper()
	return &stage{suite: s, t: t, name: s.fresh(), terms: openTerms(), spec: digest("no job"), digest: digest("no evaluation")}
}

// openTerms let everyone ask for everything, within bounds.
func openTerms() exchange.Terms {
	return exchange.Terms{Actions: []exchange.Action{exchange.Read}, MaxUses: 5, MaxDuration: 30 * 24 * 3600}
}

// digest is some SHA-256.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

const someCID = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"

var (
	owner   = actor{provider, string(exchange.Worker)}
	decider = actor{provider, string(exchange.Officer)}
	asker   = actor{requester, string(exchange.Worker)}
	witness = actor{third, string(exchange.Worker)}

	providerAdmin = actor{provider, string(exchange.Admin)}
)

func (c *stage) registration() *exchange.RegisterDataset {
	return &exchange.RegisterDataset{
		Name: c.name,
		Description: exchange.Description{
			Title: "Population of " + c.name, Licence: "CC0-1.0", MediaType: "text/csv", Keywords: []string{"population"},
			Columns: []exchange.Column{{Name: "year", Type: exchange.Integer}, {Name: "people", Type: exchange.Integer, Unit: "persons"}},
		},
		Terms: c.terms,
	}
}

func (c *stage) registered() *stage {
	c.t.Helper()
	c.dataset = c.must(c.t, owner, exchange.OpDatasetRegister, c.fresh(), c.registration()).ID
	return c
}

// versionOf is the registration of a version under a command.
func (c *stage) versionOf(command string) *exchange.RegisterObject {
	return &exchange.RegisterObject{
		Command: command, Dataset: c.dataset, CID: someCID, Size: 4096,
		SealedDigest: digest("sealed " + command), ContentDigest: digest("content " + command),
		Rows: 12, FileName: "population.csv", Source: "register of residents",
	}
}

// published has a dataset with one version, or one more.
func (c *stage) published() *stage {
	c.t.Helper()
	if c.dataset == "" {
		c.registered()
	}
	c.version = c.fresh()
	c.object = c.must(c.t, owner, exchange.OpObjectRegister, "", c.versionOf(c.version)).ID
	return c
}

func (c *stage) attested(by string, verdict exchange.Verdict) *stage {
	c.t.Helper()
	body := &exchange.AttestObject{Object: c.object, Verdict: verdict}
	c.must(c.t, actor{by, string(exchange.Worker)}, exchange.OpObjectAttest, "", body)
	return c
}

// question is a request that the stage's terms allow.
func (c *stage) question() *exchange.OpenRequest {
	now := c.net.Now().UTC().Truncate(time.Second)
	return &exchange.OpenRequest{
		Dataset: c.dataset, Purpose: "planning", LegalBasis: "Statistics Act, section 5",
		Actions: []exchange.Action{exchange.Read}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), Uses: 2,
	}
}

// opened has a request, changed before it is opened by the functions given.
func (c *stage) opened(changes ...func(*exchange.OpenRequest)) *stage {
	c.t.Helper()
	if c.object == "" {
		c.published()
	}
	q := c.question()
	for _, change := range changes {
		change(q)
	}
	c.asked = c.fresh()
	c.request = c.must(c.t, asker, exchange.OpRequestOpen, c.asked, q).ID
	return c
}

// granted has a grant, changed before it is given by the functions given.
func (c *stage) granted(changes ...func(*exchange.GiveGrant)) *stage {
	c.t.Helper()
	if c.request == "" {
		c.opened()
	}
	give := &exchange.GiveGrant{Request: c.request}
	for _, change := range changes {
		change(give)
	}
	c.grant = c.must(c.t, decider, exchange.OpGrantGive, c.fresh(), give).ID
	return c
}

func (c *stage) revoked() *stage {
	c.t.Helper()
	c.must(c.t, decider, exchange.OpGrantRevoke, "", &exchange.RevokeGrant{Grant: c.grant, Reason: "no longer needed"})
	return c
}

func (c *stage) redeemed(slot int) *stage {
	c.t.Helper()
	if c.grant == "" {
		c.granted()
	}
	c.must(c.t, asker, exchange.OpGrantRedeem, "", &exchange.RedeemGrant{Grant: c.grant, Slot: slot})
	c.attempt++
	return c
}

func (c *stage) wrap(slot int) *exchange.ReleaseKey {
	return &exchange.ReleaseKey{Grant: c.grant, Slot: slot, WrapCID: someCID, WrapDigest: digest("wrap " + c.grant)}
}

func (c *stage) released(slot int) *stage {
	c.t.Helper()
	c.must(c.t, owner, exchange.OpKeyRelease, "", c.wrap(slot))
	return c
}

func (c *stage) refusal(reason string) *exchange.RefuseKey {
	return &exchange.RefuseKey{Grant: c.grant, Slot: 0, Attempt: max(c.attempt, 1), Reason: reason}
}

func (c *stage) receipt() *exchange.FileReceipt {
	return &exchange.FileReceipt{
		Grant: c.grant, Slot: 0, SealedDigest: digest("sealed " + c.version), ContentDigest: digest("content " + c.version), Rows: 12,
	}
}

func (c *stage) dispute(reason string) *exchange.OpenDispute {
	return &exchange.OpenDispute{Grant: c.grant, Slot: 0, Cause: exchange.CauseContent, Found: digest("other"), Reason: reason}
}

// noID is the id of nothing.
func noID(noun exchange.Noun) string { return exchange.NewID(noun, "nobody", strings.Repeat("x", 8)) }
