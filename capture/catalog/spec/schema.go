package spec

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Compiled is a JSON Schema that bodies are held against. It is safe for
// concurrent use.
type Compiled struct{ c *checker }

// Compile reads a schema as Example does.
func Compile(schema json.RawMessage) (*Compiled, error) {
	c, err := compile(schema)
	if err != nil {
		return nil, err
	}
	return &Compiled{c}, nil
}

// Problem is one thing that is wrong with a body.
type Problem struct {
	At   string // where, as a JSON Pointer
	What string
	// Unknown says that it is a member which the schema does not know.
	Unknown bool
}

func (p Problem) String() string {
	if p.At == "" {
		return p.What
	}
	return p.At + ": " + p.What
}

// mostProblems is how many problems of one body are looked at.
const mostProblems = 1000

// ErrEffort is returned for a body that would take too long to check.
var ErrEffort = errors.New("it was not checked: it is nested too deep, or the schema has too many branches")

// Check is what is wrong with a body, by place, what is wrong before what is
// unknown. The error is ErrEffort, or says that the body is no JSON.
func (s *Compiled) Check(body json.RawMessage) ([]Problem, error) {
	roots, err := decodeJSON(body)
	switch {
	case errors.Is(err, errDepth) || errors.Is(err, errValues) || errors.Is(err, errNumber):
		return nil, ErrEffort
	case err != nil:
		return nil, err
	case len(roots) != 1:
		return nil, errors.New("it is more than one JSON value")
	}
	n := visits{root: s.c.schema, left: mostVisits}
	if n.visit(s.c.schema, roots[0], 0); n.left < 0 {
		return nil, ErrEffort
	}
	var wrong *jsonschema.ValidationError
	if err := s.c.compiled.Validate(plain(roots[0])); !errors.As(err, &wrong) {
		return nil, err
	}
	problems := problemsOf(nil, wrong)
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if a.Unknown != b.Unknown {
			return map[bool]int{false: -1, true: 1}[a.Unknown]
		}
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.What, b.What))
	})
	return slices.Compact(problems), nil
}

// problemsOf adds the innermost of a validation's errors, with a place for
// each member that is missing or unknown.
func problemsOf(all []Problem, e *jsonschema.ValidationError) []Problem {
	if len(all) >= mostProblems {
		return all
	}
	for _, cause := range e.Causes {
		all = problemsOf(all, cause)
	}
	if len(e.Causes) > 0 {
		return all
	}
	members := func(names []string, what string) []Problem {
		for _, name := range names[:min(len(names), mostProblems)] {
			all = append(all, Problem{At: at("", append(slices.Clone(e.InstanceLocation), name)...), What: what, Unknown: what == unknown})
		}
		return all
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		return members(k.Properties, unknown)
	case *kind.Required:
		return members(k.Missing, "missing")
	}
	p := problemOf(e)
	if strings.HasSuffix(e.SchemaURL, "/unevaluatedProperties") {
		p.What, p.Unknown = unknown, true
	}
	return append(all, p)
}

const unknown = "not known"
