package wacht

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

func (d *dialect) reactivateEndpoint(e api.Engine, r *http.Request) (any, error) {
	row, err := endpointOf(e, r)
	if err != nil {
		return nil, err
	}
	if _, err := e.SetEndpoint(r.Context(), row.ID, capture.EndpointEnabled, ""); err != nil {
		return nil, endpointGone(err)
	}
	return struct {
		Success bool   `json:"success"`
		Message string `json:"message"`
	}{true, fmt.Sprintf("Endpoint %s reactivated successfully", row.URL)}, nil
}

type probe struct {
	Name    *string         `json:"event_name"`
	Payload json.RawMessage `json:"payload"`
}

func (p probe) needs() []string { return absent(map[string]bool{"event_name": p.Name != nil}) }

type probed struct {
	Success bool    `json:"success"`
	Status  int     `json:"status_code"`
	Took    int64   `json:"response_time_ms"`
	Body    *string `json:"response_body"`
	Error   *string `json:"error"`
}

// testEndpoint sends one event of type test.webhook and waits for the answer.
func (d *dialect) testEndpoint(e api.Engine, r *http.Request) (any, error) {
	row, err := endpointOf(e, r)
	if err != nil {
		return nil, err
	}
	in, err := decode[probe](r)
	if err != nil {
		return nil, err
	}
	data := in.Payload
	if data == nil || string(data) == "null" {
		data, err = json.Marshal(struct {
			Test  bool   `json:"test"`
			Event string `json:"event"`
			At    string `json:"timestamp"`
		}{true, *in.Name, stamp(time.Now())})
		if err != nil {
			return nil, err
		}
	}
	a, err := e.TestEndpoint(r.Context(), row.ID, capture.Emission{Data: data})
	if err != nil {
		return nil, endpointGone(err)
	}
	out := probed{Success: a.Status == capture.AttemptSucceeded, Status: a.Code, Took: time.Duration(a.Duration).Milliseconds()}
	if a.Response != nil {
		body := strings.ToValidUTF8(string(a.Response.Body), "\uFFFD")
		out.Body = &body
	}
	if a.Error != nil {
		out.Error = &a.Error.Message
	}
	return out, nil
}
