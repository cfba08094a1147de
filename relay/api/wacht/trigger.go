package wacht

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

type trigger struct {
	Name    *string         `json:"event_name"`
	Payload json.RawMessage `json:"payload"`
	// A filter_context may stand beside them: Wacht takes and ignores it.
}

func (t trigger) needs() []string {
	return absent(map[string]bool{"event_name": t.Name != nil, "payload": t.Payload != nil})
}

type triggered struct {
	Deliveries []string `json:"delivery_ids"`
	Filtered   int      `json:"filtered_count"`
	Delivered  int      `json:"delivered_count"` // queued
}

func (d *dialect) trigger(e api.Engine, r *http.Request) (any, error) {
	a, err := appOf(e, r)
	if err != nil {
		return nil, err
	}
	in, err := decode[trigger](r)
	if err != nil {
		return nil, err
	}
	made, err := e.Announce(r.Context(), a.Slug, capture.Emission{Type: *in.Name, Data: in.Payload})
	if errors.Is(err, capture.ErrDisabled) {
		return nil, missing("Webhook app not found: %s is not active", a.Slug)
	}
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(made.Deliveries))
	for i, attempt := range made.Deliveries {
		ids[i] = strings.TrimPrefix(string(attempt.Delivery), capture.DeliveryID) // as its webhook-id has it
	}
	return triggered{ids, made.Filtered, len(ids)}, nil
}
