package match

import "strings"

// values compiles the alternatives of a header, parameter or body term.
func (p *parser) values(c *call) (values, error) {
	var vs values
	for _, it := range c.items {
		pat, err := p.pattern(it, true)
		if err != nil {
			return nil, err
		}
		v := value{pattern: *pat}
		if it.kind == bare {
			if n, ok := parseDecimal(it.text); ok {
				v.number = &n
			} else if iv, ok := parseInterval(it.text, parseDecimal); ok {
				v.within = &iv
				if iv.lo.set && iv.hi.set && compareDecimals(iv.lo.at, iv.hi.at) > 0 {
					return nil, p.fail(it.span, "", "the range is backwards")
				}
			} else if strings.IndexByte("<>", it.text[0]) >= 0 {
				return nil, p.fail(it.span, "to match the text, quote it", "%q compares with a number", it.text[:1])
			}
		}
		vs = append(vs, v)
	}
	return vs, nil
}

func headerField(p *parser, c *call) (*term, error) {
	name := c.sub[1:]
	c.name = strings.ToLower(c.name)
	vs, err := p.values(c)
	return &term{
		test: func(in input) verdict {
			for i := range in.row.Headers {
				if l := &in.row.Headers[i]; strings.EqualFold(l[0], name) && vs.fit(l[1]) {
					return yes
				}
			}
			return no
		},
		got: func(in input) string {
			var all []string
			for v := range in.row.Headers.Values(name) {
				all = append(all, v)
			}
			return isWhat(c.name, all...)
		},
	}, err
}

func queryField(p *parser, c *call) (*term, error) {
	name := c.sub[1:]
	if name[0] == '"' {
		s, end, ok := unquote(name, 0)
		if !ok || end != len(name) {
			return nil, p.fail(c.at, `quote all of the name, as query."a b":1`, "text right behind a quote")
		}
		name = s
	}
	vs, err := p.values(c)
	return &term{
		test: func(in input) verdict {
			for n, v := range pairs(in.row.RawQuery()) {
				if n == name && vs.fit(v) {
					return yes
				}
			}
			return no
		},
		got: func(in input) string {
			var all []string
			for n, v := range pairs(in.row.RawQuery()) {
				if n == name {
					all = append(all, v)
				}
			}
			return isWhat(c.name, all...)
		},
	}, err
}

func bodyField(p *parser, c *call) (*term, error) {
	steps, err := p.steps(c)
	if err != nil {
		return nil, err
	}
	path := newBodyPath(p.paths, steps)
	n := path.number // at hand: thousands may be asked
	vs, err := p.values(c)
	return &term{
		hints: hints{body: true},
		test: func(in input) verdict {
			if in.doc == nil {
				return unknown
			}
			return is(path.any(in, n, vs))
		},
		got: func(in input) string { return path.got(in, c.name) },
	}, err
}

// steps reads the path behind body: .key ."a key" [0] ["a key"].
func (p *parser) steps(c *call) ([]step, error) {
	var steps []step
	s := c.sub
	fail := func(from, to int, hint, msg string) error {
		return p.fail(span{c.subAt + from, c.subAt + min(to, len(s))}, hint, "%s", msg)
	}
	for i := 0; i < len(s); {
		begin := i
		bracket := s[i] == '['
		if s[i] != '.' && !bracket {
			return nil, fail(i, len(s), "a key begins with a dot or a bracket", "text right behind a quote or bracket")
		}
		i++
		var next step
		if i < len(s) && s[i] == '"' {
			key, end, ok := unquote(s, i)
			if !ok {
				return nil, fail(i, len(s), `add "`, "the quote is not closed")
			}
			next, i = step{key, -1}, end
		} else {
			var key strings.Builder
			for ; i < len(s) && strings.IndexByte(".[]", s[i]) < 0; i++ {
				if s[i] == '*' {
					return nil, fail(i, i+1, "name the key or index; quote a key that has a *", "there are no wildcards in keys")
				}
				if s[i] == '\\' && i+1 < len(s) {
					i++
				}
				key.WriteByte(s[i])
			}
			next = newStep(key.String())
			if next.key == "" {
				return nil, fail(begin, i+1, "such as "+c.example, "a key is missing")
			}
			if bracket && next.index < 0 {
				return nil, fail(begin, i+1, "quote a key in brackets", "brackets hold an index")
			}
		}
		if bracket {
			if i >= len(s) || s[i] != ']' {
				return nil, fail(begin, i, `add "]"`, "the bracket is not closed")
			}
			i++
		}
		steps = append(steps, next)
	}
	return steps, nil
}

// got says what is at the path.
func (p *bodyPath) got(in input, name string) string {
	body := in.doc.text
	if body == "" {
		return "no body"
	}
	if in.doc.json && !in.doc.valid() {
		return "the body is not valid JSON"
	}
	if !in.doc.json && !isForm(in.row) {
		return "the body is neither a JSON object or array nor a form"
	}
	var all []string
	for _, f := range in.doc.at(p.number, p, in.row) {
		all = append(all, f.raw)
	}
	if len(all) == 1 && in.doc.json {
		return name + " is " + clip(all[0], maxGot)
	}
	return isWhat(name, all...)
}
