package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"
)

// configFile is read from the working directory when CHANCERY_CONFIG names no other.
const configFile = "chancery.yaml"

// readConfig reads the configuration file. Only one that was asked for, by
// CHANCERY_CONFIG, must be there.
func readConfig(lookup func(string) (string, bool), known *pflag.FlagSet) (string, map[string]string, error) {
	file, asked := lookup(variable("config"))
	if !asked || file == "" {
		file, asked = configFile, false
	}
	data, err := readSmall(file)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return file, nil, nil
	}
	if err != nil {
		return file, nil, usagef("configuration: %w", err)
	}
	values, err := parseConfig(data, settingNames(known))
	if err != nil {
		return file, nil, usagef("%s: %w", file, err)
	}
	return file, values, nil
}

// parseConfig reads one YAML mapping of setting names to scalars, strictly.
func parseConfig(data []byte, known []string) (map[string]string, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var nodes map[string]yaml.Node
	if err := decoder.Decode(&nodes); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	values := make(map[string]string, len(nodes))
	for key, node := range nodes {
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("line %d: unknown key %q: use %s", node.Line, key, strings.Join(known, ", "))
		}
		if node.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: %s is not a single value", node.Line, key)
		}
		values[key] = node.Value
	}
	return values, nil
}
