package fill

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

const (
	maxSteps = 32
	maxBody  = 1 << 20 // that is looked into
)

func header(c *call, rest string) (maker, error) {
	name, ok := strings.CutPrefix(rest, ".")
	if !ok || name == "" {
		return nil, c.parser.fail(c.pos, "such as {{header.x-request-id}}", "the name of a header is missing")
	}
	return func(f *filling) value {
		if f.Event == nil || !f.Event.Headers.Has(name) {
			return value{}
		}
		return textual(f.Event.Headers.First(name))
	}, c.count(0, 0, c.word)
}

func query(c *call, rest string) (maker, error) {
	name, ok := strings.CutPrefix(rest, ".")
	if ok && name != "" && isQuote(name[0]) {
		var end int
		name, end, ok = unquote(rest, 1)
		ok = ok && end == len(rest)
	}
	if !ok || name == "" {
		return nil, c.parser.fail(c.pos, `such as {{query.id}} or {{query."my id"}}`, "%q names no parameter", rest)
	}
	return func(f *filling) value {
		if f.Event == nil {
			return value{}
		}
		return first(f.Event.RawQuery(), name)
	}, c.count(0, 0, c.word)
}

// first is the first value of that name in a query.
func first(query, name string) value {
	for pair := range strings.SplitSeq(query, "&") {
		n, v, _ := strings.Cut(pair, "=")
		if pair != "" && decoded(n) == name {
			return textual(decoded(v))
		}
	}
	return value{}
}

func decoded(s string) string {
	if d, err := url.QueryUnescape(s); err == nil {
		return d
	}
	return s
}

// step is one key of a path into a body, and the index it is in an array.
type step struct {
	key   string
	index int // -1: none
}

func body(c *call, rest string) (maker, error) {
	steps, problem := steps(rest)
	if problem != "" {
		return nil, c.parser.fail(c.pos, `such as {{body.data.0.id}} or {{body."a b"["c.d"]}}`, "%s", problem)
	}
	return func(f *filling) value { return f.at(steps) }, c.count(0, 0, c.word)
}

// steps reads the path behind body: .key ."a key" [0] ["a key"].
func steps(s string) (steps []step, problem string) {
	for i := 0; i < len(s); {
		bracket := s[i] == '['
		if s[i] != '.' && !bracket {
			return nil, "text right behind a quote or bracket"
		}
		i++
		next := step{index: -1}
		if i < len(s) && isQuote(s[i]) {
			next.key, i, _ = unquote(s, i) // word saw that it is closed
		} else {
			if next.key, i = key(s, i); next.key == "" {
				return nil, "a key is missing"
			}
			if n, err := strconv.Atoi(next.key); err == nil && n >= 0 && strconv.Itoa(n) == next.key {
				next.index = n
			}
			if bracket && next.index < 0 {
				return nil, "brackets hold an index, or a key in quotes"
			}
		}
		if bracket {
			if i >= len(s) || s[i] != ']' {
				return nil, "the bracket is not closed"
			}
			i++
		}
		if steps = append(steps, next); len(steps) > maxSteps {
			return nil, "the path has over " + strconv.Itoa(maxSteps) + " steps"
		}
	}
	return steps, ""
}

// key reads a key that is not quoted.
func key(s string, i int) (key string, end int) {
	var b strings.Builder
	for ; i < len(s) && strings.IndexByte(".[]", s[i]) < 0; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), i
}

// all is the whole body.
func (f *filling) all() value {
	switch {
	case len(f.Body) == 0 || len(f.Body) > maxBody || string(bytes.TrimSpace(f.Body)) == "null":
		return value{}
	case json.Valid(f.Body):
		return value{raw, string(f.Body)} // a string too: it is echoed as it came
	}
	return textual(string(f.Body))
}

// at is the value at a path into the body.
func (f *filling) at(path []step) value {
	if f.body == nil {
		f.readBody()
	}
	if f.form != nil {
		return f.form.at(path)
	}
	return f.body.at(path)
}

// readBody finds out what the body is.
func (f *filling) readBody() {
	f.body = new(node)
	doc := bytes.TrimLeft(f.Body, " \t\r\n")
	switch {
	case len(doc) == 0 || len(doc) > maxBody:
	case doc[0] == '{' || doc[0] == '[':
		if json.Valid(doc) {
			f.body.doc = doc
		}
	case f.Event != nil && isForm(f.Event.Headers.First("Content-Type")):
		f.form = readForm(string(f.Body))
	}
}

func isForm(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded")
}

// node is a value in a valid JSON document. It is read when something below it
// is asked for, and then kept: of a thousand paths each reads only what no
// other did.
type node struct {
	doc     json.RawMessage // nil: there is none
	read    bool
	members map[string]json.RawMessage // of an object
	list    []json.RawMessage          // of an array
	kids    map[step]*node
}

func (n *node) at(path []step) value {
	for _, s := range path {
		if n = n.kid(s); n.doc == nil {
			return value{}
		}
	}
	if n.doc == nil {
		return value{}
	}
	return jsonValue(n.doc)
}

func (n *node) kid(s step) *node {
	if kid := n.kids[s]; kid != nil {
		return kid
	}
	if !n.read {
		n.open()
	}
	kid := &node{doc: n.members[s.key]}
	if s.index >= 0 && s.index < len(n.list) {
		kid.doc = n.list[s.index]
	}
	n.kids[s] = kid
	return kid
}

func (n *node) open() {
	n.read, n.kids = true, make(map[step]*node)
	switch {
	case len(n.doc) == 0:
	case n.doc[0] == '{':
		json.Unmarshal(n.doc, &n.members) // it is valid
	case n.doc[0] == '[':
		json.Unmarshal(n.doc, &n.list)
	}
}

// form are the first fields of each name, and what JSON they hold.
type form map[string]*field

type field struct {
	text string
	node *node // nil until it is asked for
}

func readForm(body string) form {
	f := make(form)
	for pair := range strings.SplitSeq(body, "&") {
		name, text, _ := strings.Cut(pair, "=")
		if name = decoded(name); pair != "" && f[name] == nil {
			f[name] = &field{text: decoded(text)}
		}
	}
	return f
}

func (f form) at(path []step) value {
	var keys []string
	for _, s := range path {
		keys = append(keys, s.key)
	}
	if field := f[strings.Join(keys, ".")]; field != nil {
		return textual(field.text)
	}
	top := f[keys[0]]
	if len(keys) == 1 {
		return value{}
	}
	if field := f[keys[0]+"["+strings.Join(keys[1:], "][")+"]"]; field != nil {
		return textual(field.text)
	}
	if top == nil {
		return value{}
	}
	if top.node == nil {
		top.node = new(node)
		if doc := []byte(strings.TrimSpace(top.text)); json.Valid(doc) {
			top.node.doc = doc
		}
	}
	return top.node.at(path[1:])
}
