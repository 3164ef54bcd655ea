package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
)

// PutJob records a part of the department's work for a job and returns what the
// journal then holds: on a repeat, the first record. A part is named by a-z, 0-9
// and inner hyphens; as JSON it has [envelope.MaxRecord] bytes at most. The
// department's identity must exist.
func PutJob[T any](j *Journal, job, part string, v T) (T, error) {
	var none T
	file, err := j.jobFile(job, part)
	if err != nil {
		return none, err
	}
	plain, err := exchange.Encode(v)
	if err != nil {
		return none, fmt.Errorf("journal %s of job %s: %w", part, job, err)
	}
	if err := j.writeSealed(file, plain); err != nil {
		return none, fmt.Errorf("journal %s of job %s: %w", part, job, err)
	}
	return Job[T](j, job, part)
}

// Job reads a part of the department's work for a job, or answers [ErrNotFound].
func Job[T any](j *Journal, job, part string) (v T, err error) {
	file, err := j.jobFile(job, part)
	if err != nil {
		return v, err
	}
	plain, err := j.readSealed(file)
	if errors.Is(err, fs.ErrNotExist) {
		return v, fmt.Errorf("%s of job %s: %w", part, job, ErrNotFound)
	}
	if err == nil {
		err = exchange.Decode(plain, &v)
	}
	if err != nil {
		return v, fmt.Errorf("journal of %s of job %s: %w", part, job, err)
	}
	return v, nil
}

// writeSealed seals a record to the department and writes it, unless there is one.
func (j *Journal) writeSealed(file string, plain []byte) error {
	identity, err := j.keys.Identity(keystore.Department)
	if err != nil {
		return fmt.Errorf("identity: %v", err)
	}
	record, err := envelope.SealRecord(plain, identity.Recipient())
	if err != nil {
		return err
	}
	if err := keystore.WriteNew(file, record); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// readSealed reads a record of the department's. Only its own absence is
// [fs.ErrNotExist].
func (j *Journal) readSealed(file string) ([]byte, error) {
	record, err := keystore.ReadPrivate(file, envelope.MaxRecord+overhead)
	if err != nil {
		return nil, err
	}
	identity, err := j.keys.Identity(keystore.Department)
	if err != nil {
		return nil, fmt.Errorf("identity: %v", err)
	}
	return envelope.OpenRecord(record, identity)
}

var partPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

func (j *Journal) jobFile(job, part string) (string, error) {
	if !exchange.ValidID(exchange.NounJob, job) || !partPattern.MatchString(part) {
		return "", fmt.Errorf("journal: %q of job %q: %w", part, job, ErrNotFound)
	}
	return filepath.Join(j.dir, jobs, job+"-"+part+suffix), nil
}

// MaskPart names the part of a job that a [Mask] is.
const MaskPart = "mask"

// Mask is what the requester of a job keeps of its mask: compute makes it, and
// combine takes it off the result.
type Mask struct {
	Spec        string   `json:"spec"`    // digest of the job's spec
	Numbers     []string `json:"numbers"` // secret, decimal, one for each plaintext
	Ciphertexts []string `json:"ciphertexts"`
}
