package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"
)

// configFile is read from the working directory when CHANCERY_CONFIG names no other.
const configFile = "chancery.yaml"

// configured are the flags that the environment (CHANCERY_DATA for data,
// CHANCERY_BIN_DIR for bin-dir) and the configuration file (by the flag's own
// name) may set too.
var configured = []string{"data", "department", "as", "json", "wait", "bin-dir", "cache-dir", "topology"}

// variable is the environment variable of a flag.
func variable(flag string) string {
	return "CHANCERY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// applySettings gives every configured flag that the command line left alone
// its value from the environment, else from the file, else leaves its default.
// A key of the file that is no such flag is an error, and so is a value that
// the flag itself would refuse.
func applySettings(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	file, values, err := readConfig(lookup)
	if err != nil {
		return err
	}
	for _, name := range configured {
		flag := flags.Lookup(name)
		if flag == nil || flag.Changed {
			continue
		}
		if value, ok := lookup(variable(name)); ok && value != "" {
			if err := flags.Set(name, value); err != nil {
				return usagef("%s=%q: %w", variable(name), value, err)
			}
		} else if value, ok := values[name]; ok {
			if err := flags.Set(name, value); err != nil {
				return usagef("%s: %s: %w", file, name, err)
			}
		}
	}
	return nil
}

// readConfig reads the configuration file. Only one that was asked for, by
// CHANCERY_CONFIG, must be there.
func readConfig(lookup func(string) (string, bool)) (string, map[string]string, error) {
	file, asked := lookup(variable("config"))
	if !asked || file == "" {
		file, asked = configFile, false
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return file, nil, nil
	}
	if err != nil {
		return file, nil, usagef("configuration: %w", err)
	}
	values, err := parseConfig(data)
	if err != nil {
		return file, nil, usagef("%s: %w", file, err)
	}
	return file, values, nil
}

// parseConfig reads one YAML mapping of flag names to scalars, strictly.
func parseConfig(data []byte) (map[string]string, error) {
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
		if !slices.Contains(configured, key) {
			return nil, fmt.Errorf("line %d: unknown key %q: use %s", node.Line, key, strings.Join(configured, ", "))
		}
		if node.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: %s is not a single value", node.Line, key)
		}
		values[key] = node.Value
	}
	return values, nil
}
