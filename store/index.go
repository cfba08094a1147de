package store

import (
	"strconv"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// The indexed fields, by the names that match.Exact gives them.
const (
	fieldApp      = 'a'
	fieldType     = 't'
	fieldProvider = 'p'
	fieldMethod   = 'm'
	fieldState    = 's'
	fieldStatus   = 'c'
	fieldPinned   = '*'
)

var fields = map[string]byte{
	"app": fieldApp, "type": fieldType, "provider": fieldProvider, "method": fieldMethod,
	"state": fieldState, "status": fieldStatus, "pinned": fieldPinned,
}

// entry is one entry of the index: this event has this value there.
type entry struct {
	field byte
	value string
}

// indexed reports whether events with this value are listed. An empty value
// is not, and neither are POST and the default app, which would list nearly
// every webhook there is; nobody finds them faster by a list.
func (e entry) indexed() bool {
	switch e.field {
	case fieldMethod:
		return e.value != "" && !strings.EqualFold(e.value, "POST")
	case fieldApp:
		return e.value != "" && !strings.EqualFold(e.value, capture.DefaultApp)
	}
	return e.value != ""
}

// fixed are the entries of an event that never change.
func fixed(e *capture.Event) []entry {
	list := []entry{{fieldApp, e.App}, {fieldType, e.Type}, {fieldProvider, e.Provider}, {fieldMethod, e.Method}}
	if e.Refused != nil {
		list = append(list, entry{fieldState, string(capture.Rejected)})
	}
	return list
}

// entries are those of a tally: they change as it does.
func (t *tally) entries() []entry {
	list := []entry{{fieldState, string(t.Outcome.State)}}
	if t.Outcome.Status != 0 {
		list = append(list, entry{fieldStatus, strconv.Itoa(t.Outcome.Status)})
	}
	if t.Pinned {
		list = append(list, entry{fieldPinned, "true"})
	}
	return list
}

// lists are the prefixes whose union holds every event that satisfies the
// hint; none when the index cannot tell.
func lists(x match.Exact) (prefixes [][]byte) {
	field, ok := fields[x.Field]
	if !ok || len(x.Values) > 16 {
		return nil
	}
	for _, v := range x.Values {
		if !(entry{field, v}).indexed() || (field == fieldStatus && v == "0") || (field == fieldPinned && v != "true") {
			return nil
		}
		prefixes = append(prefixes, keyIndex(field, v))
	}
	return prefixes
}
