package policy

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"github.com/google/cel-go/interpreter"

	"chancery/chaincode/exchange"
)

const (
	// maxCost bounds a rule's condition, in CEL's units of cost: about one for
	// each operation, and one for each ten characters that it reads. The
	// largest cost that the sizes of records allow is checked when the file is
	// read, the actual cost while the condition is evaluated.
	maxCost = 100_000
	// maxExpression bounds a condition, in characters, and maxNesting the
	// comprehensions within one another.
	maxExpression = 4000
	maxNesting    = 2
	// interruptEvery is after how many steps of a comprehension an evaluation
	// looks whether it must stop.
	interruptEvery = 100
)

// language is CEL with the rules' variables: the standard functions, nothing
// that reads or writes anything.
type language struct {
	env   *cel.Env
	sizes sizes
}

func newLanguage() (*language, error) {
	types := []any{ext.ParseStructTag("cel")}
	options := []cel.EnvOption{
		cel.Variable(nowVariable, cel.TimestampType),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ASTValidators(
			cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals(),
			cel.ValidateHomogeneousAggregateLiterals(), cel.ValidateComprehensionNestingLimit(maxNesting)),
	}
	for _, v := range variables {
		types = append(types, v.of)
		options = append(options, cel.Variable(v.name, cel.ObjectType(v.of.String())))
	}
	env, err := cel.NewEnv(append([]cel.EnvOption{ext.NativeTypes(types...)}, options...)...)
	if err != nil {
		return nil, fmt.Errorf("language of the rules: %w", err)
	}
	return &language{env, newSizes()}, nil
}

// expression is a condition that was compiled.
type expression struct {
	program cel.Program
	history bool   // it reads the history
	job     bool   // it reads the job
	cost    uint64 // that it may have at most
}

// flaw is what is wrong with a condition, and where in it: line from 1, column
// from 0, in characters.
type flaw struct {
	line, column int
	text         string
}

// compile checks a condition's types and cost.
func (l *language) compile(source string) (*expression, []flaw) {
	ast, issues := l.env.Compile(source)
	if issues.Err() != nil {
		var flaws []flaw
		for _, e := range issues.Errors() {
			flaws = append(flaws, flaw{max(e.Location.Line(), 1), max(e.Location.Column(), 0), exchange.Visible(e.Message, 500)})
		}
		return nil, flaws
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, whole("it is a %s: a condition is true or false", ast.OutputType())
	}
	cost, err := l.env.EstimateCost(ast, l.sizes)
	if err != nil {
		return nil, whole("its cost cannot be estimated: %v", err)
	}
	if cost.Max > maxCost {
		return nil, whole("it may cost %d: %d are allowed", cost.Max, maxCost)
	}
	program, err := l.env.Program(ast, cel.CostLimit(maxCost), cel.InterruptCheckFrequency(interruptEvery))
	if err != nil {
		return nil, whole("%v", err)
	}
	e := &expression{program: program, cost: cost.Max}
	for _, r := range ast.NativeRep().ReferenceMap() {
		e.history = e.history || r.Name == historyVariable
		e.job = e.job || r.Name == jobVariable
	}
	return e, nil
}

func whole(format string, args ...any) []flaw {
	return []flaw{{line: 1, text: fmt.Sprintf(format, args...)}}
}

// holds evaluates the condition. It stops with an error when its cost exceeds
// [maxCost] or the context ends. A condition that comes to depend on the job
// where there is none does not hold.
func (e *expression) holds(ctx context.Context, values map[string]any) (bool, error) {
	if _, known := values[historyVariable]; e.history && !known {
		return false, errNoHistory
	}
	out, _, err := e.program.ContextEval(ctx, values)
	if err != nil {
		if _, known := values[jobVariable]; e.job && !known && !stopped(err) {
			return false, nil
		}
		return false, err
	}
	holds, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("it came out as %v", out.Type())
	}
	return holds, nil
}

// stopped tells an evaluation that was cut off from one that came to an error.
func stopped(err error) bool {
	var cut interpreter.EvalCancelledError
	return errors.As(err, &cut)
}
