package schemas_test

import (
	"strings"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
)

var (
	at     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	later  = at.AddDate(1, 0, 0)
	digest = strings.Repeat("ab", 32)
	tx     = strings.Repeat("0f", 32)
	cid    = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"

	dataset  = exchange.NewID(exchange.NounDataset, "CensusMSP", "population")
	object   = exchange.NewID(exchange.NounObject, "CensusMSP", "c-1")
	request  = exchange.NewID(exchange.NounRequest, "HealthMSP", "c-2")
	grant    = exchange.NewID(exchange.NounGrant, "CensusMSP", "c-3")
	job      = exchange.NewID(exchange.NounJob, "HealthMSP", "c-4")
	officer  = exchange.OfficerID([]byte("certificate"))
	rejected = exchange.NewID(exchange.NounOperation, "HealthMSP", "Case:7.1_a")
)

func change(op exchange.Op) exchange.Change {
	return exchange.Change{
		Op: string(op), By: "census", Officer: officer, Name: "worker", Tx: tx, Time: at, Said: digest, Reason: "why it was done",
	}
}

var terms = exchange.Terms{
	Requesters: []string{"health", "labor"}, Purposes: []string{"planning"}, Actions: []exchange.Action{exchange.Read, exchange.Compute},
	MaxUses: 3, MaxDuration: 86400, Attestations: 1, Certified: true,
	Obligations: exchange.Obligations{DeleteWithin: 3600, NoOnwardSharing: true}, Delegation: true,
}

var description = exchange.Description{
	Title: "Population", Description: "By county.", Keywords: []string{"people"}, Licence: "CC0-1.0", MediaType: "text/csv",
	Columns: []exchange.Column{{Name: "county", Type: exchange.String, Unit: "none", Description: "Its name."}},
}

func departmentIn(s exchange.Status, op exchange.Op) exchange.Department {
	return exchange.Department{
		Name: "census", MSP: "CensusMSP", Title: "Bureau of the Census", Recipient: "age1" + strings.Repeat("q", 58),
		Status: s, Since: at, Change: change(op),
	}
}

func officerIn(s exchange.Status, op exchange.Op) exchange.OfficerRecord {
	return exchange.OfficerRecord{
		ID: officer, Department: "census", Name: "worker", Role: exchange.Worker, Certificate: "-----BEGIN CERTIFICATE-----",
		Status: s, Since: at, Change: change(op),
	}
}

func datasetIn(s exchange.DatasetState, op exchange.Op) exchange.Dataset {
	return exchange.Dataset{
		ID: dataset, Name: "population", Owner: "census", Description: description, Terms: terms, Said: digest,
		State: s, Versions: 2, Latest: object, Since: at, Change: change(op),
	}
}

func requestIn(s exchange.RequestState, op exchange.Op) exchange.Request {
	return exchange.Request{
		ID: request, Requester: "health", RequesterMSP: "HealthMSP", Provider: "census", Dataset: dataset, Version: digest, Object: object,
		Purpose: "planning", LegalBasis: "§ 1", Actions: terms.Actions, Spec: digest, NotBefore: at, NotAfter: later, Uses: 1,
		State: s, Grant: grant, Since: at, Change: change(op),
	}
}

func grantIn(s exchange.GrantState, op exchange.Op) exchange.Grant {
	return exchange.Grant{
		ID: grant, Request: request, Job: job, Owner: "census", OwnerMSP: "CensusMSP", Grantee: "health", GranteeMSP: "HealthMSP",
		Recipient: digest, Dataset: dataset, Version: exchange.Latest, Object: object, Actions: terms.Actions, Spec: digest,
		Purpose: "planning", LegalBasis: "§ 1", NotBefore: at, NotAfter: later, MaxUses: 1, Attestations: 1, Certified: true,
		Obligations: terms.Obligations, Delegation: true, Parent: grant, Depth: 1,
		State: s, GivenTx: tx, Since: at, Change: change(op),
	}
}

func redemptionIn(s exchange.RedemptionState, op exchange.Op) exchange.Redemption {
	return exchange.Redemption{
		Grant: grant, Slot: 1, Owner: "census", Grantee: "health", Dataset: dataset, Object: object, SealedDigest: digest,
		Attempt: 1, State: s, RedeemedTx: tx, Since: at, Change: change(op),
	}
}

// goldenRecords is the data of every event of the ledger, every field filled.
func goldenRecords() map[exchange.EventType]any {
	return map[exchange.EventType]any{
		exchange.DepartmentRegistered: departmentIn(exchange.Active, exchange.OpDepartmentRegister),
		exchange.DepartmentSuspended:  departmentIn(exchange.Suspended, exchange.OpDepartmentSuspend),
		exchange.DepartmentReinstated: departmentIn(exchange.Active, exchange.OpDepartmentReinstate),
		exchange.OfficerEnrolled:      officerIn(exchange.Active, exchange.OpOfficerEnrol),
		exchange.OfficerSuspended:     officerIn(exchange.Suspended, exchange.OpOfficerSuspend),
		exchange.OfficerReinstated:    officerIn(exchange.Active, exchange.OpOfficerReinstate),
		exchange.DatasetRegistered:    datasetIn(exchange.Registered, exchange.OpDatasetRegister),
		exchange.DatasetTermsSet:      datasetIn(exchange.Registered, exchange.OpDatasetSetTerms),
		exchange.DatasetWithdrawn:     datasetIn(exchange.Withdrawn, exchange.OpDatasetWithdraw),
		exchange.ObjectRegistered: exchange.Object{
			ID: object, Dataset: dataset, Owner: "census", Version: 2, CID: cid, Size: 4096, SealedDigest: digest, ContentDigest: digest,
			Rows: 12, FileName: "population.csv", Source: "the register", DerivedFrom: []string{digest, object},
			State: exchange.Registered, Since: at, Change: change(exchange.OpObjectRegister),
		},
		exchange.ObjectAttested: exchange.Attestation{
			Object: object, By: "labor", Verdict: exchange.Bad, Found: digest, Reason: "another digest", Change: change(exchange.OpObjectAttest),
		},
		exchange.ObjectCertified: exchange.Certification{
			Object: object, Dataset: dataset, Owner: "census", SealedDigest: digest, Statement: "checked against the register",
			Change: change(exchange.OpObjectCertify),
		},
		exchange.RequestOpened:       requestIn(exchange.RequestOpen, exchange.OpRequestOpen),
		exchange.RequestWasWithdrawn: requestIn(exchange.RequestWithdrawn, exchange.OpRequestWithdraw),
		exchange.RequestWasRefused:   requestIn(exchange.RequestRefused, exchange.OpRequestRefuse),
		exchange.GrantWasGiven:       grantIn(exchange.GrantGiven, exchange.OpGrantGive),
		exchange.GrantWasRevoked:     grantIn(exchange.GrantRevoked, exchange.OpGrantRevoke),
		exchange.GrantRedeemed:       redemptionIn(exchange.Redeemed, exchange.OpGrantRedeem),
		exchange.KeyReleased: exchange.Release{
			Grant: grant, Slot: 1, Owner: "census", Grantee: "health", Object: object, WrapCID: cid, WrapDigest: digest,
			Change: change(exchange.OpKeyRelease),
		},
		exchange.KeyRefused: redemptionIn(exchange.ReleaseDenied, exchange.OpKeyRefuse),
		exchange.ReceiptFiled: exchange.Receipt{
			Grant: grant, Slot: 1, Owner: "census", Grantee: "health", Object: object, SealedDigest: digest, ContentDigest: digest, Rows: 12,
			Change: change(exchange.OpReceiptFile),
		},
		exchange.DisputeOpened: exchange.Dispute{
			Grant: grant, Slot: 1, Owner: "census", Grantee: "health", Object: object, Cause: exchange.CauseSealed, Found: digest,
			Reason: "another digest", Change: change(exchange.OpDisputeOpen),
		},
		exchange.KeyringActivated:  keyringIn(exchange.KeyringActive, exchange.OpKeyringCreate),
		exchange.KeyringWasRetired: keyringIn(exchange.KeyringRetired, exchange.OpKeyringRetire),
		exchange.JobOpened:         jobIn(exchange.JobOpen, exchange.OpJobOpen),
		exchange.JobWasApproved:    jobIn(exchange.JobApproved, exchange.OpJobApprove),
		exchange.JobWasRefused:     jobIn(exchange.JobRefused, exchange.OpJobRefuse),
		exchange.JobWasWithdrawn:   jobIn(exchange.JobWithdrawn, exchange.OpJobWithdraw),
		exchange.JobWasFailed:      jobIn(exchange.JobFailed, exchange.OpJobFail),
		exchange.JobWasAligned:     jobIn(exchange.JobAligned, exchange.OpJobAlign),
		exchange.JobWasMasked:      jobIn(exchange.JobAligned, exchange.OpJobMask),
		exchange.JobWasContributed: jobIn(exchange.JobContributed, exchange.OpJobContribute),
		exchange.JobWasComputed:    jobIn(exchange.JobComputed, exchange.OpJobEvaluate),
		exchange.JobWasContested:   jobIn(exchange.JobDisputed, exchange.OpJobContest),
		exchange.JobSharePosted: exchange.Share{
			Job: job, Department: "labor", Requester: "health", Digest: digest, Sealed: "YWdl", Change: change(exchange.OpJobShare),
		},
		exchange.JobWasClosed: exchange.Result{
			Job: job, Requester: "health", Commitment: digest, Change: change(exchange.OpJobClose),
		},
		exchange.CommandRejected: exchange.OperationRecord{
			Department: "health", Command: "Case:7.1_a", Op: exchange.OpRequestOpen, Digest: digest, Code: exchange.Denied,
			Message: "not of the terms", ID: rejected, Tx: tx, Time: at,
		},
	}
}

// goldenWork is the data of every work event that the ledger does not say too.
func goldenWork() map[exchange.EventType]any {
	register := exchange.RegisterObject{
		Command: "c-1", Dataset: dataset, CID: cid, Size: 4096, SealedDigest: digest, ContentDigest: digest, Rows: 12,
		FileName: "population.csv", Source: "the register", DerivedFrom: []string{digest},
	}
	return map[exchange.EventType]any{
		events.CommandAccepted: events.Accepted{
			Department: "health", Command: "c-2", Op: string(events.RequestOpen), ID: request, Tx: tx, Repeated: true, Time: at,
		},
		events.ObjectStaged: events.Staged{
			Object: object, Dataset: dataset, Command: "c-1", File: "population.csv", Source: "the register", DerivedFrom: []string{digest},
		},
		events.ObjectSealed: events.Sealed{Object: object, RegisterObject: register},
	}
}

func goldenCommands() map[events.Command]any {
	return map[events.Command]any{
		events.DatasetPublish: events.PublishDataset{
			Dataset: exchange.RegisterDataset{Name: "population", Description: description, Terms: terms},
			File:    "population.csv", Source: "the register", DerivedFrom: []string{digest},
		},
		events.RequestOpen: exchange.OpenRequest{
			Dataset: "census/population", Object: object, Purpose: "planning", LegalBasis: "§ 1", Actions: terms.Actions, Spec: digest,
			NotBefore: at, NotAfter: later, Uses: 1,
		},
		events.RequestWithdraw: exchange.EndRequest{Request: request, Reason: "no longer needed"},
		events.JobOpen:         exchange.OpenJob{Plan: plan},
		events.JobWithdraw:     exchange.EndJob{Job: job, Reason: "no longer needed"},
		events.GrantRedeem:     exchange.RedeemGrant{Grant: grant, Slot: 1},
	}
}

func goldenRetried() events.Retried {
	f := goldenFailed()
	return events.Retried{
		Letter: 12, Worker: f.Worker, Consumer: f.Consumer, Subject: f.Subject, Stream: f.Stream, Sequence: f.Sequence,
		Header: f.Header, Body: f.Body, Time: at,
	}
}

func goldenFailed() events.Failed {
	return events.Failed{
		Worker: "release", Consumer: "release-grant-redeemed", Reason: "no such object", Attempts: 10,
		Subject: "chancery.ledger.grant.redeemed.health.census." + grant, Stream: events.StreamLedger, Sequence: 7,
		Header: map[string][]string{"ce-id": {tx + ".0"}}, Body: []byte("{}"), Size: 2, RetryOf: 5, Time: at,
	}
}
