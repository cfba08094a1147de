package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// number reads a whole number of the query; 0 when it is not there. A most of
// 0 sets no bound.
func number(q url.Values, name string, most uint64) (uint64, error) {
	v := q.Get(name)
	if v == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(v, 10, 63)
	if err != nil || most > 0 && n > most {
		return 0, &problem{Status: http.StatusBadRequest, Code: "bad_parameter",
			Detail: fmt.Sprintf("%s=%q: want a whole number%s.", name, v, map[bool]string{true: fmt.Sprintf(" up to %d", most)}[most > 0])}
	}
	return n, nil
}

// moment reads a time of the query: RFC 3339, or a span before now; zero when
// it is not there.
func moment(q url.Values, name string) (t time.Time, err error) {
	v := q.Get(name)
	if v == "" {
		return t, nil
	}
	t, ok := match.ParseTime(v, time.Now())
	if !ok {
		return t, &capture.FieldError{Field: name, Problem: fmt.Sprintf("%q: want RFC 3339, or a span before now such as 2h or 7d", v)}
	}
	return t, nil
}

// named reads an id of the query, "" when it is not there.
func named(q url.Values, name, noun string) (capture.ID, error) {
	v := q.Get(name)
	if v == "" {
		return "", nil
	}
	return capture.ParseID(noun, v)
}

// list is a page of anything. An empty NextCursor says it is the last.
type list[T any] struct {
	Data       []T    `json:"data"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// page is a list that goes on behind the id of its last row if it is full.
func page[T any](rows []T, limit uint64, id func(T) capture.ID) list[T] {
	l := list[T]{Data: rows}
	if len(rows) > 0 && len(rows) == int(cmp.Or(limit, 50)) {
		l.NextCursor = string(id(rows[len(rows)-1]))
	}
	return l
}

func (l list[T]) MarshalJSON() ([]byte, error) {
	if l.Data == nil {
		l.Data = []T{}
	}
	type plain list[T]
	return json.Marshal(plain(l))
}

const jsonType = "application/json"

func reply(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_, err = w.Write(append(b, '\n'))
	return err
}
