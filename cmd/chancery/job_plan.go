package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"chancery/chaincode/exchange"
)

// planDocument is a job as a file holds it: the fields of a plan, with the keys
// in it or in a file of their own.
type planDocument struct {
	exchange.Plan
	Keys     []planKey `json:"keys"`
	KeysFile string    `json:"keysFile,omitempty"` // a key a line, relative to the document
}

// planKey is a key, which is a text even where it looks like a number.
type planKey string

// UnmarshalJSON refuses what is no text: YAML would have made 4 of 04.
func (k *planKey) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("keys are texts, and %.20s is none: write it in quotes", data)
	}
	*k = planKey(text)
	return nil
}

// readPlan reads the document that --file names, strictly, and checks it. Its
// deadline is in it, or so long from now.
func readPlan(file string, length span, now time.Time) (*exchange.OpenJob, error) {
	plan, err := readPlanDocument("--file", file)
	if err != nil {
		return nil, err
	}
	switch {
	case length != 0 && !plan.Deadline.IsZero():
		return nil, usagef("%s has a deadline, and --for says another: give one", file)
	case length != 0:
		plan.Deadline = after(now, length)
	case plan.Deadline.IsZero():
		return nil, usagef("%s has no deadline: write one, as in deadline: 2026-01-31T12:00:00Z, or say --for 2h", file)
	}
	return checkedPlan(file, plan)
}

func after(now time.Time, length span) time.Time {
	return now.UTC().Truncate(time.Second).Add(time.Duration(length))
}

func checkedPlan(file string, plan exchange.Plan) (*exchange.OpenJob, error) {
	body := &exchange.OpenJob{Plan: plan}
	if err := body.Validate(); err != nil {
		return nil, usagef("%s: %w", file, err)
	}
	return body, nil
}

// readPlanDocument reads a plan as it stands in the file that a flag names, its
// keys among it, wherever they are written.
func readPlanDocument(flag, file string) (exchange.Plan, error) {
	var doc planDocument
	if err := readDocument(flag, file, &doc); err != nil {
		return doc.Plan, err
	}
	for _, key := range doc.Keys {
		doc.Plan.Keys = append(doc.Plan.Keys, string(key))
	}
	if doc.KeysFile == "" {
		return doc.Plan, nil
	}
	if len(doc.Keys) > 0 {
		return doc.Plan, usagef("%s: keys and keysFile both say what the result is asked for: give one", file)
	}
	name := doc.KeysFile
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(file), name)
	}
	keys, err := readKeys(name)
	doc.Plan.Keys = keys
	return doc.Plan, err
}

// readKeys reads a file with a key a line.
func readKeys(file string) ([]string, error) {
	data, err := readSmall(file)
	if err != nil {
		return nil, usagef("keysFile: %w", err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	keys := make([]string, len(lines))
	for i, line := range lines {
		keys[i] = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(keys[i]) != keys[i] || keys[i] == "" {
			return nil, usagef("%s:%d: %q is no key: write one a line, without spaces around it", file, i+1, keys[i])
		}
	}
	return keys, nil
}
