package match

import (
	"cmp"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// field is what may stand before a colon.
type field struct {
	compile func(*parser, *call) (*term, error)
	example string
	keys    bool // has a name of its own behind a dot, which may be quoted
	named   bool // has a name of its own behind a dot
}

// call is a field with what a person wrote for it.
type call struct {
	name  string // as in the canonical text: lower case, but for keys
	sub   string // what follows the field's own name, with the dot
	at    span   // the name in the text, and
	subAt int    // where sub is in it
	items []item
	field
}

// fields is every field, by name.
var fields = map[string]field{
	"type":     {compile: textField("type", func(r *capture.Row) string { return r.Type }), example: "type:invoice.*"},
	"app":      {compile: textField("app", func(r *capture.Row) string { return r.App }), example: "app:shop"},
	"provider": {compile: textField("provider", func(r *capture.Row) string { return r.Provider }), example: "provider:stripe"},
	"method":   {compile: textField("method", func(r *capture.Row) string { return r.Method }), example: "method:post"},
	"source":   {compile: textField("", func(r *capture.Row) string { return r.Source }), example: "source:billing"},
	"path":     {compile: textField("", func(r *capture.Row) string { return r.Path() }), example: "path:/hooks/*"},
	"id":       {compile: idField, example: "id:evt_01J"},

	"status": {compile: statusField, example: "status:5xx"},
	"try": {compile: numberField(parseCount, strconv.FormatInt, func(r *capture.Row) (int64, bool) {
		return int64(r.Outcome.Tries), true
	}), example: "try:>1"},
	"dur": {compile: numberField(parseDuration, formatDuration, func(r *capture.Row) (int64, bool) {
		return int64(r.Outcome.Duration), r.Outcome.Tries > 0
	}), example: "dur:>500ms"},
	"size": {compile: numberField(parseSize, strconv.FormatInt, func(r *capture.Row) (int64, bool) {
		return r.Size, true
	}), example: "size:>10k"},

	"is":     {compile: wordField(states, standing), example: "is:failed"},
	"sig":    {compile: wordField(verdicts(), func(r *capture.Row) string { return "sig is " + string(r.Signature.Verdict) }), example: "sig:invalid"},
	"origin": {compile: wordField(origins(), func(r *capture.Row) string { return "origin is " + string(r.Origin) }), example: "origin:replay"},

	"since":  {compile: timeField(true), example: "since:1h"},
	"before": {compile: timeField(false), example: "before:14:00"},

	"header": {compile: headerField, named: true, example: "header.x-github-event:push"},
	"query":  {compile: queryField, named: true, keys: true, example: "query.a:1"},
	"body":   {compile: bodyField, named: true, keys: true, example: "body.data.object.amount:>1000"},
}

// alike is what people call the fields elsewhere, for "did you mean".
var alike = map[string]string{"code": "status", "event": "type", "event_type": "type", "hdr": "header", "headers": "header",
	"duration": "dur", "tries": "try", "attempts": "try", "attempt": "try", "verb": "method", "url": "path", "target": "path",
	"signature": "sig", "after": "since", "until": "before", "state": "is", "length": "size", "param": "query",
	"payload": "body", "data": "body", "json": "body"}

// term reads one term.
func (p *parser) term() (*term, error) {
	begin := p.pos
	end := p.fieldEnd()
	if p.text[begin] == '"' || p.text[begin] == '/' {
		end = -1
	}
	if end == len(p.text) {
		return nil, p.fail(span{begin, end}, `add "`, "the quote is not closed")
	}
	if end < 0 {
		return p.bare()
	}
	name := p.text[begin:end]
	i := strings.IndexAny(name, ".[")
	if i < 0 {
		i = len(name)
	}
	base := strings.ToLower(name[:i])
	f, ok := fields[base]
	if !ok && isScheme(name) && strings.HasPrefix(p.text[end+1:], "//") {
		return p.bare()
	}
	at := span{begin, end}
	if !ok || i < len(name) && !f.named || i < len(name) && name[i] == '[' && base != "body" {
		word := p.text[begin:p.wordEnd(end)]
		return nil, p.fail(at, didYouMean(base, name, name[i:], word), "unknown field %q", clip(name, 40))
	}
	if f.named && i+1 >= len(name) {
		return nil, p.fail(at, "such as "+f.example, "%s needs a name", base)
	}
	p.pos = end + 1
	if p.ends(p.pos, true) {
		return nil, p.fail(span{begin, p.pos}, "such as "+f.example, "%s: needs a value right behind it", base)
	}
	items, err := p.items()
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		switch {
		case it.kind == bare && it.text == "":
			return nil, p.fail(span{it.pos - 1, it.pos}, "", "a value is missing beside the comma")
		case it.kind == bare && it.text[0] == '!':
			return nil, p.fail(it.span, "to negate, write !"+clip(name, 40)+":"+clip(strings.TrimLeft(it.text, "!="), 40)+"; to match a !, quote the value",
				"a value cannot begin with !")
		}
	}
	c := call{name: base + name[i:], sub: name[i:], at: at, subAt: begin + i, items: items, field: f}
	t, err := f.compile(p, &c)
	if err == nil && t.text == "" {
		t.text = c.String()
	}
	return t, err
}

func (c *call) String() string {
	var b strings.Builder
	b.WriteString(c.name)
	for i, it := range c.items {
		b.WriteByte(":,"[min(i, 1)])
		b.WriteString(it.String())
	}
	return b.String()
}

func isScheme(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}

// didYouMean is the hint for a word whose field is unknown.
func didYouMean(base, name, rest, word string) string {
	names := slices.Sorted(maps.Keys(fields))
	meant := nearest(base, names)
	if _, ok := alike[base]; ok {
		meant = alike[base]
	}
	switch {
	case strings.HasPrefix(base, "-"):
		return "to negate, write !" + clip(word[1:], 40)
	case base == "":
	case fields[base].named:
		return "did you mean " + base + "." + clip(strings.Trim(rest, "[]"), 40) + ":?"
	case fields[base].compile != nil: // known, but has no names of its own
		return "did you mean " + base + ": or body." + clip(name, 40) + ":?"
	case strings.HasPrefix(base, "x-"):
		return "did you mean header." + clip(name, 40) + ":?"
	case meant != "" && fields[meant].named && base != "data" && base != "payload":
		return "did you mean " + meant + clip(cmp.Or(rest, ".…"), 40) + ":?"
	case meant == "body", rest != "" && meant == "" && isScheme(strings.ReplaceAll(base, "_", "")):
		return "did you mean body." + clip(name, 40) + ":?"
	case meant != "":
		return "did you mean " + meant + ":?"
	}
	return "to search for the text, quote it: " + quote(clip(word, 40))
}

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
			case !in.read:
				return unknown
			}
			return is(pat.within(in.text()))
		},
		got: func(in input) string {
			if place := pat.place(in.row); place != "" {
				return "it is in the " + place
			}
			if pat.within(in.text()) {
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

// numberField is a field whose value is a number; of tells whether there is one.
func numberField(parse func(string) (int64, bool), format func(int64, int) string,
	of func(*capture.Row) (int64, bool)) func(*parser, *call) (*term, error) {
	return func(p *parser, c *call) (*term, error) {
		list, err := intervals(p, c, func(s string) (interval[int64], bool) { return parseInterval(s, parse) })
		return &term{
			test: func(in input) verdict {
				n, ok := of(in.row)
				return is(ok && anyHas(list, n))
			},
			got: func(in input) string {
				if n, ok := of(in.row); ok {
					return c.name + " is " + format(n, 10)
				}
				return "no " + c.name + " yet"
			},
		}, err
	}
}

func intervals(p *parser, c *call, parse func(string) (interval[int64], bool)) ([]interval[int64], error) {
	var list []interval[int64]
	for _, it := range c.items {
		iv, ok := parse(it.text)
		if !ok || it.kind != bare {
			hint := "such as " + c.example
			if d := strings.TrimLeft(it.text, "<>="); c.name == "status" && d != "" && '1' <= d[0] && d[0] <= '5' {
				hint = "did you mean status:" + d[:1] + "xx?"
			} else if _, err := strconv.ParseUint(d, 10, 64); c.name == "dur" && err == nil && len(it.text) < 40 {
				hint = "did you mean dur:" + it.text + "ms?"
			}
			return nil, p.fail(it.span, hint, "%s does not know %q", c.name, clip(it.text, 40))
		}
		if iv.lo.set && iv.hi.set && iv.lo.at > iv.hi.at {
			lo, hi, _ := strings.Cut(it.text, "..")
			return nil, p.fail(it.span, "did you mean "+c.name+":"+hi+".."+lo+"?", "the range is backwards")
		}
		list = append(list, iv)
	}
	return list, nil
}

func anyHas(list []interval[int64], n int64) bool {
	for i := range list {
		if list[i].has(n, cmp.Compare[int64]) {
			return true
		}
	}
	return false
}

func statusField(p *parser, c *call) (*term, error) {
	list, err := intervals(p, c, parseStatus)
	if err != nil {
		return nil, err
	}
	t := &term{
		test: func(in input) verdict { return is(anyHas(list, int64(in.row.Outcome.Status))) },
		got: func(in input) string {
			if in.row.Outcome.Status == 0 {
				return "no answer yet"
			}
			return "status is " + strconv.Itoa(in.row.Outcome.Status)
		},
	}
	exact := Exact{Field: "status"}
	for _, iv := range list {
		if iv.lo != iv.hi || iv.lo.at == 0 {
			return t, nil
		}
		exact.Values = append(exact.Values, strconv.FormatInt(iv.lo.at, 10))
	}
	t.hints.exact = []Exact{exact}
	return t, nil
}

// parseStatus reads classes (5xx, 50x) too. Where no lower bound is given it
// is 1, as 0 is no status.
func parseStatus(s string) (interval[int64], bool) {
	if digits := strings.TrimRight(s, "xX"); len(s) == 3 && len(digits) < 3 {
		n, ok := parseCount(digits)
		width := int64(10)
		if len(digits) == 1 {
			n, width = n*10, 100
		}
		lo := n * 10
		return interval[int64]{bound[int64]{lo, true, false}, bound[int64]{lo + width - 1, true, false}}, ok && n > 0
	}
	iv, ok := parseInterval(s, func(s string) (int64, bool) {
		n, ok := parseCount(s)
		return n, ok && n <= 999
	})
	if !iv.lo.set {
		iv.lo = bound[int64]{1, true, false}
	}
	return iv, ok
}

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
				if w := nearest(it.text, names); w != "" {
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
