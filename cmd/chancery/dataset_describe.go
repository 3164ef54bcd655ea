package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"chancery/chaincode/exchange"
)

// datasetFlags describe a dataset on the command line.
type datasetFlags struct {
	Name        string
	Title       string
	Description string
	Keywords    []string
	Licence     string
	MediaType   string
	Columns     []string // name:type, or name:type:unit
	Terms       termsFlags
}

func (d *datasetFlags) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&d.Name, "name", "", "name of the dataset in the department: a-z, 0-9 and hyphens")
	flags.StringVar(&d.Title, "title", "", "title in one line")
	flags.StringVar(&d.Description, "description", "", "what the data is")
	flags.StringSliceVar(&d.Keywords, "keyword", nil, "keyword; may be repeated")
	flags.StringVar(&d.Licence, "licence", "", "licence in one line")
	flags.StringVar(&d.MediaType, "media-type", "", "media type (default: by the file's extension)")
	flags.StringArrayVar(&d.Columns, "column", nil, "column as NAME:TYPE[:UNIT], with a type of string, integer, number, boolean, date; may be repeated")
	d.Terms.addTo(flags)
}

// apply puts what the flags say into a dataset, and defaults where neither they
// nor the document say anything.
func (d *datasetFlags) apply(flags *pflag.FlagSet, to *exchange.RegisterDataset, file string) error {
	for _, field := range []struct {
		flag  string
		value string
		to    *string
	}{
		{"name", d.Name, &to.Name}, {"title", d.Title, &to.Title}, {"description", d.Description, &to.Description.Description},
		{"licence", d.Licence, &to.Licence}, {"media-type", d.MediaType, &to.MediaType},
	} {
		if flags.Changed(field.flag) {
			*field.to = field.value
		}
	}
	if to.MediaType == "" {
		to.MediaType = mediaType(file)
	}
	if flags.Changed("keyword") {
		to.Keywords = d.Keywords
	}
	if flags.Changed("column") {
		columns, err := parseColumns(d.Columns)
		if err != nil {
			return err
		}
		to.Columns = columns
	}
	d.Terms.apply(flags, &to.Terms)
	d.Terms.complete(flags, &to.Terms)
	return nil
}

// parseColumns reads NAME:TYPE[:UNIT]. A name with a colon goes into a
// document.
func parseColumns(texts []string) ([]exchange.Column, error) {
	columns := make([]exchange.Column, len(texts))
	for i, text := range texts {
		parts := strings.SplitN(text, ":", 3)
		if len(parts) < 2 || parts[0] == "" || parts[1] == "" {
			return nil, usagef("--column %q is not NAME:TYPE or NAME:TYPE:UNIT", text)
		}
		columns[i] = exchange.Column{Name: parts[0], Type: exchange.ColumnType(parts[1])}
		if len(parts) == 3 {
			columns[i].Unit = parts[2]
		}
	}
	return columns, nil
}

var mediaTypes = map[string]string{
	".csv": "text/csv", ".tsv": "text/tab-separated-values", ".json": "application/json", ".txt": "text/plain",
}

func mediaType(file string) string {
	if t, ok := mediaTypes[strings.ToLower(filepath.Ext(file))]; ok {
		return t
	}
	return "application/octet-stream"
}

// readMetadata reads the document of a dataset's registration, YAML or JSON,
// strictly; an empty file name is an empty document.
func readMetadata(file string) (dataset exchange.RegisterDataset, err error) {
	if file != "" {
		err = readDocument("--metadata", file, &dataset)
	}
	return dataset, err
}

// readDocument reads the file that a flag names, YAML or JSON, strictly.
func readDocument(flag, file string, v any) error {
	data, err := readSmall(file)
	if err != nil {
		return usagef("%s: %w", flag, err)
	}
	return parseDocument(file, data, v)
}

// parseDocument decodes the document in a file of that name.
func parseDocument(file string, data []byte, v any) (err error) {
	if strings.ToLower(filepath.Ext(file)) != ".json" {
		if data, err = yamlToJSON(data); err != nil {
			return usagef("%s: %w", file, err)
		}
	}
	if err := exchange.Decode(data, v); err != nil {
		return usagef("%s: %w", file, err)
	}
	return nil
}

// yamlToJSON rewrites one YAML document. Keys that are no strings and
// duplicate keys are errors.
func yamlToJSON(data []byte) ([]byte, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document map[string]any
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	return json.Marshal(document)
}
