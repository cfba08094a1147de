package ductape

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// envelope is a call as Ductape's newer tools send it.
type envelope struct {
	Payload   string `json:"encrypted_payload"`
	PublicKey string `json:"public_key"`
}

// order is what is in it.
type order struct {
	Module string            `json:"module"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"` // the app's tag first, which is not asked for here
}

// receipt is what the caller gets.
type receipt struct {
	Data    any        `json:"data"`
	Elapsed int64      `json:"execution_time_ms"`
	Request capture.ID `json:"request_id"`
}

// orders are the methods of the module webhooks.
var orders = map[string]func(*call, *order) (any, error){
	"create":           func(c *call, o *order) (any, error) { return given(o, 1, c.createWebhook) },
	"createWithEvents": func(c *call, o *order) (any, error) { return given(o, 1, c.createWebhook) },
	"importBulk":       func(c *call, o *order) (any, error) { return given(o, 1, c.importBulk) },
	"list":             func(c *call, _ *order) (any, error) { return c.webhooks() },
	"fetch":            func(c *call, o *order) (any, error) { return tagged(o, c.webhook) },
	"delete":           func(c *call, o *order) (any, error) { return tagged(o, c.deleteWebhook) },
	"update": func(c *call, o *order) (any, error) {
		return tagged(o, func(tag string) (any, error) {
			return given(o, 2, func(in webhookInput) (any, error) { return c.updateWebhook(tag, in) })
		})
	},
	"events.create": func(c *call, o *order) (any, error) {
		return given(o, 1, func(in eventInput) (any, error) { return c.createEvent("", in) })
	},
	"events.list":   func(c *call, o *order) (any, error) { return tagged(o, c.events) },
	"events.fetch":  func(c *call, o *order) (any, error) { return tagged(o, c.event) },
	"events.delete": func(c *call, o *order) (any, error) { return tagged(o, c.deleteEvent) },
	"events.update": func(c *call, o *order) (any, error) {
		return tagged(o, func(tag string) (any, error) {
			return given(o, 2, func(in eventInput) (any, error) { return c.updateEvent(tag, in) })
		})
	},
}

// given reads what f is to be given from a parameter.
func given[T any](o *order, i int, f func(T) (any, error)) (any, error) {
	if i >= len(o.Params) {
		return nil, &failure{http.StatusBadRequest, fmt.Sprintf("params: %s wants %d", o.Method, i+1)}
	}
	in, err := read[T](o.Params[i])
	if err != nil {
		return nil, err
	}
	return f(in)
}

// tagged gives f the tag behind the app's.
func tagged(o *order, f func(string) (any, error)) (any, error) {
	var tag string
	if len(o.Params) < 2 || json.Unmarshal(o.Params[1], &tag) != nil {
		return nil, &failure{http.StatusBadRequest, fmt.Sprintf("params: %s wants the app's tag and another", o.Method)}
	}
	return f(tag)
}

// execute answers a call of the newer tools.
func (c *call) execute() (any, error) {
	began := time.Now()
	body := io.Reader(c.r.Body)
	if strings.EqualFold(c.r.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, unread(err)
		}
		body = z
	}
	text, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err != nil {
		return nil, unread(err)
	}
	if len(text) > maxBody {
		return nil, unread(&http.MaxBytesError{Limit: maxBody})
	}
	in, err := read[envelope](text)
	if err != nil {
		return nil, err
	}
	plain, err := decrypt(in.Payload, in.PublicKey)
	if err != nil {
		return nil, &failure{http.StatusBadRequest, "encrypted_payload: " + err.Error()}
	}
	o, err := read[order](plain)
	if err != nil {
		return nil, err
	}
	f, ok := orders[o.Method]
	if o.Module != "webhooks" || !ok {
		return nil, &failure{http.StatusNotFound, fmt.Sprintf("there is no method %.80q of a module %.80q here", o.Method, o.Module)}
	}
	c.bare = true
	data, err := f(c, &o)
	if err != nil {
		return nil, err
	}
	return receipt{data, time.Since(began).Milliseconds(), capture.NewID("req_")}, nil
}
