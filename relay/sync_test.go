package relay_test

import (
	"context"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
)

// TestTheHandlersAnswerIsPassedOn: with what the handler has said, and nothing
// that it has not.
func TestTheHandlersAnswerIsPassedOn(t *testing.T) {
	for name, headers := range map[string]capture.Headers{
		"one that says a type":  {{"Content-Type", "text/x"}, {"X-Twice", "1"}, {"X-Twice", "2"}, {"Connection", "close"}},
		"one that says no type": {{"X-Twice", "1"}, {"X-Twice", "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := memory(t)
			in := &relay.Ingest{Keep: s.Keep, Log: logs(t),
				Route: func(app string) (string, capture.Answer, bool) {
					return app, capture.Answer{Mode: capture.AnswerSync}, true
				},
				Sync: func(ctx context.Context, c *capture.Change) (*capture.Response, error) {
					return &capture.Response{Status: 418, Headers: headers, Body: []byte(`{"a":1}`)}, s.Keep(ctx, c)
				}}
			got := send(t, serve(t, in), post("/hooks", "x"))
			if got.status != 418 || got.body != `{"a":1}` || got.header.Get("Content-Type") != headers.First("Content-Type") || len(got.header["X-Twice"]) != 2 {
				t.Errorf("answered %+v, want 418 with %v", got, headers)
			}
		})
	}
}
