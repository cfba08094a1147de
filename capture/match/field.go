package match

import (
	"cmp"
	"maps"
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
	"schema": {compile: wordField(fits(), fitted), example: "schema:invalid"},
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
	"signature": "sig", "conforms": "schema", "after": "since", "until": "before", "state": "is", "length": "size", "param": "query",
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
	meant := capture.Nearest(base, names)
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
