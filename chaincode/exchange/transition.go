package exchange

import "slices"

// Party says which department may perform a transition.
type Party string

const (
	Self     Party = "self"     // the department that the record is about
	Owner    Party = "owner"    // of the dataset
	Others   Party = "others"   // any department but the owner
	Asker    Party = "asker"    // the department that made the request
	Grantee  Party = "grantee"  // of the grant
	Provider Party = "provider" // any whose data the job takes
	Holder   Party = "holder"   // the keyholder of the job's keyring
	Anyone   Party = "anyone"   // any active department
	Unlisted Party = "unlisted" // an MSP of the channel without a department yet
)

// Absent is the state of a record that is not there.
const Absent = ""

// Transition is one row of the table: which operation takes which record from
// which states to which, who may sign it, and what event says so.
type Transition struct {
	Op       Op
	Function string // of the contract, for callers with tools of their own
	Noun     Noun   // of the record whose state changes
	From     []string
	To       string
	Party    Party
	Roles    []Role
	Event    EventType
	Apply    bool // may be one of many in Apply, which workers sign

	body func() Body
}

func states[T ~string](list ...T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

func body[T any, P interface {
	*T
	Body
}]() Body {
	return P(new(T))
}

var (
	absent   = []string{Absent}
	admins   = []Role{Admin}
	deciders = []Role{Officer, Policy}
	officers = []Role{Officer}
	workers  = []Role{Worker}
	askers   = []Role{Worker, Officer}
)

// BatchSigners are the roles that may sign Apply. Each of its operations is
// held to its own row as well.
var BatchSigners = workers

// Transitions is every transition that the contract allows; what is not here
// is refused. A record that is already in the state To, made so by the same
// content, answers [Exists].
var Transitions = append([]Transition{
	{OpDepartmentRegister, "RegisterDepartment", NounDepartment, absent, string(Active), Unlisted, nil, DepartmentRegistered, false, body[RegisterDepartment]},
	{OpDepartmentSuspend, "SuspendDepartment", NounDepartment, states(Active), string(Suspended), Self, admins, DepartmentSuspended, false, body[ChangeDepartment]},
	{OpDepartmentReinstate, "ReinstateDepartment", NounDepartment, states(Suspended), string(Active), Self, admins, DepartmentReinstated, false, body[ChangeDepartment]},

	{OpOfficerEnrol, "EnrolOfficer", NounOfficer, absent, string(Active), Self, admins, OfficerEnrolled, false, body[EnrolOfficer]},
	{OpOfficerSuspend, "SuspendOfficer", NounOfficer, states(Active), string(Suspended), Self, admins, OfficerSuspended, false, body[ChangeOfficer]},
	{OpOfficerReinstate, "ReinstateOfficer", NounOfficer, states(Suspended), string(Active), Self, admins, OfficerReinstated, false, body[ChangeOfficer]},

	{OpDatasetRegister, "RegisterDataset", NounDataset, absent, string(Registered), Anyone, askers, DatasetRegistered, true, body[RegisterDataset]},
	{OpDatasetSetTerms, "SetTerms", NounDataset, states(Registered), string(Registered), Owner, officers, DatasetTermsSet, false, body[SetTerms]},
	{OpDatasetWithdraw, "WithdrawDataset", NounDataset, states(Registered), string(Withdrawn), Owner, officers, DatasetWithdrawn, false, body[Withdraw]},

	{OpObjectRegister, "RegisterObject", NounObject, absent, string(Registered), Owner, workers, ObjectRegistered, true, body[RegisterObject]},
	{OpObjectAttest, "AttestObject", NounAttestation, append(states(Good, Bad), Absent), "", Others, askers, ObjectAttested, true, body[AttestObject]},
	{OpObjectCertify, "CertifyObject", NounCertification, absent, "", Owner, officers, ObjectCertified, false, body[CertifyObject]},

	{OpRequestOpen, "OpenRequest", NounRequest, absent, string(RequestOpen), Others, askers, RequestOpened, true, body[OpenRequest]},
	{OpRequestWithdraw, "WithdrawRequest", NounRequest, states(RequestOpen), string(RequestWithdrawn), Asker, askers, RequestWasWithdrawn, true, body[EndRequest]},
	{OpRequestRefuse, "RefuseRequest", NounRequest, states(RequestOpen), string(RequestRefused), Owner, deciders, RequestWasRefused, false, body[EndRequest]},

	{OpGrantGive, "GiveGrant", NounRequest, states(RequestOpen), string(RequestGranted), Owner, deciders, GrantWasGiven, false, body[GiveGrant]},
	{OpGrantRevoke, "RevokeGrant", NounGrant, states(GrantGiven), string(GrantRevoked), Owner, officers, GrantWasRevoked, false, body[RevokeGrant]},

	{OpGrantRedeem, "RedeemGrant", NounRedemption, append(states(ReleaseDenied), Absent), string(Redeemed), Grantee, workers, GrantRedeemed, true, body[RedeemGrant]},
	{OpKeyRelease, "ReleaseKey", NounRedemption, states(Redeemed), string(Released), Owner, workers, KeyReleased, true, body[ReleaseKey]},
	{OpKeyRefuse, "RefuseKey", NounRedemption, states(Redeemed), string(ReleaseDenied), Owner, workers, KeyRefused, true, body[RefuseKey]},
	{OpReceiptFile, "FileReceipt", NounRedemption, states(Released), string(Received), Grantee, workers, ReceiptFiled, true, body[FileReceipt]},
	{OpDisputeOpen, "OpenDispute", NounRedemption, states(Released), string(Disputed), Grantee, workers, DisputeOpened, true, body[OpenDispute]},
}, computing...)

// underway are the states in which a job can be ended.
var underway = states(JobOpen, JobApproved, JobAligned, JobContributed, JobComputed)

// computing are the transitions of keyrings and jobs.
var computing = []Transition{
	{OpKeyringCreate, "CreateKeyring", NounKeyring, absent, string(KeyringActive), Anyone, officers, KeyringActivated, false, body[CreateKeyring]},
	{OpKeyringRetire, "RetireKeyring", NounKeyring, states(KeyringActive), string(KeyringRetired), Owner, officers, KeyringWasRetired, false, body[RetireKeyring]},

	{OpJobOpen, "OpenJob", NounJob, absent, string(JobOpen), Anyone, askers, JobOpened, true, body[OpenJob]},
	{OpJobWithdraw, "WithdrawJob", NounJob, underway, string(JobWithdrawn), Asker, askers, JobWasWithdrawn, true, body[EndJob]},
	{OpJobApprove, "ApproveJob", NounJob, states(JobOpen), "", Provider, deciders, JobWasApproved, false, body[ApproveJob]},
	{OpJobRefuse, "RefuseJob", NounJob, underway, string(JobRefused), Provider, deciders, JobWasRefused, false, body[EndJob]},
	{OpJobFail, "FailJob", NounJob, states(JobApproved, JobAligned), string(JobFailed), Provider, workers, JobWasFailed, true, body[EndJob]},
	{OpJobAlign, "AlignJob", NounJob, states(JobApproved), "", Provider, workers, JobWasAligned, true, body[AlignJob]},
	{OpJobMask, "MaskJob", NounJob, states(JobOpen, JobApproved), "", Asker, workers, JobWasMasked, true, body[MaskJob]},
	{OpJobContribute, "ContributeJob", NounJob, states(JobAligned), "", Provider, workers, JobWasContributed, true, body[Contribute]},
	{OpJobEvaluate, "EvaluateJob", NounJob, states(JobContributed), string(JobComputed), Asker, workers, JobWasComputed, true, body[EvaluateJob]},
	{OpJobShare, "ShareJob", NounJob, states(JobComputed), string(JobShared), Holder, workers, JobSharePosted, true, body[PostShare]},
	{OpJobClose, "CloseJob", NounJob, states(JobShared), string(JobClosed), Asker, workers, JobWasClosed, true, body[CloseJob]},
	{OpJobContest, "ContestJob", NounJob, states(JobShared), string(JobDisputed), Asker, workers, JobWasContested, true, body[EndJob]},
}

var byOp = func() map[Op]Transition {
	m := make(map[Op]Transition, len(Transitions))
	for _, t := range Transitions {
		m[t.Op] = t
	}
	return m
}()

// TransitionOf finds the row of an operation.
func TransitionOf(op Op) (Transition, bool) {
	t, ok := byOp[op]
	return t, ok
}

// Allows reports whether the transition may start in a state.
func (t Transition) Allows(state string) bool { return slices.Contains(t.From, state) }

// MaySign reports whether a role may sign the transition.
func (t Transition) MaySign(r Role) bool { return slices.Contains(t.Roles, r) }
