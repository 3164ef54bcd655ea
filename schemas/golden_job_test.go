package schemas_test

import (
	"strings"

	"chancery/chaincode/exchange"
)

var keyring = exchange.KeyringID("LaborMSP", "2026")

var plan = exchange.Plan{
	Operation: exchange.WeightedSum, Keyring: keyring, Purpose: "planning", LegalBasis: "§ 1",
	Inputs: []exchange.Input{
		{Dataset: dataset, Object: object, Key: "county", Divisor: 1000, Value: "people", Reduction: exchange.Mean, Shift: -6, Weight: 2},
		{Dataset: dataset, Object: object, Key: "county", Divisor: 1000, Value: "rate", Reduction: exchange.Only, Shift: 2, Weight: -3},
	},
	Keys: []string{"1", "2", "11"}, Scale: 6, ValueBits: 32, MinContributors: 2, Deadline: later,
}

func keyringIn(s exchange.KeyringState, op exchange.Op) exchange.Keyring {
	return exchange.Keyring{
		ID: keyring, Name: "2026", Keyholder: "labor", PublicKey: "paillier-public-1.AAAA", Fingerprint: strings.Repeat("0f", 16),
		Bits: 3072, State: s, Since: at, Change: change(op),
	}
}

func jobIn(s exchange.JobState, op exchange.Op) exchange.Job {
	return exchange.Job{
		ID: job, Requester: "health", RequesterMSP: "HealthMSP",
		Spec: exchange.Spec{
			Plan: plan, Fingerprint: strings.Repeat("0f", 16), Bits: 3072, Requester: "health", Keyholder: "labor",
			Sources: []exchange.Source{
				{Provider: "census", Dataset: "population", SealedDigest: digest},
				{Provider: "labor", Dataset: "unemployment", SealedDigest: digest},
			},
		},
		Digest: digest, State: s,
		Parties: []exchange.JobParty{
			{Department: "census", Grants: []string{grant}, ApprovedTx: tx, Aligned: true, Missing: []string{"11"}, ContributedTx: tx},
			{Department: "labor", Grants: []string{grant}, ApprovedTx: tx, Aligned: true, ContributedTx: tx},
		},
		Masked: true, Since: at, Change: change(op),
	}
}
