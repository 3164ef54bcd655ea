package exchange

import (
	"slices"
	"time"
)

// JobState is where a job stands. That its deadline is over is a predicate,
// never a state.
type JobState string

const (
	JobOpen        JobState = "open"        // providers decide
	JobApproved    JobState = "approved"    // all did; providers say which keys they lack
	JobAligned     JobState = "aligned"     // keys and mask are fixed; providers contribute, the requester first where it is one
	JobContributed JobState = "contributed" // every contribution is there
	JobComputed    JobState = "computed"    // the contract evaluated them
	JobShared      JobState = "shared"      // the keyholder opened the masked result for the requester
	JobClosed      JobState = "closed"      // the requester committed to the result
	JobRefused     JobState = "refused"     // by a provider
	JobWithdrawn   JobState = "withdrawn"   // by the requester
	JobFailed      JobState = "failed"      // a provider cannot contribute, or no key is in all tables
	JobDisputed    JobState = "disputed"    // the requester found the keyholder's share wrong
)

// Job is one computation over several departments' data.
type Job struct {
	ID           string     `json:"id"`
	Requester    string     `json:"requester"`
	RequesterMSP string     `json:"requesterMsp"`
	Spec         Spec       `json:"spec"`
	Digest       string     `json:"digest"` // [BodyDigest] of the spec
	State        JobState   `json:"state"`
	Parties      []JobParty `json:"parties"`          // one for each provider, in the order of the spec
	Masked       bool       `json:"masked,omitempty"` // the requester's mask is there
	Since        time.Time  `json:"since"`
	Change       Change     `json:"change"`
}

// JobParty is how far one provider is with a job.
type JobParty struct {
	Department    string   `json:"department"`
	Grants        []string `json:"grants,omitempty"`     // given by its approval, one for each of its inputs
	ApprovedTx    string   `json:"approvedTx,omitempty"` // the transaction that approved
	Aligned       bool     `json:"aligned,omitempty"`
	Missing       []string `json:"missing,omitempty"`       // keys of the spec that one of its tables lacks
	ContributedTx string   `json:"contributedTx,omitempty"` // the transaction that contributed
}

// Party finds a provider's part of a job.
func (j *Job) Party(department string) (*JobParty, bool) {
	for i := range j.Parties {
		if j.Parties[i].Department == department {
			return &j.Parties[i], true
		}
	}
	return nil, false
}

// Keys are those that are in every provider's tables, in the spec's order: what
// contributions hold values of, once all have said what they lack.
func (j *Job) Keys() []string {
	missing := make(map[string]bool)
	for _, p := range j.Parties {
		for _, key := range p.Missing {
			missing[key] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(j.Spec.Keys), func(key string) bool { return missing[key] })
}

// Expired reports whether the job's deadline is over.
func (j *Job) Expired(now time.Time) bool { return !now.Before(j.Spec.Deadline) }

// Over reports whether nothing more will happen to the job.
func (s JobState) Over() bool {
	switch s {
	case JobClosed, JobRefused, JobWithdrawn, JobFailed, JobDisputed:
		return true
	}
	return false
}

// OpenJob is the body of [OpJobOpen].
type OpenJob struct{ Plan }

// Validate checks the body by itself, normalises its deadline to UTC and fills
// in what it left to its default.
func (b *OpenJob) Validate() error { return b.Plan.validate() }

// EndJob is the body of [OpJobWithdraw], [OpJobRefuse], [OpJobFail] and
// [OpJobContest].
type EndJob struct {
	Job    string `json:"job"`
	Reason string `json:"reason"`
}

// Validate checks the body by itself.
func (b *EndJob) Validate() error {
	return first(checkID("job", NounJob, b.Job), CheckReason(b.Reason))
}

// ApproveJob is the body of [OpJobApprove]: it gives a grant for each input of
// the approving department, for this spec alone.
type ApproveJob struct {
	Job  string `json:"job"`
	Spec string `json:"spec"` // digest of the spec that was decided upon
}

// Validate checks the body by itself.
func (b *ApproveJob) Validate() error {
	return first(checkID("job", NounJob, b.Job), checkDigest("spec", b.Spec))
}

// AlignJob is the body of [OpJobAlign].
type AlignJob struct {
	Job     string   `json:"job"`
	Missing []string `json:"missing,omitempty"` // keys of the spec that one of the department's tables lacks, in the spec's order
}

// Validate checks the body by itself.
func (b *AlignJob) Validate() error {
	return first(
		checkID("job", NounJob, b.Job),
		checkList("missing", b.Missing, MaxKeys, func(s string) error { return checkLine("missing", s, 1, 64) }))
}

// CloseJob is the body of [OpJobClose].
type CloseJob struct {
	Job        string `json:"job"`
	Commitment string `json:"commitment"` // [Commitment] to the result
}

// Validate checks the body by itself.
func (b *CloseJob) Validate() error {
	return first(checkID("job", NounJob, b.Job), checkDigest("commitment", b.Commitment))
}

// Result is the requester's commitment to what a job's result is. Nobody learns
// it from this record; who is shown result and salt can check them.
type Result struct {
	Job        string `json:"job"`
	Requester  string `json:"requester"`
	Commitment string `json:"commitment"`
	Change     Change `json:"change"`
}
