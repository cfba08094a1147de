package store

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// TestTapeIsForever opens a store that was made when format 1 was new: what
// was kept then is read now, to the last byte, and what was pending goes on.
// A new format gets a new archive here; the old ones stay.
func TestTapeIsForever(t *testing.T) {
	s := opened(t, unpacked(t, "format1"), Options{})
	at := time.Date(2026, 11, 22, 1, 2, 3, 456789012, time.UTC)
	for i, body := range []string{"", "{\"n\":1}\r\n", string(noise(4000)), "\x00\xff"} {
		want := capture.Event{
			ID: capture.ID("evt_01KAMB2CKW000000000000000" + string(rune('1'+i))), App: "default", Type: "push", Provider: "github", ProviderID: "d1",
			Origin: capture.Ingress, Received: at.Add(time.Duration(i) * time.Second), Remote: "127.0.0.1:1", Method: "POST", Target: "/hooks%zz?a=\xe9",
			Proto: "HTTP/1.1", Headers: capture.Headers{{"hOST", "x"}, {"X-A", "1"}, {"x-a", "\xe9"}}, Trailers: capture.Headers{{"T", "1"}},
			Size: int64(len(body)), SHA256: capture.Sum([]byte(body)), Signature: capture.Signature{Verdict: capture.Unchecked, Scheme: "X-Hub-Signature-256"},
			Metadata: map[string]string{"k": "v"},
		}
		row, err := s.Event(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		want.Seq = row.Seq
		if !reflect.DeepEqual(row.Event, want) || row.Pinned != (i == 0) {
			t.Errorf("event %d is %+v\nwant %+v", i, row, want)
		}
		if got, err := s.Body(t.Context(), want.ID); err != nil || string(got) != body {
			t.Errorf("body %d is %q, %v; want %q", i, got, err, body)
		}
		a, err := s.Attempt(t.Context(), capture.ID(strings.Replace(string(want.ID), "evt_", "att_", 1)))
		switch {
		case err != nil:
			t.Error(err)
		case i == 3 && (a.Status != capture.AttemptPending || row.Outcome.State != capture.Pending):
			t.Errorf("attempt %d is %s of an event that is %s; want it pending", i, a.Status, row.Outcome.State)
		case i < 3 && (a.Code != 200 || row.Outcome.State != capture.OK || string(a.Response.Body) != "ok\xff" || a.Request.Target != "/hooks%zz"):
			t.Errorf("attempt %d is %+v, and its event %s", i, a, row.Outcome.State)
		}
	}
	if due, err := s.Due(t.Context(), "wh_01KAMB2CKW0000000000000001", 10); err != nil || len(due) != 1 {
		t.Errorf("pending are %v, %v; want one", due, err)
	}
	page, err := s.Events(t.Context(), capture.Query{Filter: "type:push provider:github is:ok"})
	if err != nil || len(page.Rows) != 3 {
		t.Errorf("found %d events by index, %v; want 3", len(page.Rows), err)
	}
	if err := s.Check(t.Context(), func(id capture.ID, err error) { t.Errorf("%s: %v", id, err) }); err != nil {
		t.Error(err)
	}
}

// unpacked is the directory of a store in testdata.
func unpacked(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return filepath.Join(dir, name)
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		data, err := io.ReadAll(r)
		if err := errors.Join(err, os.WriteFile(path, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFormat2IsForever does the same for what format 2 brought.
func TestFormat2IsForever(t *testing.T) {
	s := opened(t, unpacked(t, "format2"), Options{})
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	app, err := s.App(t.Context(), "shop")
	if err != nil || app.Name != "The shop" || app.Answer.Body != "thanks" || app.SigningSecret.Key != "whsec_bmV3" || len(app.SigningSecret.Old) != 1 || app.IngestKey.Key != "ik_x" {
		t.Errorf("app is %+v, %v", app, err)
	}
	want := capture.EndpointSpec{
		URL: "https://example.com/\xe9", Format: capture.FormatStandard, Headers: map[string]string{"X": "\xff"}, Metadata: json.RawMessage(`{"b":1,"a":[2.0]}`),
		Timeout: capture.Duration(time.Second), Concurrency: 3, RateLimit: &capture.RateLimit{Max: 5, Per: capture.Duration(time.Minute)},
		Retry: &capture.RetryPolicy{Preset: "wacht", Attempts: 3, Waits: []capture.Duration{5}, Jitter: -1},
		Subscriptions: []capture.Subscription{{Type: "order.*", Source: "s", Exact: true, Filter: "body.a:1",
			Conditions: []capture.Condition{{Key: "k", Condition: "eq", Value: json.RawMessage(`null`)}}, Rules: json.RawMessage(`{"a":{"$gt":1}}`)}},
	}
	const id = "wh_01KAMB2CKW0000000000000009"
	row, err := s.EndpointRow(t.Context(), id)
	if err != nil || !reflect.DeepEqual(row.EndpointSpec, want) || row.App != "shop" || row.Status != capture.EndpointEnabled || row.Secret.Key != "whsec_a2V5" || !row.Created.Equal(at) {
		t.Errorf("endpoint is %+v, %v", row, err)
	}
	if h := row.Health; h.Pending != 3 || h.Failed != 1 || h.Exhausted != 1 || h.LastCode != 500 {
		t.Errorf("health is %+v", h)
	}
	if tokens, err := s.Tokens(t.Context()); err != nil || len(tokens) != 1 || tokens[0].Scope != capture.ScopeRead || tokens[0].SHA256 != capture.Sum([]byte("t")) {
		t.Errorf("tokens are %+v, %v", tokens, err)
	}
	if due, err := s.Due(t.Context(), id, 10); err != nil || len(due) != 3 || due[0].TriggeredBy != capture.ByUser || due[1].Number != 1 || due[2].Number != 2 {
		t.Errorf("pending are %+v, %v; want one by hand, a first try and a retry", due, err)
	}
	a, err := s.Attempt(t.Context(), "att_01KAMB2CKW0000000000000011")
	if err != nil || !a.Final || a.Code != 500 || a.Request.Made != `<{"n":1}>` || string(a.Response.Body) != "x" {
		t.Errorf("attempt is %+v, %v", a, err)
	}
	stats, err := s.Stats(t.Context(), capture.StatsQuery{App: "shop", Since: at.Add(-24 * time.Hour), Until: at.Add(240 * time.Hour)})
	if err != nil || stats.Events != 1 || stats.Attempts != 1 || stats.Failed != 1 {
		t.Errorf("statistics are %+v, %v", stats, err)
	}
}

// TestOlderHooktapeIsToldOfANewStore: what is opened is from then on of this
// format, which an older program must not write into.
func TestOlderHooktapeIsToldOfANewStore(t *testing.T) {
	dir := unpacked(t, "format1")
	opened(t, dir, Options{})
	var m manifest
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil || m.Format != format {
		t.Errorf("manifest is %+v, %v; want format %d", m, err, format)
	}
}

// TestFormat3IsForever does the same for what format 3 brought.
func TestFormat3IsForever(t *testing.T) {
	s := opened(t, unpacked(t, "format3"), Options{})
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	const listener, event, endpoint = "lsn_01KAMB2CKW0000000000000001", "evt_01KAMB2CKW0000000000000003", "wh_01KAMB2CKW0000000000000005"
	all, err := s.Listeners(t.Context())
	want := capture.Listener{ID: listener, App: "shop", Name: "ada@laptop", Only: "header.x-user:ada", Cursor: 7, Token: "tok_01KAMB2CKW0000000000000002", Version: "1", Created: at, Seen: at}
	if err != nil || len(all) != 1 || all[0] != want {
		t.Errorf("listeners are %+v, %v", all, err)
	}
	seat, err := s.EditSeat(t.Context(), "https://relay", "shop", func(*capture.Seat, bool) {})
	if want := (capture.Seat{ID: listener, Relay: "https://relay", App: "shop", Epoch: "e", Cursor: 9, Reported: 3, Seen: at}); err != nil || seat != want {
		t.Errorf("the seat is %+v, %v", seat, err)
	}
	facts, err := s.Facts(t.Context(), 0, 0)
	if err != nil || len(facts) != 3 || facts[0].Gap == nil || facts[0].Gap.Missed != 12 || facts[0].Gap.CatchUp != "last=3" || !facts[2].Attempt.Answers {
		t.Errorf("facts are %+v, %v", facts, err)
	}
	row, err := s.Event(t.Context(), event)
	if err != nil || row.Claimed != listener || !row.Sealed {
		t.Errorf("the event is %+v, %v", row, err)
	}
	if e, err := s.EndpointRow(t.Context(), endpoint); err != nil || e.Of != listener {
		t.Errorf("the endpoint is %+v, %v", e, err)
	}
	app, err := s.App(t.Context(), "shop")
	if err != nil || app.Answer.Mode != capture.AnswerSync || app.Answer.Wait() != time.Second || app.Challenges.Secrets["zoom"] != "s" || len(app.SealTo) != 1 {
		t.Errorf("the app is %+v, %v", app, err)
	}
	if tokens, err := s.Tokens(t.Context()); err != nil || len(tokens) != 1 || tokens[0].App != "shop" || tokens[0].Scope != capture.ScopeListen {
		t.Errorf("tokens are %+v, %v", tokens, err)
	}
	audit(t, s)
}

// TestFormat4IsForever does the same for what format 4 brought.
func TestFormat4IsForever(t *testing.T) {
	s := opened(t, unpacked(t, "format4"), Options{})
	types, err := s.Types(t.Context())
	if want := ([]capture.EventType{format4.kind}); err != nil || !reflect.DeepEqual(types, want) {
		t.Errorf("event types are %+v, %v\nwant %+v", types, err, want)
	}
	rules, err := s.Rules(t.Context())
	if want := ([]capture.Rule{format4.rule}); err != nil || !reflect.DeepEqual(rules, want) {
		t.Errorf("rules are %+v, %v\nwant %+v", rules, err, want)
	}
	app, err := s.App(t.Context(), "shop")
	if err != nil || !reflect.DeepEqual(app, format4.app) {
		t.Errorf("the app is %+v, %v", app, err)
	}
	row, err := s.Event(t.Context(), format4.event.ID)
	want := format4.event
	want.Seq, want.SHA256 = row.Seq, capture.Sum([]byte("x"))
	if err != nil || !reflect.DeepEqual(row.Event, want) {
		t.Errorf("the event is %+v, %v\nwant %+v", row.Event, err, want)
	}
	a, err := s.Attempt(t.Context(), format4.attempt.ID)
	if err != nil || a.As != capture.AsNew || a.Rule != format4.rule.ID {
		t.Errorf("the attempt is %+v, %v", a, err)
	}
	audit(t, s)
}

// format4 is what the store of that name holds.
var format4 = func() (f struct {
	kind    capture.EventType
	rule    capture.Rule
	app     capture.App
	event   capture.Event
	attempt capture.Attempt
}) {
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	half, no := 0.5, false
	f.kind = capture.EventType{Tag: "shop:order/paid", Created: at, Updated: at, EventTypeSpec: capture.EventTypeSpec{
		Name: "Paid", Description: "d", Provider: "stripe", Schema: raw(`{"type":"object"}`),
		Sample: capture.Sample{Method: "PUT", Path: "/{a}", Headers: map[string]string{"X": "1"}, Query: map[string]json.RawMessage{"q": raw(`[1]`)},
			Body: raw(`{ "n" : 1.0 }`), Params: map[string]json.RawMessage{"a": raw(`"b"`)}},
	}}
	f.rule = capture.Rule{ID: "rul_01KAMB2CKW0000000000000001", Place: 3, Created: at, Updated: at, CreatedBy: "ada", UpdatedBy: "bob", RuleSpec: capture.RuleSpec{
		Name: "slow", App: "shop", On: capture.OnDelivery, Match: "type:push", Disabled: true, Probability: &half, Times: 2,
		Scenario: &capture.Scenario{Name: "s", When: "started", Then: "b"}, Send: &no,
		Mock: &capture.Mock{Status: 201, Headers: map[string]string{"A": "{{uuid}}"}, Body: "hi", Cycle: true,
			Delay: &capture.Delay{Fixed: 1, Min: 2, Max: 3, Median: 4, Sigma: 0.5}, Sequence: []capture.Mock{{Status: 500}}},
		Fault: &capture.Fault{Kind: capture.FaultStatus, Status: 502, Delay: &capture.Delay{Fixed: 5}}, Pass: true,
	}}
	f.app = capture.App{Slug: "shop", AppSpec: capture.AppSpec{Secrets: map[string]string{"stripe/test": "whsec_not_a_real_one"}}}
	f.event = capture.Event{ID: "evt_01KAMB2CKW0000000000000002", App: "shop", Origin: capture.FromSample, Received: at, Method: "POST", Target: "/", Proto: "HTTP/1.1",
		Headers: capture.Headers{{"A", "b"}}, Size: 1, URL: "https://x/in/ik_abcdefgh/",
		Signature: capture.Signature{Verdict: capture.Stale, Scheme: "stripe", Secret: "stripe/test", Checked: at, Cause: capture.CauseStale, Detail: "old"}}
	f.attempt = capture.Attempt{ID: "att_01KAMB2CKW0000000000000003", Event: f.event.ID, Endpoint: "wh_01KAMB2CKW0000000000000004", Delivery: "dlv_01KAMB2CKW0000000000000005", Number: 1,
		Status: capture.AttemptFailed, URL: "http://x", TriggeredBy: capture.ByUser, TriggeredFrom: capture.FromManual, App: "shop", As: capture.AsNew, Rule: f.rule.ID, Started: at,
		Error: &capture.Failure{Class: capture.FailTimeout, Message: "m"}}
	return f
}()
