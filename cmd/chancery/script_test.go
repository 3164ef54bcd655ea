package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestScripts runs testdata/*.txtar: a script, then files (the txtar format of
// golang.org/x/tools) that it finds in its working directory. Its lines:
//
//	chancery ARG…         run; the exit code must be 0
//	exits N chancery ARG… run; the exit code must be N
//	stdout PATTERN        the last run printed something that matches
//	! stderr PATTERN      … nothing that matches
//	env NAME=VALUE        for the runs that follow
//
// Words in single quotes hold spaces.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			newScript(t, file).run(data)
		})
	}
}

type script struct {
	t    *testing.T
	file string
	env  map[string]string
	out  map[string]string // stdout and stderr of the last run
}

func newScript(t *testing.T, file string) *script {
	return &script{t: t, file: file, env: map[string]string{}}
}

var fileMarker = regexp.MustCompile(`(?m)^-- (.+) --\n`)

// run unpacks the archive and runs its lines in an empty directory that is
// also the user's home.
func (s *script) run(archive []byte) {
	dir := s.t.TempDir()
	s.t.Chdir(dir)
	s.t.Setenv("HOME", dir)
	s.t.Setenv("XDG_DATA_HOME", "")
	marks := fileMarker.FindAllSubmatchIndex(archive, -1)
	end := len(archive)
	for i := len(marks) - 1; i >= 0; i-- {
		m := marks[i]
		name := string(archive[m[2]:m[3]])
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(name, archive[m[1]:end], 0o600); err != nil {
			s.t.Fatal(err)
		}
		end = m[0]
	}
	for i, line := range strings.Split(string(archive[:end]), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := s.line(words(line)); err != nil {
			s.t.Fatalf("%s:%d: %s: %v\nstdout: %s\nstderr: %s", s.file, i+1, line, err, s.out["stdout"], s.out["stderr"])
		}
	}
}

func (s *script) line(word []string) error {
	switch {
	case word[0] == "chancery":
		return s.chancery(0, word)
	case word[0] == "exits" && len(word) > 2:
		code, err := strconv.Atoi(word[1])
		if err != nil {
			return err
		}
		return s.chancery(code, word[2:])
	case word[0] == "env" && len(word) == 2:
		name, value, _ := strings.Cut(word[1], "=")
		s.env[name] = value
		return nil
	case word[0] == "!" && len(word) == 3:
		return s.match(word[1], word[2], false)
	case len(word) == 2:
		return s.match(word[0], word[1], true)
	}
	return fmt.Errorf("no such line")
}

func (s *script) chancery(want int, args []string) error {
	var stdout, stderr bytes.Buffer
	a := newApp(strings.NewReader(""), &stdout, &stderr, func(name string) (string, bool) {
		value, ok := s.env[name]
		return value, ok
	})
	code := execute(s.t.Context(), a, args)
	s.out = map[string]string{"stdout": stdout.String(), "stderr": stderr.String()}
	if code != want {
		return fmt.Errorf("exit code %d, not %d", code, want)
	}
	return nil
}

func (s *script) match(stream, pattern string, want bool) error {
	text, ok := s.out[stream]
	if !ok {
		return fmt.Errorf("no such line")
	}
	re, err := regexp.Compile("(?m)" + pattern)
	if err != nil {
		return err
	}
	if re.MatchString(text) != want {
		return fmt.Errorf("match is %t", !want)
	}
	return nil
}

// words splits a line at spaces outside single quotes.
func words(line string) []string {
	var all []string
	var word strings.Builder
	quoted, begun := false, false
	for _, r := range line {
		switch {
		case r == '\'':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				all = append(all, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		all = append(all, word.String())
	}
	return all
}
