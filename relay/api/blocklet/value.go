package blocklet

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
)

// value is any JSON, as an argument and as an answer: of Any, Uint32, and of
// every input, so that what is null can be told from what is not there.
type value struct {
	v   any
	set bool
}

// ImplementsGraphQLType lets graphql-go give and take values of every type.
func (value) ImplementsGraphQLType(string) bool { return true }

// Nullable lets it give null.
func (value) Nullable() {}

// UnmarshalGraphQL takes an argument.
func (v *value) UnmarshalGraphQL(in any) error {
	v.v, v.set = in, true
	return nil
}

// MarshalJSON writes an answer.
func (v value) MarshalJSON() ([]byte, error) { return json.Marshal(v.v) }

func of(v any) value    { return value{v, true} }
func some(v any) *value { return &value{v, true} }

// args are the arguments of every operation: input, which holds all others too
// where a published client sends it, and those of its document beside it.
type args struct{ Input, TeamDid, ID, Data, Paging value }

// object is an input, by its members.
type object map[string]any

// all is what the arguments say: those beside input, what input holds, and what
// a further input within it does, the inner ones first.
func (a args) all() (object, error) {
	all := object{}
	for name, v := range map[string]value{"teamDid": a.TeamDid, "id": a.ID, "data": a.Data, "paging": a.Paging} {
		if v.set {
			all[name] = v.v
		}
	}
	in, _ := a.Input.v.(map[string]any)
	maps.Copy(all, in)
	// As JSON has it: a number is a float64, however it was written.
	b, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("the arguments are no JSON: %w", err)
	}
	all = object{}
	return all, json.Unmarshal(b, &all)
}

// text is a member that is a string, or "".
func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

// sub is a member that is an object; ok is false where there is none.
func (o object) sub(name string) (sub object, ok bool) {
	sub, ok = o[name].(map[string]any)
	return sub, ok
}

// count is a member that is a whole number of at least 1, else what is given.
func (o object) count(name string, or int) int {
	if n, ok := o[name].(float64); ok && n >= 1 && n == math.Trunc(n) && n <= math.MaxInt32 {
		return int(n)
	}
	return or
}
