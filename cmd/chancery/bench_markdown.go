package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// save writes the files that the options ask for.
func (r *benchReport) save(o BenchOptions) error {
	var errs []error
	for _, f := range []struct {
		file, what string
		write      func(io.Writer) error
	}{
		{o.SVG, "chart", r.chart},
		{o.Markdown, "report", r.markdown},
	} {
		if f.file == "" {
			continue
		}
		var out bytes.Buffer
		err := f.write(&out)
		if err == nil {
			err = os.WriteFile(f.file, out.Bytes(), 0o644)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", f.what, f.file, err))
		}
	}
	return errors.Join(errs...)
}

// markdown writes the report for a repository.
func (r *benchReport) markdown(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "# What it costs, against its parts\n\nWritten by `%s` on %s.\n\n- %s\n", r.Command, clock(r.Date), r.Machine)
	if r.Network != "" {
		fmt.Fprintf(&out, "- %s\n", r.Network)
	}
	fmt.Fprintf(&out, "- Medians of %s of %d s of load each; ours and the baseline take turns in the same run, on the same network. A ratio is the median of each round's. All of it took %s.\n\n",
		count(r.Rounds, "round"), r.Seconds, r.Elapsed)
	if len(r.Lines) > 0 {
		rows := make([][]string, len(r.Lines))
		for i, l := range r.Lines {
			rows[i] = l.cells()
		}
		markdownTable(&out, lineHead, rows)
	}
	if len(r.Loads) > 0 {
		fmt.Fprint(&out, "\n## The network itself\n\nSend rate × operations a transaction × endorsing departments. Latency counts from the moment at which a transaction was due, not from when there was room for it.\n\n")
		rows := make([][]string, len(r.Loads))
		for i, l := range r.Loads {
			rows[i] = l.cells()
		}
		markdownTable(&out, loadHead, rows)
	}
	if remarks := r.remarks(); len(remarks) > 0 {
		fmt.Fprint(&out, "\n## Remarks\n\n")
		for _, remark := range remarks {
			fmt.Fprintf(&out, "- %s\n", singleLine(remark))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func markdownTable(w io.Writer, head []string, rows [][]string) {
	write := func(cells []string) {
		for i, cell := range cells {
			cells[i] = strings.ReplaceAll(singleLine(cell), "|", `\|`)
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
	lower := make([]string, len(head))
	rule := make([]string, len(head))
	for i, h := range head {
		lower[i], rule[i] = strings.ToLower(h), "---"
	}
	write(lower)
	write(rule)
	for _, row := range rows {
		write(row)
	}
}

func singleLine(s string) string { return strings.Join(strings.Fields(s), " ") }
