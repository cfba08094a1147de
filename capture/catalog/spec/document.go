package spec

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// document is a decoded document and what its references lead to.
type document struct {
	root any
	ids  map[string]any // by $id and by #$anchor; nil until one is asked for
	*effort
}

// effort is what may still be done for a document. Each part of the work is
// small; there may be many.
type effort struct {
	values int // written into schemas
	steps  int // of making examples
	visits int // of values by schemas, to check them
}

func newDocument(root any) *document {
	return &document{root: root, effort: &effort{values: 5_000_000, steps: 5_000_000, visits: 20_000_000}}
}

// RemoteError is a reference that leads out of the document. None is ever
// followed.
type RemoteError struct{ Ref string }

func (e *RemoteError) Error() string {
	return fmt.Sprintf("it refers to %q, and references to other documents are not followed: bundle it into one file first (redocly bundle, asyncapi bundle)", cut(e.Ref, 200))
}

// missingError is a reference to what is not there.
type missingError struct{ ref, why string }

func (e *missingError) Error() string {
	return fmt.Sprintf("there is nothing at %q%s", cut(e.ref, 200), e.why)
}

// resolve is what a reference leads to. The error is a *RemoteError or a
// *missingError.
func (d *document) resolve(ref string) (any, error) {
	base, fragment, _ := strings.Cut(ref, "#")
	from := d.root
	if base != "" {
		var ok bool
		if from, ok = d.byID(base); !ok {
			return nil, &RemoteError{Ref: ref}
		}
	}
	fragment, err := url.PathUnescape(fragment)
	if err != nil {
		return nil, &missingError{ref, ": it is no URL"}
	}
	switch {
	case fragment == "":
		return from, nil
	case fragment[0] != '/':
		if v, ok := d.byID("#" + fragment); ok {
			return v, nil
		}
		return nil, &missingError{ref, ""}
	}
	v, ok := find(from, fragment)
	if !ok {
		return nil, &missingError{ref, ""}
	}
	return v, nil
}

// deref is v, or what it refers to in the end, and where that is.
func (d *document) deref(v any, place string) (any, string, error) {
	for hops := 0; ; hops++ {
		ref, ok := asObject(v).get("$ref").(string)
		if !ok {
			return v, place, nil
		}
		if hops > 50 {
			return nil, place, &missingError{ref, ": it refers to itself"}
		}
		var err error
		if v, err = d.resolve(ref); err != nil {
			return nil, place, err
		}
		place = strings.TrimPrefix(ref, "#")
	}
}

func (d *document) byID(id string) (any, bool) {
	if d.ids == nil {
		d.ids = map[string]any{}
		d.index(d.root)
	}
	v, ok := d.ids[id]
	return v, ok
}

func (d *document) index(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			d.index(e)
		}
	case *object:
		for _, key := range []string{"$id", "$anchor", "$dynamicAnchor"} {
			id, ok := v.get(key).(string)
			if !ok {
				continue
			}
			if key == "$id" {
				id = strings.TrimSuffix(id, "#")
			} else {
				id = "#" + id
			}
			if _, ok := d.ids[id]; !ok {
				d.ids[id] = v
			}
		}
		for _, key := range v.keys {
			d.index(v.of[key])
		}
	}
}

// find is the value at a JSON Pointer (RFC 6901).
func find(v any, pointer string) (any, bool) {
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = unescaper.Replace(token)
		switch in := v.(type) {
		case *object:
			if !in.has(token) {
				return nil, false
			}
			v = in.get(token)
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(in) {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, true
}

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// at is a place below a place.
func at(place string, names ...string) string {
	for _, name := range names {
		place += "/" + escaper.Replace(name)
	}
	return place
}
