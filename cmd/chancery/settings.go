package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chancery/chaincode/exchange"
)

// settings are what a flag, a CHANCERY_ variable and the configuration file may
// all set, in this order; flags describes each.
type settings struct {
	data       string // directory of the network; default: the user's data directory
	department string // to act as; default: the only one that there is
	as         string // identity of the department to sign as; default: the one that fits the verb
	json       bool   // results as JSON; default: text
	wait       span   // how long the outcome of a command is waited for; default: 1m
	binDir     string // existing peer, orderer and ipfs; default: they are built
	cacheDir   string // where they are built; default: the user's cache directory
	topology   string // file with the departments of a new network; default: built in

	metricsPort int // of loopback, where the workers' figures are served; default 0: as the profile says
}

// everywhere are the settings that every verb has a flag for.
var everywhere = []string{"data", "department", "as", "json"}

const defaultWait = span(time.Minute)

// flags makes the flag of every setting, with its default. The flag's name is
// also its key in the configuration file and, behind CHANCERY_, its variable.
func (s *settings) flags(data string) *pflag.FlagSet {
	flags := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.StringVar(&s.data, "data", data, "directory of the network")
	flags.StringVarP(&s.department, "department", "d", "", "act as this department")
	flags.StringVar(&s.as, "as", "", "sign as this identity of the department (default: fits the verb)")
	flags.BoolVar(&s.json, "json", false, "print the result as JSON")
	s.wait = defaultWait
	flags.Var(&s.wait, "wait", "how long to wait for the outcome")
	flags.StringVar(&s.binDir, "bin-dir", "", "use the peer, orderer and ipfs in this directory instead of building them")
	flags.StringVar(&s.cacheDir, "cache-dir", "", "build them here (default: the user's cache directory)")
	flags.StringVar(&s.topology, "topology", "", "file with departments and settings of a new network (default: built in)")
	flags.IntVar(&s.metricsPort, "metrics-port", 0, "serve the workers' figures on this port of loopback (default: the one in the department's profile)")
	return flags
}

// addSettings gives a verb the flags of settings that not every verb has.
func (a *app) addSettings(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		cmd.Flags().AddFlag(a.known.Lookup(name))
	}
}

// origin is where a setting's value came from.
type origin struct {
	From  string `json:"from"`            // flag, variable, file or default
	Where string `json:"where,omitempty"` // the flag, variable or file itself
}

const (
	fromFlag     = "flag"
	fromVariable = "variable"
	fromFile     = "file"
	fromDefault  = "default"
)

// settle gives every setting that the command line left alone its value from the
// environment, else from the file, else leaves its default. A key of the file
// that is no setting is an error, and so is a value that the flag itself would
// refuse. Nothing is connected to before all settings are valid.
func (a *app) settle() error {
	file, values, err := readConfig(a.lookup, a.known)
	if err != nil {
		return err
	}
	a.origins = make(map[string]origin)
	for _, name := range settingNames(a.known) {
		if a.origins[name], err = a.set(a.known.Lookup(name), file, values); err != nil {
			return err
		}
	}
	return a.checkSettings()
}

// set gives one setting its value and says where that is from.
func (a *app) set(flag *pflag.Flag, file string, values map[string]string) (origin, error) {
	if flag.Changed {
		return origin{fromFlag, "--" + flag.Name}, nil
	}
	name := variable(flag.Name)
	if value, ok := a.lookup(name); ok && value != "" {
		if err := a.known.Set(flag.Name, value); err != nil {
			return origin{}, usagef("%s=%q: %w", name, value, err)
		}
		return origin{fromVariable, name}, nil
	}
	if value, ok := values[flag.Name]; ok {
		if err := a.known.Set(flag.Name, value); err != nil {
			return origin{}, usagef("%s: %s: %w", file, flag.Name, err)
		}
		return origin{fromFile, file}, nil
	}
	return origin{From: fromDefault}, nil
}

// checkSettings refuses what no verb could use.
func (a *app) checkSettings() error {
	if a.data == "" {
		return usagef("%s is empty", a.nameOf("data"))
	}
	for _, s := range []struct{ name, value string }{{"department", a.department}, {"as", a.as}} {
		if s.value != "" && !exchange.ValidName(s.value) {
			return usagef("%s %q is not a name", a.nameOf(s.name), s.value)
		}
	}
	if a.metricsPort < 0 || a.metricsPort > 65535 {
		return usagef("%s %d is no port", a.nameOf("metrics-port"), a.metricsPort)
	}
	if a.binDir == "" {
		return nil
	}
	if info, err := os.Stat(a.binDir); err != nil || !info.IsDir() {
		return usagef("%s: there is no directory %s", a.nameOf("bin-dir"), a.binDir)
	}
	return nil
}

// nameOf calls a setting by what set it.
func (a *app) nameOf(setting string) string {
	if o := a.origins[setting]; o.From == fromFile {
		return fmt.Sprintf("%s: %s", o.Where, setting)
	} else if o.Where != "" {
		return o.Where
	}
	return "--" + setting
}

// variable is the environment variable of a setting.
func variable(name string) string {
	return "CHANCERY_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// settingNames are all of them, in the order of their flags.
func settingNames(known *pflag.FlagSet) (names []string) {
	known.VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	return names
}
