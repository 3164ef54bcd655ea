package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"chancery/workers"
)

func newConfigCommand(a *app) *cobra.Command {
	return newNoun("config", "The settings of this command line", newConfigShowCommand(a))
}

func newConfigShowCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show every setting, and where its value came from",
		Long: `Show every setting and where its value came from: a flag, a CHANCERY_ variable,
the configuration file, or the default; and, where there is a network, the profile
of the department: where its parts are. Secrets are not shown.`,
		Example: `  chancery config show
  CHANCERY_DEPARTMENT=census chancery config show --json`,
		Args: takes(),
		RunE: func(*cobra.Command, []string) error { return runConfigShow(a) },
	}
	a.addSettings(cmd, "wait")
	a.addSettings(cmd, buildSettings...)
	return cmd
}

// shownConfig is what config show prints.
type shownConfig struct {
	Settings []shownSetting `json:"settings"`
	Profile  *shownProfile  `json:"profile,omitempty"`
}

type shownSetting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	origin
}

// shownProfile is a department's profile: its keys in the order of the file.
type shownProfile struct {
	File   string       `json:"file"`
	Values []shownValue `json:"values"`
}

type shownValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func runConfigShow(a *app) error {
	var shown shownConfig
	for _, name := range settingNames(a.known) {
		shown.Settings = append(shown.Settings, shownSetting{name, a.known.Lookup(name).Value.String(), a.origins[name]})
	}
	if names, err := a.departments(); err == nil && (a.department != "" || len(names) == 1) {
		profile, err := a.profileOf(names)
		if err != nil {
			return err
		}
		if shown.Profile, err = showProfile(filepath.Join(a.data, profile.Department), profile); err != nil {
			return err
		}
	} else if err == nil {
		a.say("name a department with --department to see its profile too: %s", strings.Join(names, ", "))
	}
	return a.result(shown, shown.write)
}

func (c shownConfig) write(w io.Writer) {
	t := newTable("SETTING", "VALUE", "FROM")
	for _, s := range c.Settings {
		from := s.From
		if s.Where != "" {
			from += " " + s.Where
		}
		t.add(s.Name, s.Value, from)
	}
	if c.Profile != nil {
		for _, v := range c.Profile.Values {
			t.add(v.Key, v.Value, "profile "+c.Profile.File)
		}
	}
	t.write(w)
}

// secretKey is the one value of a profile that opens anything.
const secretKey = "ipfs.auth"

// showProfile writes a profile as dotted keys, without its secret.
func showProfile(dir string, profile workers.Profile) (*shownProfile, error) {
	var node yaml.Node
	if err := node.Encode(profile); err != nil {
		return nil, fmt.Errorf("profile of %s: %w", profile.Department, err)
	}
	shown := &shownProfile{File: filepath.Join(dir, workers.ProfileName), Values: flatten("", &node)}
	for i, v := range shown.Values {
		if v.Key == secretKey && v.Value != "" {
			shown.Values[i].Value = "(secret)"
		}
	}
	return shown, nil
}

// flatten lists the scalars of a mapping under their paths, in order.
func flatten(prefix string, node *yaml.Node) (list []shownValue) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := prefix+node.Content[i].Value, node.Content[i+1]
		if value.Kind == yaml.MappingNode {
			list = append(list, flatten(key+".", value)...)
			continue
		}
		list = append(list, shownValue{key, value.Value})
	}
	return list
}
