package data

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
)

// NeedIndex is the result of need-index.yaml as whoever had all three tables
// would work it out, in fractions and with nothing encrypted: by FIPS code, with
// six digits after the point. States that a table lacks are not in it. It shares
// no code with the workers, so that the two can be held against each other.
func NeedIndex() (map[string]string, error) {
	people, err := readColumn("population_engineers_hurricanes.csv", ',', "population")
	if err != nil {
		return nil, err
	}
	counties, err := readColumn("unemployment.tsv", '\t', "rate")
	if err != nil {
		return nil, err
	}
	obesity, err := readObesity()
	if err != nil {
		return nil, err
	}
	unemployment, err := stateMeans(counties)
	if err != nil {
		return nil, err
	}
	index := make(map[string]string)
	for id := range people {
		rate, known := obesity[id]
		mean, knownToo := unemployment[id]
		if !known || !knownToo {
			continue
		}
		sum := new(big.Rat).Quo(people[id], big.NewRat(1_000_000, 1))
		sum.Add(sum, new(big.Rat).Mul(rate, big.NewRat(100, 1)))
		sum.Add(sum, new(big.Rat).Mul(mean, big.NewRat(200, 1)))
		index[id] = sum.FloatString(6)
	}
	return index, nil
}

// StateNames are the states' names by FIPS code.
func StateNames() (map[string]string, error) {
	rows, err := readTable("population_engineers_hurricanes.csv", ',')
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(rows))
	for _, row := range rows {
		names[row["id"]] = row["state"]
	}
	return names, nil
}

// readColumn reads one column of numbers by the column id.
func readColumn(file string, separator rune, column string) (map[string]*big.Rat, error) {
	rows, err := readTable(file, separator)
	if err != nil {
		return nil, err
	}
	values := make(map[string]*big.Rat)
	for _, row := range rows {
		v, ok := new(big.Rat).SetString(row[column])
		if !ok {
			return nil, fmt.Errorf("%s: %s of %s is no number", file, column, row["id"])
		}
		values[row["id"]] = v
	}
	return values, nil
}

func readTable(file string, separator rune) ([]map[string]string, error) {
	text, err := Files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(strings.NewReader(string(text)))
	r.Comma = separator
	records, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	rows := make([]map[string]string, 0, len(records))
	for _, record := range records[1:] {
		row := make(map[string]string)
		for i, name := range records[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func readObesity() (map[string]*big.Rat, error) {
	text, err := Files.ReadFile("obesity.json")
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID   int         `json:"id"`
		Rate json.Number `json:"rate"`
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		return nil, fmt.Errorf("obesity.json: %w", err)
	}
	values := make(map[string]*big.Rat)
	for _, row := range rows {
		v, ok := new(big.Rat).SetString(row.Rate.String())
		if !ok {
			return nil, fmt.Errorf("obesity.json: rate of %d is no number", row.ID)
		}
		values[fmt.Sprint(row.ID)] = v
	}
	return values, nil
}

// stateMeans is the mean over each state's counties, rounded half to even at
// six digits. A county's state is its code divided by 1,000, rounded down.
func stateMeans(counties map[string]*big.Rat) (map[string]*big.Rat, error) {
	sums, counts := make(map[string]*big.Rat), make(map[string]int64)
	for county, rate := range counties {
		code, ok := new(big.Int).SetString(county, 10)
		if !ok {
			return nil, fmt.Errorf("unemployment.tsv: county %q is no code", county)
		}
		state := code.Div(code, big.NewInt(1000)).String()
		if sums[state] == nil {
			sums[state] = new(big.Rat)
		}
		sums[state].Add(sums[state], rate)
		counts[state]++
	}
	for state, sum := range sums {
		sums[state] = halfToEven(sum.Quo(sum, big.NewRat(counts[state], 1)))
	}
	return sums, nil
}

// halfToEven rounds at six digits after the point.
func halfToEven(x *big.Rat) *big.Rat {
	scaled := new(big.Rat).Mul(x, big.NewRat(1_000_000, 1))
	whole, rest := new(big.Int).DivMod(scaled.Num(), scaled.Denom(), new(big.Int))
	switch twice := rest.Lsh(rest, 1).Cmp(scaled.Denom()); {
	case twice > 0, twice == 0 && whole.Bit(0) == 1:
		whole.Add(whole, big.NewInt(1))
	}
	return new(big.Rat).SetFrac(whole, big.NewInt(1_000_000))
}
