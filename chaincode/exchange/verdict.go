package exchange

// Verdict of a department that fetched and checked a sealed object.
type Verdict string

const (
	Good Verdict = "good"
	Bad  Verdict = "bad"
)

// Attestation is another department's latest verdict on an object.
type Attestation struct {
	Object  string  `json:"object"`
	By      string  `json:"by"`
	Verdict Verdict `json:"verdict"`
	Found   string  `json:"found,omitempty"`  // the digest found, where it was another
	Reason  string  `json:"reason,omitempty"` // why it is bad
	Change  Change  `json:"change"`
}

// AttestObject is the body of [OpObjectAttest].
type AttestObject struct {
	Object  string  `json:"object"`
	Verdict Verdict `json:"verdict"`
	Found   string  `json:"found,omitempty"`
	Reason  string  `json:"reason,omitempty"`
}

// Validate checks the body by itself.
func (b *AttestObject) Validate() error {
	err := first(
		checkID("object", NounObject, b.Object),
		checkOneOf("verdict", b.Verdict, []Verdict{Good, Bad}),
		checkText("reason", b.Reason, 0, 1000))
	if b.Found != "" {
		err = first(err, checkDigest("found", b.Found))
	}
	return err
}

// Certification is an owner's officer standing in for a version by name. It is
// for good: what turns out wrong is withdrawn with its dataset.
type Certification struct {
	Object       string `json:"object"`
	Dataset      string `json:"dataset"`
	Owner        string `json:"owner"`
	SealedDigest string `json:"sealedDigest"` // of the version, as it was registered
	Statement    string `json:"statement"`    // what the officer vouches for
	Change       Change `json:"change"`
}

// CertifyObject is the body of [OpObjectCertify].
type CertifyObject struct {
	Object    string `json:"object"`
	Statement string `json:"statement"`
}

// Validate checks the body by itself.
func (b *CertifyObject) Validate() error {
	return first(checkID("object", NounObject, b.Object), checkText("statement", b.Statement, 1, 1000))
}
