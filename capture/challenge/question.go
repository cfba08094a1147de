package challenge

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// maxBody is how many bytes a body that asks may have; longer ones are not
// looked into.
const maxBody = 16 << 10

// question is a request that may be a challenge.
type question struct {
	event *capture.Event
	body  []byte
}

// holds reports whether all terms are there, or are not behind a !, and say
// what is asked of them behind their =.
func (q *question) holds(known string) bool {
	for term := range strings.FieldsSeq(known) {
		term, absent := strings.CutPrefix(term, "!")
		term, want, exact := strings.Cut(term, "=")
		if got, ok := q.says(term, want); ok == absent || exact && got != want {
			return false
		}
	}
	return true
}

// says is the value of a term, if it is there and not empty:
//
//	X-Hook-Secret     a header
//	?hub.mode         a parameter of the query, its name in any case: SharePoint
//	                  writes Graph's in lower case
//	.payload.token    a string in the JSON body; in an array .0 is the first
//	                  element. Other values are there only when one is wanted
//	:members          how many members the JSON body has
func (q *question) says(term, want string) (value string, ok bool) {
	switch term[0] {
	case '?':
		value = q.param(term[1:])
	case '.':
		value = q.member(term[1:], want)
	case ':':
		var all map[string]json.RawMessage
		if len(q.body) <= maxBody && json.Unmarshal(q.body, &all) == nil {
			value = strconv.Itoa(len(all))
		}
	default:
		value = q.event.Headers.First(term)
	}
	return value, value != ""
}

func (q *question) param(name string) string {
	for pair := range strings.SplitSeq(q.event.RawQuery(), "&") {
		if n, v, _ := strings.Cut(pair, "="); strings.EqualFold(n, name) {
			v, err := url.QueryUnescape(v)
			if err != nil {
				return ""
			}
			return v
		}
	}
	return ""
}

// member looks for a word that must be there before it parses, for most
// bodies are no challenge.
func (q *question) member(path, want string) string {
	last := path[strings.LastIndexByte(path, '.')+1:]
	if len(q.body) > maxBody || !bytes.Contains(q.body, []byte(cmp.Or(want, last))) {
		return ""
	}
	raw := json.RawMessage(q.body)
	for name := range strings.SplitSeq(path, ".") {
		raw = below(raw, name)
	}
	var s string
	switch {
	case json.Unmarshal(raw, &s) == nil:
		return s
	case want != "":
		return string(raw)
	}
	return ""
}

// below is one member of a JSON object, or the first element of an array;
// nil where there is none.
func below(raw json.RawMessage, name string) json.RawMessage {
	if name == "0" {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
			return nil
		}
		return list[0]
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	return all[name]
}
