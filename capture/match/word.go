package match

import (
	"cmp"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// word is one of the values of a field that knows them all.
type word struct {
	word  string
	is    func(*capture.Row) bool
	exact Exact
}

var states = []word{
	state("failed", capture.Failed),
	state("ok", capture.OK),
	state("pending", capture.Pending, capture.Retrying),
	state("retry", capture.Retrying),
	state("captured", capture.Captured),
	state("refused", capture.Rejected),
	{"pinned", func(r *capture.Row) bool { return r.Pinned }, Exact{"pinned", []string{"true"}}},
	{"replay", isReplay, Exact{}},
}

func state(name string, of ...capture.State) word {
	w := word{name, func(r *capture.Row) bool { return slices.Contains(of, r.Outcome.State) }, Exact{Field: "state"}}
	for _, s := range of {
		w.exact.Values = append(w.exact.Values, string(s))
	}
	return w
}

func isReplay(r *capture.Row) bool { return r.Origin == capture.FromReplay || r.Parent != "" }

func standing(r *capture.Row) string {
	s := "it is " + cmp.Or(string(r.Outcome.State), "captured")
	if r.Pinned {
		s += ", pinned"
	}
	if isReplay(r) {
		s += ", a replay"
	}
	return s
}

func verdicts() (words []word) {
	for _, v := range []capture.Verdict{capture.Valid, capture.Invalid, capture.Stale, capture.Unsigned, capture.Unchecked} {
		words = append(words, word{word: string(v), is: func(r *capture.Row) bool { return r.Signature.Verdict == v }})
	}
	return words
}

func fits() (words []word) {
	for _, v := range []capture.Fit{capture.Fits, capture.FitsAlmost, capture.Misfits, capture.FitsNone, capture.Unfitted} {
		words = append(words, word{word: string(v), is: func(r *capture.Row) bool { return r.Conforms != nil && r.Conforms.Verdict == v }})
	}
	return words
}

func fitted(r *capture.Row) string {
	if r.Conforms == nil {
		return "it was held against no event type"
	}
	return "schema is " + string(r.Conforms.Verdict)
}

func origins() (words []word) {
	for _, o := range []capture.Origin{capture.Ingress, capture.FromTrigger, capture.FromSample, capture.FromReplay, capture.Imported} {
		words = append(words, word{word: string(o), is: func(r *capture.Row) bool { return r.Origin == o }})
	}
	return words
}

// wordField is a field whose values are known.
func wordField(known []word, got func(*capture.Row) string) func(*parser, *call) (*term, error) {
	var names []string
	for _, w := range known {
		names = append(names, w.word)
	}
	return func(p *parser, c *call) (*term, error) {
		var asked []word
		for _, it := range c.items {
			i := slices.Index(names, strings.ToLower(it.text))
			if i < 0 || it.kind == expr {
				hint := "one of " + strings.Join(names, ", ")
				if w := capture.Nearest(it.text, names); w != "" {
					hint = "did you mean " + c.name + ":" + w + "?"
				}
				return nil, p.fail(it.span, hint, "%s does not know %q", c.name, clip(it.text, 40))
			}
			asked = append(asked, known[i])
		}
		t := &term{
			test: func(in input) verdict {
				for i := range asked {
					if asked[i].is(in.row) {
						return yes
					}
				}
				return no
			},
			got: func(in input) string { return got(in.row) },
		}
		exact := Exact{Field: asked[0].exact.Field}
		for _, w := range asked {
			if w.exact.Field == "" || w.exact.Field != exact.Field {
				return t, nil
			}
			exact.Values = append(exact.Values, w.exact.Values...)
		}
		t.hints.exact = []Exact{exact}
		return t, nil
	}
}
