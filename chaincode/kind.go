package chaincode

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"chancery/chaincode/exchange"
)

// kind is what queries know of a noun.
type kind struct {
	key      func(first, second string) (exchange.Key, bool) // false: not of the form of its ids
	named    func(msp, name string) exchange.Key             // also found by "<owner>/<name>"; nil: is not
	pair     bool                                            // its id has two parts
	under    bool                                            // the first part is its parent
	stateful bool
	large    bool // so that fewer are read at a time
	view     func(record []byte) (view, error)
}

// view is what a query can filter a record by.
type view struct {
	departments []string
	parents     []string
	state       string
	since       time.Time
}

var kinds = map[exchange.Noun]kind{
	exchange.NounDepartment: {
		key: one(exchange.DepartmentKey, exchange.ValidName), stateful: true,
		view: viewOf(func(d exchange.Department) view {
			return view{departments: []string{d.Name}, state: string(d.Status), since: d.Since}
		}),
	},
	exchange.NounOfficer: {
		key: one(exchange.OfficerKey, isID(exchange.NounOfficer)), stateful: true,
		view: viewOf(func(o exchange.OfficerRecord) view {
			return view{departments: []string{o.Department}, parents: []string{o.Department}, state: string(o.Status), since: o.Since}
		}),
	},
	exchange.NounDataset: {
		key: one(exchange.DatasetKey, isID(exchange.NounDataset)), stateful: true,
		named: func(msp, name string) exchange.Key { return exchange.DatasetKey(exchange.DatasetID(msp, name)) },
		view: viewOf(func(d exchange.Dataset) view {
			return view{departments: []string{d.Owner}, parents: []string{d.Owner}, state: string(d.State), since: d.Since}
		}),
	},
	exchange.NounObject: {
		key: one(exchange.ObjectKey, isID(exchange.NounObject)), stateful: true,
		view: viewOf(func(o exchange.Object) view {
			return view{departments: []string{o.Owner}, parents: []string{o.Dataset}, state: string(o.State), since: o.Since}
		}),
	},
	exchange.NounAttestation: {
		key: two(exchange.AttestationKey, isID(exchange.NounObject), exchange.ValidName), pair: true, under: true, stateful: true,
		view: viewOf(func(a exchange.Attestation) view {
			return view{departments: []string{a.By}, parents: []string{a.Object}, state: string(a.Verdict), since: a.Change.Time}
		}),
	},
	exchange.NounCertification: {
		key: one(exchange.CertificationKey, isID(exchange.NounObject)),
		view: viewOf(func(c exchange.Certification) view {
			return view{departments: []string{c.Owner}, parents: []string{c.Object, c.Dataset}, since: c.Change.Time}
		}),
	},
	exchange.NounRequest: {
		key: one(exchange.RequestKey, isID(exchange.NounRequest)), stateful: true,
		view: viewOf(func(r exchange.Request) view {
			return view{departments: []string{r.Requester, r.Provider}, parents: []string{r.Dataset}, state: string(r.State), since: r.Since}
		}),
	},
	exchange.NounGrant: {
		key: one(exchange.GrantKey, isID(exchange.NounGrant)), stateful: true,
		view: viewOf(func(g exchange.Grant) view {
			return view{departments: []string{g.Owner, g.Grantee}, parents: []string{g.Dataset, g.Request, g.Job}, state: string(g.State), since: g.Since}
		}),
	},
	exchange.NounRedemption: {
		key: slotted(exchange.RedemptionKey), pair: true, under: true, stateful: true,
		view: viewOf(func(r exchange.Redemption) view {
			return view{departments: []string{r.Owner, r.Grantee}, parents: []string{r.Grant}, state: string(r.State), since: r.Since}
		}),
	},
	exchange.NounRelease: {
		key: slotted(exchange.ReleaseKeyOf), pair: true, under: true,
		view: viewOf(func(r exchange.Release) view {
			return view{departments: []string{r.Owner, r.Grantee}, parents: []string{r.Grant}, since: r.Change.Time}
		}),
	},
	exchange.NounReceipt: {
		key: slotted(exchange.ReceiptKey), pair: true, under: true,
		view: viewOf(func(r exchange.Receipt) view {
			return view{departments: []string{r.Owner, r.Grantee}, parents: []string{r.Grant}, since: r.Change.Time}
		}),
	},
	exchange.NounDispute: {
		key: slotted(exchange.DisputeKey), pair: true, under: true,
		view: viewOf(func(d exchange.Dispute) view {
			return view{departments: []string{d.Owner, d.Grantee}, parents: []string{d.Grant}, since: d.Change.Time}
		}),
	},
	exchange.NounKeyring: {
		key: one(exchange.KeyringKey, isID(exchange.NounKeyring)), stateful: true,
		named: func(msp, name string) exchange.Key { return exchange.KeyringKey(exchange.KeyringID(msp, name)) },
		view: viewOf(func(k exchange.Keyring) view {
			return view{departments: []string{k.Keyholder}, parents: []string{k.Keyholder}, state: string(k.State), since: k.Since}
		}),
	},
	exchange.NounJob: {
		key: one(exchange.JobKey, isID(exchange.NounJob)), stateful: true, large: true,
		view: viewOf(viewJob),
	},
	exchange.NounContribution: {
		key: two(exchange.ContributionKey, isID(exchange.NounJob), exchange.ValidName), pair: true, under: true, large: true,
		view: viewOf(func(c exchange.Contribution) view {
			return view{departments: []string{c.Department}, parents: []string{c.Job}, since: c.Change.Time}
		}),
	},
	exchange.NounMask: {
		key: one(exchange.MaskKey, isID(exchange.NounJob)), under: true, large: true,
		view: viewOf(func(m exchange.Mask) view {
			return view{departments: []string{m.Requester}, parents: []string{m.Job}, since: m.Change.Time}
		}),
	},
	exchange.NounEvaluation: {
		key: one(exchange.EvaluationKey, isID(exchange.NounJob)), under: true, large: true,
		view: viewOf(func(e exchange.Evaluation) view {
			return view{departments: []string{e.Change.By}, parents: []string{e.Job}, since: e.Change.Time}
		}),
	},
	exchange.NounShare: {
		key: two(exchange.ShareKey, isID(exchange.NounJob), exchange.ValidName), pair: true, under: true, large: true,
		view: viewOf(func(s exchange.Share) view {
			return view{departments: []string{s.Department, s.Requester}, parents: []string{s.Job}, since: s.Change.Time}
		}),
	},
	exchange.NounResult: {
		key: one(exchange.ResultKey, isID(exchange.NounJob)), under: true,
		view: viewOf(func(r exchange.Result) view {
			return view{departments: []string{r.Requester}, parents: []string{r.Job}, since: r.Change.Time}
		}),
	},
	exchange.NounOperation: {
		key: two(exchange.OperationKey, exchange.ValidName, exchange.ValidCommand), pair: true, under: true, stateful: true,
		view: viewOf(func(o exchange.OperationRecord) view {
			return view{departments: []string{o.Department}, parents: []string{o.Department}, state: string(o.Code), since: o.Time}
		}),
	},
}

// viewJob shows a job to its requester, its keyholder and its providers, under
// its keyring and its datasets.
func viewJob(j exchange.Job) view {
	v := view{
		departments: append([]string{j.Requester, j.Spec.Keyholder}, j.Spec.Providers()...),
		parents:     []string{j.Spec.Keyring}, state: string(j.State), since: j.Since,
	}
	for _, in := range j.Spec.Inputs {
		v.parents = append(v.parents, in.Dataset)
	}
	return v
}

func viewOf[T any](f func(T) view) func([]byte) (view, error) {
	return func(data []byte) (view, error) {
		var record T
		if err := json.Unmarshal(data, &record); err != nil {
			return view{}, err
		}
		return f(record), nil
	}
}

func isID(noun exchange.Noun) func(string) bool {
	return func(s string) bool { return exchange.ValidID(noun, s) }
}

func one(key func(string) exchange.Key, valid func(string) bool) func(first, second string) (exchange.Key, bool) {
	return func(first, _ string) (exchange.Key, bool) { return key(first), valid(first) }
}

func two(key func(a, b string) exchange.Key, valid, validSecond func(string) bool) func(first, second string) (exchange.Key, bool) {
	return func(first, second string) (exchange.Key, bool) {
		return key(first, second), valid(first) && validSecond(second)
	}
}

func slotted(key func(grant string, slot int) exchange.Key) func(first, second string) (exchange.Key, bool) {
	return func(first, second string) (exchange.Key, bool) {
		slot, err := strconv.Atoi(second)
		valid := err == nil && slot >= 0 && slot < exchange.MaxUses && strconv.Itoa(slot) == second
		return key(first, slot), valid && exchange.ValidID(exchange.NounGrant, first)
	}
}

// recordKey finds the key of a record by the id under which people know it.
func (t *transaction) recordKey(noun exchange.Noun, id string) (exchange.Key, error) {
	k, ok := kinds[noun]
	if !ok {
		return exchange.Key{}, exchange.Errorf(exchange.Invalid, "noun %.64q is none of %v", noun, exchange.Listed)
	}
	first, second, pair := strings.Cut(id, "/")
	if k.named != nil && pair {
		return t.namedKey(noun, k.named, first, second)
	}
	key, valid := k.key(first, second)
	if !valid || pair != k.pair {
		return key, exchange.Errorf(exchange.Invalid, "%.200q is no id of the noun %s", id, noun)
	}
	return key, nil
}

// namedKey finds a dataset or keyring by its owner and name.
func (t *transaction) namedKey(noun exchange.Noun, key func(msp, name string) exchange.Key, owner, name string) (exchange.Key, error) {
	if !exchange.ValidName(owner) || !exchange.ValidName(name) {
		return exchange.Key{}, exchange.Errorf(exchange.Invalid, "%.64q/%.64q is not the owner and name of a %s", owner, name, noun)
	}
	d, err := need[exchange.Department](t, exchange.DepartmentKey(owner), owner)
	return key(d.MSP, name), err
}
