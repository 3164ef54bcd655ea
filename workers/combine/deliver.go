package combine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/workers/inbox"
	"chancery/workers/journal"
)

// Files of a delivered result, in <inbox>/<job id>.
const (
	TableFile   = "result.csv"
	SummaryFile = "result.json"
)

// Summary is what is delivered beside a result's table: by salt and commitment
// anyone who is shown both can check the table against the ledger.
type Summary struct {
	Job         string    `json:"job"`
	Spec        string    `json:"spec"`        // digest
	Fingerprint string    `json:"fingerprint"` // of the key that it was computed under
	Keys        int       `json:"keys"`        // rows of the table
	Missing     []Missing `json:"missing"`     // keys that are not in the result
	Salt        string    `json:"salt"`        // hexadecimal
	Commitment  string    `json:"commitment"`  // [exchange.Commitment] of salt and table
	Digest      string    `json:"sha256"`      // of the table
}

// Missing is the keys that one department's tables lack.
type Missing struct {
	Department string   `json:"department"`
	Keys       []string `json:"keys"`
}

func summarise(j exchange.Job, r result) Summary {
	sum := sha256.Sum256(r.csv)
	s := Summary{
		Job: j.ID, Spec: j.Digest, Fingerprint: j.Spec.Fingerprint, Keys: len(j.Keys()), Missing: []Missing{},
		Salt: hex.EncodeToString(r.salt), Commitment: r.commitment(), Digest: hex.EncodeToString(sum[:]),
	}
	for _, p := range j.Parties {
		if len(p.Missing) > 0 {
			s.Missing = append(s.Missing, Missing{p.Department, p.Missing})
		}
	}
	return s
}

// deliveredPart names the part of a job that says in the journal that its result
// was delivered.
const deliveredPart = "delivered"

// delivered is what the journal keeps of a delivery.
type delivered struct {
	Commitment string `json:"commitment"`
}

// deliver brings the result into the inbox, the table first.
func (c *combine) deliver(ctx context.Context, j exchange.Job, r result) error {
	summary, err := exchange.Encode(summarise(j, r))
	if err != nil {
		return err
	}
	if err := inbox.Clear(c.Inbox, j.ID); err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		data []byte
	}{{TableFile, r.csv}, {SummaryFile, append(summary, '\n')}} {
		if err := c.put(j.ID, file.name, file.data); err != nil {
			return fmt.Errorf("deliver job %s: %w", j.ID, err)
		}
	}
	if _, err := journal.PutJob(c.Journal, j.ID, deliveredPart, delivered{r.commitment()}); err != nil {
		return err
	}
	zerolog.Ctx(ctx).Info().Str("id", j.ID).Msg("result delivered")
	return nil
}

func (c *combine) put(job, name string, data []byte) error {
	file, err := inbox.New(c.Inbox, job, name)
	if err != nil {
		return err
	}
	defer file.Discard()
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Keep()
}
