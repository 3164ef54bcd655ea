// Package schemas holds the JSON Schema (draft 2020-12) of every event, command
// and step that travels on a department's bus, and the AsyncAPI 3 document that
// gives each its channel. They describe the data of an envelope, for people and
// programs that share no code with us; the workers' own checks are stricter.
package schemas

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed *.schema.json asyncapi.yaml
var files embed.FS

const (
	suffix  = ".schema.json"
	records = "records" // shared definitions, no message
)

var (
	// ErrUnknown says that there is no schema for a type.
	ErrUnknown = errors.New("no schema for the type")
	// ErrMismatch says that data are not as their type's schema demands.
	ErrMismatch = errors.New("data do not match the schema")
)

// Names are the events and commands that have a schema ("grant.given"), in
// order.
func Names() []string {
	list, err := fs.Glob(files, "*"+suffix)
	if err != nil {
		return nil // the pattern is a constant
	}
	names := make([]string, 0, len(list))
	for _, file := range list {
		if name := strings.TrimSuffix(file, suffix); name != records {
			names = append(names, name)
		}
	}
	return names
}

// Schema is the text of the schema of an event or command.
func Schema(name string) ([]byte, error) {
	text, err := files.ReadFile(name + suffix)
	if err != nil {
		return nil, fmt.Errorf("%w %q", ErrUnknown, name)
	}
	return text, nil
}

// AsyncAPI is the AsyncAPI document, in YAML.
func AsyncAPI() ([]byte, error) { return files.ReadFile("asyncapi.yaml") }

// Validate checks the data of an envelope against the schema of its CloudEvents
// type. Errors: ErrUnknown, ErrMismatch with every place that is wrong. Safe
// for concurrent use.
func Validate(ceType string, data []byte) error {
	all, err := compiled()
	if err != nil {
		return err
	}
	s, ok := all[ceType]
	if !ok {
		return fmt.Errorf("%w %q", ErrUnknown, ceType)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%w: not JSON: %w", ErrMismatch, err)
	}
	if err := s.Validate(v); err != nil {
		return fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	return nil
}

// compiled compiles the embedded schemas once, by CloudEvents type.
var compiled = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	names := Names()
	for _, name := range append([]string{records}, names...) {
		text, err := Schema(name)
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
		if err := c.AddResource(uri(name), doc); err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
	}
	all := make(map[string]*jsonschema.Schema, len(names))
	for _, name := range names {
		s, err := c.Compile(uri(name))
		if err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
		all["chancery."+name+".v1"] = s
	}
	return all, nil
})

// uri is the identifier of a schema, as its $id and ce-dataschema say it.
func uri(name string) string {
	if name == records {
		return "urn:chancery:schemas:" + name
	}
	return "urn:chancery:schemas:" + name + ".v1"
}
