package match

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// bare reads a term without a field.
func (p *parser) bare() (*term, error) {
	it, err := p.item(false)
	if err != nil {
		return nil, err
	}
	if i := strings.IndexAny(it.text, "<>"); it.kind == bare && i > 0 {
		if name, _, _ := strings.Cut(it.text[:i], "."); fields[strings.ToLower(name)].compile != nil {
			return nil, p.fail(it.span, "did you mean "+clip(it.text[:i], 40)+":"+clip(it.text[i:], 40)+"?", "a colon is missing")
		}
	}
	pat, err := p.pattern(it, false)
	if err != nil {
		return nil, err
	}
	pat.prepare()
	text := it.String()
	if it.kind == bare && strings.ContainsAny(text, `"\/:!<>&|`) {
		text = quote(it.text)
	}
	return &term{
		text:  text,
		hints: hints{body: true},
		test: func(in input) verdict {
			switch {
			case pat.place(in.row) != "":
				return yes
			case in.doc == nil:
				return unknown
			}
			return is(pat.within(in.doc.text))
		},
		got: func(in input) string {
			if place := pat.place(in.row); place != "" {
				return "it is in the " + place
			}
			if pat.within(in.doc.text) {
				return "it is in the body"
			}
			return "not in type, target, id, headers or body"
		},
	}, nil
}

// place is where in a row the pattern is, "" if nowhere.
func (p *pattern) place(r *capture.Row) string {
	switch {
	case p.within(r.Type):
		return "type"
	case p.within(string(r.Target)):
		return "target"
	case p.within(string(r.ID)):
		return "id"
	}
	for i := range r.Headers {
		if p.within(r.Headers[i][1]) {
			return "headers"
		}
	}
	return ""
}

// pattern compiles an item; wild gives * and ? their meaning.
func (p *parser) pattern(it item, wild bool) (*pattern, error) {
	wild = wild && it.kind == bare && strings.ContainsAny(it.text, "*?")
	if (wild || it.kind == expr) && len(it.text) > maxPattern {
		return nil, p.fail(it.span, "", "pattern longer than %d bytes", maxPattern)
	}
	if it.kind == expr {
		return p.expression(it)
	}
	pat := newPattern(it.text)
	pat.quote = it.kind == quoted
	pat.any = wild && it.text == "*"
	pat.glob = wild && !pat.any
	return pat, nil
}

func (p *parser) expression(it item) (*pattern, error) {
	at := span{it.pos + 1, it.end - 1}
	tree, err := syntax.Parse(it.text, syntax.Perl)
	if err != nil {
		e := err.(*syntax.Error)
		if i := strings.LastIndex(it.text, e.Expr); i >= 0 && e.Expr != "" {
			at = span{at.pos + i, at.pos + i + len(e.Expr)}
		}
		return nil, p.fail(at, "to search for it as text, quote it", "regular expression: %s", e.Code)
	}
	if p.cost += cost(tree); p.cost > maxCost {
		return nil, p.fail(at, "repeat less often", "regular expressions too large")
	}
	text := it.text
	if !hasUpper(text) {
		text = "(?i)" + text
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, p.fail(at, "", "regular expression too large")
	}
	return &pattern{re: re}, nil
}

// patterns compiles all of a call's items.
func (p *parser) patterns(c *call) ([]*pattern, error) {
	var all []*pattern
	for _, it := range c.items {
		pat, err := p.pattern(it, true)
		if err != nil {
			return nil, err
		}
		all = append(all, pat)
	}
	return all, nil
}

// textField is a field whose value is text; index is its name in Exact.
func textField(index string, of func(*capture.Row) string) func(*parser, *call) (*term, error) {
	return func(p *parser, c *call) (*term, error) {
		pats, err := p.patterns(c)
		if err != nil {
			return nil, err
		}
		t := &term{
			test: func(in input) verdict {
				s := of(in.row)
				for _, pat := range pats {
					if pat.whole(s) {
						return yes
					}
				}
				return no
			},
			got: func(in input) string { return isWhat(c.name, of(in.row)) },
		}
		exact := Exact{Field: index}
		for _, pat := range pats {
			if index == "" || !pat.literal() || pat.text == "" {
				return t, nil
			}
			exact.Values = append(exact.Values, strings.ToLower(pat.text))
		}
		t.hints.exact = []Exact{exact}
		return t, nil
	}
}

func idField(p *parser, c *call) (*term, error) {
	pats, err := p.patterns(c)
	for _, pat := range pats {
		pat.text, pat.fold = lowered(pat.text), true
	}
	return &term{
		test: func(in input) verdict {
			id := string(in.row.ID)
			return is(slices.ContainsFunc(pats, func(pat *pattern) bool {
				if !pat.literal() {
					return pat.whole(id)
				}
				_, ok := cutFold(id, pat.text)
				return ok
			}))
		},
		got: func(in input) string { return isWhat("id", string(in.row.ID)) },
	}, err
}
