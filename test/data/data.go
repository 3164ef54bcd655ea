// Package data embeds real public tables, with what their departments say of
// them, for the demo, the tests and the benchmarks. SOURCES.md says where each
// comes from.
package data

import "embed"

// Files are the tables as they came, and a YAML document for each dataset.
//
//go:embed *.csv *.tsv *.json *.yaml
var Files embed.FS

// Dataset is a table, the department that publishes it, and the document that
// describes it.
type Dataset struct {
	Department string
	Table      string // file of the table
	Document   string // file of the description
}

// Datasets are the tables that the departments share.
var Datasets = []Dataset{
	{"census", "population_engineers_hurricanes.csv", "population.yaml"},
	{"health", "obesity.json", "obesity.yaml"},
	{"labor", "unemployment.tsv", "unemployment.yaml"},
}
