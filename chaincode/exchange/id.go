package exchange

import (
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strings"
)

// Noun names a kind of record.
type Noun string

const (
	NounDepartment    Noun = "department"
	NounOfficer       Noun = "officer"
	NounDataset       Noun = "dataset"
	NounObject        Noun = "object"
	NounAttestation   Noun = "attestation"
	NounCertification Noun = "certification"
	NounRequest       Noun = "request"
	NounGrant         Noun = "grant"
	NounRedemption    Noun = "redemption"
	NounRelease       Noun = "release"
	NounReceipt       Noun = "receipt"
	NounDispute       Noun = "dispute"
	NounOperation     Noun = "operation"
	NounKeyring       Noun = "keyring"
	NounJob           Noun = "job"
	NounContribution  Noun = "contribution"
	NounMask          Noun = "mask"
	NounEvaluation    Noun = "evaluation"
	NounShare         Noun = "share"
	NounResult        Noun = "result"
)

var letters = map[Noun]string{NounDataset: "d", NounObject: "o", NounRequest: "r", NounGrant: "g", NounOfficer: "f", NounOperation: "c", NounKeyring: "k", NounJob: "j"}

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// idLength is the number of base32 characters kept: 130 bits.
const idLength = 26

// NewID derives the id of an object, request or grant from the MSP and the
// command that ask for it, so that saying it twice finds it there; of
// [NounOperation], the id under which events and subjects name the command.
func NewID(noun Noun, msp, command string) string {
	return shortID(noun, msp+"\x00"+command+"\x00"+string(noun))
}

// DatasetID derives a dataset's id from its owner's MSP and its name: a name is
// one dataset, whichever command registers it, and an object may be registered
// in the dataset before its registration was answered.
func DatasetID(msp, name string) string { return NewID(NounDataset, msp, name) }

// KeyringID derives a keyring's id from its keyholder's MSP and its name.
func KeyringID(msp, name string) string { return NewID(NounKeyring, msp, name) }

// JobGrantID derives the id of the grant that an approval gives for an input of
// a job.
func JobGrantID(job string, input int) string { return shortID(NounGrant, UseID(job, input)) }

// DatasetName splits "<owner>/<name>", as people name a dataset; ok is false
// for an id.
func DatasetName(s string) (owner, name string, ok bool) {
	owner, name, ok = strings.Cut(s, "/")
	return owner, name, ok && ValidName(owner) && ValidName(name)
}

// OfficerID derives an officer's id from what the issuer signed, the DER bytes
// of the certificate's TBSCertificate (RFC 5280, section 4.1.2). The signature
// is left out: Fabric's own tools rewrite it in low-S form, and the certificate
// must stay the same officer's.
func OfficerID(tbs []byte) string { return shortID(NounOfficer, string(tbs)) }

func shortID(noun Noun, material string) string {
	sum := sha256.Sum256([]byte(material))
	return letters[noun] + "-" + lowerBase32.EncodeToString(sum[:])[:idLength]
}

var (
	idPattern      = regexp.MustCompile(`^[a-z]-[a-z2-7]{26}$`)
	namePattern    = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)
	commandPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)
	digestPattern  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// ValidID reports whether s has the form of an id of that noun.
func ValidID(noun Noun, s string) bool {
	return idPattern.MatchString(s) && strings.HasPrefix(s, letters[noun]+"-")
}

// ValidName reports whether s may name a department, dataset or officer: 1 to
// 64 characters of a-z, 0-9 and inner hyphens. ASCII alone, so that no name
// looks like another.
func ValidName(s string) bool { return namePattern.MatchString(s) }

// ValidCommand reports whether s may be a command id: 1 to 128 characters of
// A-Z, a-z, 0-9 and ._:- of which the first is a letter or digit.
func ValidCommand(s string) bool { return commandPattern.MatchString(s) }

// ValidDigest reports whether s is a SHA-256 in lower-case hexadecimal.
func ValidDigest(s string) bool { return digestPattern.MatchString(s) }
