package provider

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// request is one request as the terms see it.
type request struct {
	query   string
	body    []byte // at most Peek bytes
	form    bool
	headers [192]string // by slot; the first line of each name
	members [128][]byte // by slot; of the body's top level, as they are written
}

func (r *request) read(method, target string, h capture.Headers, body []byte) {
	r.header(":method", method)
	for i := range h {
		r.header(h[i][0], h[i][1])
	}
	_, query, _ := strings.Cut(target, "?")
	r.query = query[:min(len(query), Peek)]
	r.body = body[:min(len(body), Peek)]

	const form = "application/x-www-form-urlencoded"
	if kind := r.headers[headerSlots["content-type"]]; hasPrefixFold(kind, form) {
		r.form = true
		if len(body) > Peek { // the last field may have lost its end
			r.body = r.body[:bytes.LastIndexByte(r.body, '&')+1]
		}
		for name, value := range fields(r.body) {
			r.top(name, value)
		}
		return
	}
	for name, value := range members(r.body) {
		r.top(name, value)
	}
}

func (r *request) header(name, value string) {
	var lower [64]byte
	if len(name) > len(lower) || value == "" {
		return
	}
	for i := range len(name) {
		lower[i] = name[i]
		if 'A' <= name[i] && name[i] <= 'Z' {
			lower[i] += 'a' - 'A'
		}
	}
	if slot, ok := headerSlots[string(lower[:len(name)])]; ok && r.headers[slot] == "" {
		r.headers[slot] = value
	}
}

func (r *request) top(name, value []byte) {
	if slot, ok := memberSlots[string(name)]; ok && r.members[slot] == nil {
		r.members[slot] = value
	}
}

// pick is the first alternative of which every term is there and fits, and
// what they say, joined by dots.
func (r *request) pick(c column, fits func(string) bool) (value string, found []term) {
alternatives:
	for _, all := range c {
		value = ""
		for i := range all {
			v, there := r.look(&all[i])
			if !there || !fits(v) {
				continue alternatives
			}
			if i > 0 {
				v = value + "." + v
			}
			value = v
		}
		return cut(value), all
	}
	return "", nil
}

// found fills in what a row says about the request.
func (r *request) found(row *compiled, fits func(string) bool) Found {
	f := Found{Provider: row.name}
	f.Type, _ = r.pick(row.typ, fits)
	f.ID, _ = r.pick(row.id, something)
	if _, all := r.pick(row.signed, something); all != nil {
		f.Signed = all[0].name
	}
	return f
}

// look is what a term finds. An object or an array is there, but says nothing.
func (r *request) look(t *term) (value string, there bool) {
	switch t.from {
	case 0:
		value = r.headers[t.slot]
		there = value != ""
	case '.':
		value, there = r.member(t)
	case '?':
		for pair := range strings.SplitSeq(r.query, "&") {
			if name, v, _ := strings.Cut(pair, "="); name == t.name {
				value, there = v, true
				break
			}
		}
	case '!':
		for name := range members(r.body) {
			if !slices.Contains(t.path, string(name)) {
				value, there = string(cut(name)), true
				break
			}
		}
	case '=':
		value, there = t.name, true
	}
	switch t.op {
	case '=':
		there = there && strings.EqualFold(value, t.want)
	case '^':
		there = there && hasPrefixFold(value, t.want)
	case '#':
		there = there && strconv.Itoa(len(value)) == t.want && strings.Trim(value, "0123456789abcdefABCDEF") == ""
	}
	return cut(value), there
}

func (r *request) member(t *term) (value string, there bool) {
	v := r.members[t.slot]
	if v == nil {
		return "", false
	}
	if r.form {
		var plain [4 << 10]byte
		v = plain[:unescape(plain[:], v)]
		if len(t.path) == 0 {
			return string(cut(v)), true
		}
	}
	for _, name := range t.path {
		if v = member(v, name); v == nil {
			return "", false
		}
	}
	return text(v), true
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
