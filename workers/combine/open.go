package combine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"chancery/chaincode/exchange"
)

var (
	// ErrNotDelivered says that the inbox does not hold a job's result.
	ErrNotDelivered = fmt.Errorf("the result is not in the inbox: %w", fs.ErrNotExist)
	// ErrAltered says that a delivered result is not the one that was committed
	// to on the ledger.
	ErrAltered = errors.New("the result is not the one committed to")
)

// Value is one row of a result.
type Value struct {
	Key   string `json:"key"`
	Value string `json:"value"` // decimal, at the scale of the job
}

// Result is a delivered result that was checked against the ledger.
type Result struct {
	Job     exchange.Job
	Record  exchange.Result
	Summary Summary
	Values  []Value // in the order of the job's keys
	Table   []byte  // CSV, as delivered
}

// Getter reads records of the ledger.
type Getter interface {
	Get(ctx context.Context, noun exchange.Noun, id string, v any) error
}

// Open reads a job's result from a department's inbox and checks it against the
// commitment on the ledger. Errors: [exchange.ErrDenied] for another department's
// job, [exchange.ErrConflict] for one that is not closed, [exchange.ErrNotFound],
// [ErrNotDelivered], [ErrAltered], and the ledger's and the file system's own.
func Open(ctx context.Context, ledger Getter, department, inbox, job string) (Result, error) {
	var r Result
	if !exchange.ValidID(exchange.NounJob, job) {
		return r, exchange.Errorf(exchange.Invalid, "job %q is not the id of a job", job)
	}
	if err := ledger.Get(ctx, exchange.NounJob, job, &r.Job); err != nil {
		return r, fmt.Errorf("job %s: %w", job, err)
	}
	if r.Job.Requester != department {
		return r, exchange.Errorf(exchange.Denied, "the result of job %s is for %s, which asked for it, and not for %s", job, r.Job.Requester, department)
	}
	if r.Job.State != exchange.JobClosed {
		return r, exchange.Errorf(exchange.Conflict, "job %s is %s and has no result to open", job, r.Job.State)
	}
	if err := ledger.Get(ctx, exchange.NounResult, job, &r.Record); err != nil {
		return r, fmt.Errorf("result of job %s: %w", job, err)
	}
	if err := r.read(filepath.Join(inbox, job)); err != nil {
		return r, err
	}
	return r, r.check()
}

// maxFile bounds a file of a result, in bytes: a thousand keys take a tenth.
const maxFile = 1 << 20

func (r *Result) read(dir string) (err error) {
	if r.Table, err = readFile(filepath.Join(dir, TableFile)); err != nil {
		return err
	}
	summary, err := readFile(filepath.Join(dir, SummaryFile))
	if err != nil {
		return err
	}
	if err := exchange.Decode(summary, &r.Summary); err != nil {
		return fmt.Errorf("%w: %s cannot be read: %v", ErrAltered, SummaryFile, err)
	}
	return nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", name, ErrNotDelivered)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%w: %s is larger than a result", ErrAltered, name)
	}
	return data, err
}

// check holds what was delivered to the ledger, and reads the table.
func (r *Result) check() error {
	salt, err := hex.DecodeString(r.Summary.Salt)
	if err != nil {
		return fmt.Errorf("%w: the salt in %s is not hexadecimal", ErrAltered, SummaryFile)
	}
	if found := exchange.Commitment(salt, r.Table); found != r.Record.Commitment {
		return fmt.Errorf("%w: salt and table commit to %s, and the ledger has %s", ErrAltered, found, r.Record.Commitment)
	}
	sum := sha256.Sum256(r.Table)
	want := summarise(r.Job, result{csv: r.Table, salt: salt})
	said, err := json.Marshal(r.Summary)
	if err != nil {
		return err
	}
	if is, err := json.Marshal(want); err != nil || !bytes.Equal(said, is) {
		return fmt.Errorf("%w: %s does not tell of this job and table, whose SHA-256 is %s", ErrAltered, SummaryFile, hex.EncodeToString(sum[:]))
	}
	table := csv.NewReader(bytes.NewReader(r.Table))
	table.FieldsPerRecord = 2
	rows, err := table.ReadAll()
	if err != nil || len(rows) != 1+len(r.Job.Keys()) {
		return fmt.Errorf("%w: %s is not a table of %d rows", ErrAltered, TableFile, len(r.Job.Keys()))
	}
	for _, row := range rows[1:] {
		r.Values = append(r.Values, Value{row[0], row[1]})
	}
	return nil
}
