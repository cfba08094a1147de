package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/store"
)

// registered is what manages endpoints, on the store they are kept in.
type registered struct {
	*store.Store
	patch string // the newest
	why   string // of the newest change of a status
}

func (r *registered) Endpoints(ctx context.Context, q capture.EndpointQuery) ([]capture.EndpointRow, error) {
	return r.EndpointRows(ctx, q)
}

func (r *registered) Endpoint(ctx context.Context, id capture.ID) (capture.EndpointRow, error) {
	return r.EndpointRow(ctx, id)
}

func (r *registered) Explain(ctx context.Context, _ capture.ID) (all []capture.Explanation, err error) {
	rows, err := r.EndpointRows(ctx, capture.EndpointQuery{Limit: 100})
	for i, row := range rows {
		x := capture.Explanation{Endpoint: row.ID, App: row.App, URL: row.URL, Status: row.Status, Matches: i%2 == 1}
		if !x.Matches {
			x.Why = []string{"type: is \"ping\x1b[2J\", wanted invoice.*", "the endpoint is disabled"}
		}
		all = append(all, x)
	}
	return all, err
}

func (r *registered) CreateEndpoint(ctx context.Context, app string, spec capture.EndpointSpec) (capture.Endpoint, error) {
	if !strings.HasPrefix(spec.URL, "http") {
		return capture.Endpoint{}, &capture.FieldError{Field: "url", Problem: "want http:// or https://"}
	}
	e := capture.Endpoint{ID: number(capture.EndpointID, 0x7000), App: app, Created: noon, EndpointSpec: spec, Status: capture.EndpointEnabled,
		Secret: capture.Keyring{Key: "whsec_newnewnewnewnewnewnew"}}
	return e, r.NewEndpoint(ctx, e, true)
}

func (r *registered) UpdateEndpoint(ctx context.Context, id capture.ID, patch json.RawMessage) (capture.Endpoint, error) {
	r.patch = string(patch)
	return r.EditEndpoint(ctx, id, func(e *capture.Endpoint) error { return json.Unmarshal(patch, &e.EndpointSpec) })
}

func (r *registered) SetEndpoint(ctx context.Context, id capture.ID, to capture.EndpointStatus, why string) (capture.Endpoint, error) {
	r.why = why
	return r.EditEndpoint(ctx, id, func(e *capture.Endpoint) error {
		if e.Status, e.DisabledBy, e.DisabledAs = to, "", ""; to != capture.EndpointEnabled {
			e.DisabledBy, e.DisabledAs, e.DisabledAt = capture.ByUser, why, noon
		}
		return nil
	})
}

func (r *registered) RotateEndpointSecret(ctx context.Context, id capture.ID, _ time.Duration) (capture.Endpoint, error) {
	return r.EditEndpoint(ctx, id, func(e *capture.Endpoint) error {
		e.Secret = e.Secret.Rotate("whsec_rotatedrotatedrotated", noon, time.Hour)
		return nil
	})
}

func (r *registered) TestEndpoint(ctx context.Context, id capture.ID, what capture.Emission) (capture.Attempt, error) {
	c := numbered(900)
	c.Event.Type = or(what.Type, "test.webhook")
	c.Attempts = []*capture.Attempt{pendingReplay(c.Event.ID, 900, "")}
	a := c.Attempts[0]
	a.Endpoint, a.Status, a.Started, a.Duration, a.Code = id, capture.AttemptSucceeded, noon, capture.Duration(12*time.Millisecond), 200
	a.Request = &capture.Request{Method: "POST", Target: "/hook", Headers: capture.Headers{{"Webhook-Id", "msg_1"}, {"Authorization", "Bearer hush"}}, Made: `{"type":"test.webhook"}`}
	a.Response = &capture.Response{Status: 200, Proto: "HTTP/1.1", Body: []byte("thanks")}
	return *a, r.Keep(ctx, c)
}

const evil = "\x1b]52;c;aGk=\a\x1b[2J\u202eevil"

// register keeps endpoints from..to-1, differing as real ones do.
func register(t testing.TB, s *store.Store, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		e := capture.Endpoint{ID: number(capture.EndpointID, n), App: []string{"default", "shop", "billing"}[n%3], Created: noon.Add(time.Duration(n) * time.Second), Status: capture.EndpointEnabled,
			Secret: capture.Keyring{Key: "whsec_" + strings.Repeat("secret", 6)},
			EndpointSpec: capture.EndpointSpec{URL: fmt.Sprintf("https://hooks.example.com/tenants/%d/incoming/webhooks", n),
				Description: fmt.Sprintf("Tenant %d", n), Headers: map[string]string{"X-Tenant": fmt.Sprint(n)}}}
		switch n % 5 {
		case 2:
			e.Subscriptions = []capture.Subscription{{Type: "invoice.*"}, {Type: "charge.*"}}
			e.Headers["Authorization"] = "Bearer hush"
		case 3:
			e.Status, e.DisabledBy, e.DisabledAs, e.DisabledAt = capture.EndpointDisabled, capture.BySystem, "10 deliveries in a row were given up", noon
			e.RateLimit, e.Retry = &capture.RateLimit{Max: 10}, &capture.RetryPolicy{Preset: "none"}
		case 4:
			e.URL, e.Description, e.Filter = fmt.Sprintf("http://%d.example/%s", n, evil), evil, "body.a:"+evil
			e.Metadata = json.RawMessage(`{"team":"\u001b[2J"}`)
			e.Subscriptions = []capture.Subscription{{Type: evil, Filter: evil, Conditions: []capture.Condition{{Key: evil, Condition: "eq", Value: json.RawMessage(`"x"`)}}, Rules: json.RawMessage(`{"a":1}`)}}
			e.Headers = map[string]string{"X-" + evil: evil}
		}
		if err := s.NewEndpoint(t.Context(), e, false); err != nil {
			t.Fatal(err)
		}
	}
}

// awaited keeps a pending attempt of an event at an endpoint.
func awaited(t testing.TB, s *store.Store, n, endpoint int, in time.Duration) {
	t.Helper()
	a := pendingReplay(number(capture.EventID, n), 0x100+n, fmt.Sprintf("https://hooks.example.com/tenants/%d/incoming", endpoint))
	a.Endpoint, a.NotBefore, a.App, a.Type, a.TriggeredBy, a.TriggeredFrom = number(capture.EndpointID, endpoint), later.Add(in), "default", "invoice.paid", capture.BySystem, capture.FromAutomation
	if err := s.Keep(t.Context(), &capture.Change{Attempts: []*capture.Attempt{a}}); err != nil {
		t.Fatal(err)
	}
}

// later is now, in tests with endpoints.
var later = noon.Add(2 * time.Minute)

// manage begins on a store with its endpoints.
func manage(t testing.TB, s *store.Store, w, h int) (*driver, *registered) {
	t.Helper()
	r := &registered{Store: s}
	d := start(t, s, w, h, func(o *Options) { o.Endpoints, o.Registry = r, r })
	d.kit.now = func() time.Time { return later }
	d.size(w, h)
	return d, r
}

// some is a store with a few of everything.
func some(t testing.TB) *store.Store {
	t.Helper()
	s := memory(t)
	register(t, s, 1, 9)
	keep(t, s, 0, 60)
	awaited(t, s, 3, 3, 3*time.Hour)
	awaited(t, s, 1, 1, 42*time.Second)
	awaited(t, s, 2, 2, -time.Second)
	return s
}

func TestEndpointFrames(t *testing.T) {
	s := some(t)
	for _, size := range [][2]int{{40, 8}, {80, 24}, {160, 45}} {
		for _, scene := range []struct {
			name string
			keys []string
		}{
			{"list", []string{"2"}},
			{"disabled", []string{"2", "j", "j"}},
			{"hostile", []string{"2", "j", "j", "j"}},
			{"filter", []string{"2", "/", "tenant !off"}},
			{"nomatch", []string{"2", "/", "nothing"}},
			{"history", []string{"2", "enter"}},
			{"queue", []string{"2", "enter", "]"}},
			{"details", []string{"2", "j", "enter", "["}},
			{"attempt", []string{"2", "enter", "j", "enter"}},
			{"due", []string{"3"}},
			{"new", []string{"2", "n"}},
			{"edit", []string{"2", "j", "e"}},
			{"refused", []string{"2", "n", "ftp://x", "enter"}},
			{"conflict", []string{"2", "n", "https://hooks.example.com/x", "enter", "esc", "n", "https://hooks.example.com/x", "enter"}},
			{"secret", []string{"2", "n", "https://hooks.example.com/y", "enter"}},
			{"disable", []string{"2", "p"}},
			{"delete", []string{"2", "x"}},
			{"explain", []string{"E"}},
			{"help", []string{"2", "?"}},
		} {
			name := fmt.Sprintf("endpoint_%s_%dx%d", scene.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				on := s
				if scene.name == "conflict" || scene.name == "secret" {
					on = some(t)
				}
				d, _ := manage(t, on, size[0], size[1])
				d.press(scene.keys...)
				d.golden(name)
			})
		}
	}
	d, _ := manage(t, memory(t), 80, 24)
	d.press("2")
	d.want("No endpoints yet", "n makes one")
}

func TestAbsentViews(t *testing.T) {
	d := start(t, memory(t), 80, 24)
	d.wantNot("Endpoints", "Queue")
	d.press("2")
	d.want("there is no such view here")
	s := some(t)
	d = start(t, s, 80, 24, func(o *Options) { o.Endpoints = &registered{Store: s} })
	for _, k := range []string{"n", "e", "t", "p", "s", "x"} {
		d.press("2", k)
		d.want("cannot change endpoints here: this source is read only")
	}
}

func TestEndpointsFollowChanges(t *testing.T) {
	s := some(t)
	d, r := manage(t, s, 120, 24)
	d.press("2", "j")
	d.want("> ✓ ON", "description: Tenant 2", "8 endpoints")
	register(t, s, 9, 11)
	if _, err := r.SetEndpoint(t.Context(), number(capture.EndpointID, 2), capture.EndpointDisabled, "moved"); err != nil {
		t.Fatal(err)
	}
	d.changed()
	d.want("10 endpoints", "> ✗ OFF", "disabled by the user", "moved")
	if _, err := r.SetEndpoint(t.Context(), number(capture.EndpointID, 1), capture.EndpointDeleted, ""); err != nil {
		t.Fatal(err)
	}
	d.changed()
	d.want("9 endpoints", "> ✗ OFF") // the selected one stays selected
	d.wantNot("/1/incoming")
	d.press("/", "moved")
	d.want("1 found", "> ✗ OFF")
	register(t, s, 11, 12)
	d.changed()
	d.want("1 found", "> ✗ OFF")
	if _, err := r.SetEndpoint(t.Context(), number(capture.EndpointID, 2), capture.EndpointEnabled, ""); err != nil {
		t.Fatal(err)
	}
	d.changed()
	d.want("no endpoint matches moved")
	d.press("esc")
	d.want("10 endpoints")
	d.press("esc")
	d.want("1·Events")
}

// hidden counts the reads of a source.
type hidden struct {
	*registered
	reads int
}

func (h *hidden) Endpoints(ctx context.Context, q capture.EndpointQuery) ([]capture.EndpointRow, error) {
	h.reads++
	return h.registered.Endpoints(ctx, q)
}

func TestHiddenScreensReadNothing(t *testing.T) {
	s := some(t)
	h := &hidden{registered: &registered{Store: s}}
	d := start(t, s, 80, 24, func(o *Options) { o.Endpoints = h })
	d.changed()
	if h.reads != 0 {
		t.Errorf("%d reads of a list nobody looked at", h.reads)
	}
	d.press("2", "1")
	n := h.reads
	register(t, s, 9, 10)
	d.changed()
	d.changed()
	if h.reads != n {
		t.Errorf("%d reads while it was not on view", h.reads-n)
	}
	d.press("2")
	d.want("9 endpoints")
}

// TestManyEndpoints: with ten thousand, every one can be reached and found,
// and no key takes longer than a frame may.
func TestManyEndpoints(t *testing.T) {
	s := memory(t)
	register(t, s, 0, 10_000)
	d, _ := manage(t, s, 160, 45)
	d.press("2")
	list := &d.views[1].stack[0].(*endpoints).list
	if n := len(list.rows); n > 200 {
		t.Errorf("%d rows were read to show 45", n)
	}
	for i := range 300 {
		if got := list.selected().ID; got != number(capture.EndpointID, i) {
			t.Fatalf("after %d times down: %s", i, got)
		}
		d.press("j")
	}
	d.press("G")
	if got := list.selected().ID; got != number(capture.EndpointID, 9999) {
		t.Errorf("the last one is %s", got)
	}
	d.want("10,000 endpoints")

	const frame = time.Second / 30
	quickest := map[string]time.Duration{}
	for range 3 { // the machine may be busy
		for _, k := range []string{"g", "j", "pgdown", "G", "k", "pgup", "ctrl+u", "ctrl+d", "S", "T", "changed"} {
			began := time.Now()
			if k == "changed" {
				d.changed()
			} else {
				d.press(k)
			}
			if took := time.Since(began); quickest[k] == 0 || took < quickest[k] {
				quickest[k] = took
			}
		}
	}
	t.Log(quickest)
	for k, took := range quickest {
		if took > frame {
			t.Errorf("%s took %v, a frame is %v", k, took, frame)
		}
	}
	d.press("/", "tenant 9998")
	d.want("1 found", "tenants/9998/")
	d.press("esc")
	d.want("tenants/0/")
}

func TestEndpointHistory(t *testing.T) {
	s := some(t)
	d, _ := manage(t, s, 80, 24)
	d.press("2", "enter")
	d.want("[Attempts]", "Queue 1", "attempts, newest first", "> in 42s")
	d.press("j")
	d.want("> 12:00:58.001", "503") // event 59 has no attempt
	d.press("r")
	d.want("retrying ")
	if got := d.sent[0].Attempt; got != number(capture.AttemptID, 58) {
		t.Errorf("retried %s", got)
	}
	d.finish(number(capture.EventID, 58), 1)
	d.want("refused: connection refused")
	d.press("enter")
	d.want("[Response]", "response to attempt 1", "upstream warming up")
	d.press("]")
	d.want("[Sent]", "sent to: http://localhost:3000/in/stripe")
	d.press("esc")
	d.want("[Attempts]", "> 12:00:58.001") // as it was left

	keep(t, s, 60, 400) // many new ones above
	d.changed()
	d.want("> 12:00:58.001")
	d.press("g")
	d.want("12:06:38")
	keep(t, s, 400, 404) // the newest is followed
	d.changed()
	d.want("12:06:43")
	d.press("j", "pgdown", "pgdown", "pgdown")
	keep(t, s, 405, 500)
	d.changed()
	d.want("newer ↑")
	d.press("g")
	d.want("12:08:18")
	d.wantNot("newer ↑")
}

func TestCountdown(t *testing.T) {
	s := some(t)
	d, _ := manage(t, s, 80, 24)
	d.press("3")
	d.want("> now", "in 42s", "in 3h00m", "3 pending")
	q := d.views[2].stack[0].(*queue)
	now := later.Add(time.Second)
	d.kit.now = func() time.Time { return now }
	d.send(answer{q.id, clockMsg{}})
	d.want("in 41s")

	awaited(t, s, 6, 6, 5*time.Second)
	d.changed()
	d.wantNot("in 4s") // read once a second
	d.send(answer{q.id, clockMsg{}})
	d.want("in 4s", "4 pending")
	if !q.clock.ticking {
		t.Error("no tick is on its way")
	}
	d.press("1")
	d.send(answer{q.id, clockMsg{}})
	if q.clock.ticking {
		t.Error("the clock ticks where nobody sees it")
	}
	d.press("3", "enter")
	d.want("[Response]", "waiting at 12:01:59")
	d.press("esc", "esc")
	d.want("1·Events")
}

func TestCreateEndpoint(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := some(t)
	d, _ := manage(t, s, 80, 24)
	d.term.out.File = file
	d.press("2", "n", "enter")
	d.want("✗ where should events go?")
	d.press("https://hooks.example.com/in?a=1;b", "tab", "tab", "Billing", "tab", "invoice.*, charge.*", "tab", "stripe", "tab", "status:5z")
	d.want("✗ bad: status:5z — did you mean status:5xx?")
	d.press("ctrl+u", "body.amount:>100", "tab")
	d.wantNot("bad:")
	d.press("right", "right")
	d.want("‹ standard ›")
	d.press("left", "right", "tab", "soon", "tab", "10/5m", "tab", "0", "enter")
	d.want("✗ want a time such as 30s", "✗ want a number from 1", "not saved: Timeout")
	d.press("ctrl+u", "30s", "tab", "tab", "ctrl+u", "4", "tab", "right", "tab", "X-A: b; c=d; X-Team: e", "enter")
	d.want("It is not shown again", "whsec_newnewnewnewnewnewnew")
	row, err := s.EndpointRow(t.Context(), number(capture.EndpointID, 0x7000))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(row.EndpointSpec)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"url":"https://hooks.example.com/in?a=1;b","description":"Billing","filter":"body.amount:\u003e100",` +
		`"subscriptions":[{"type":"invoice.*","source":"stripe"},{"type":"charge.*","source":"stripe"}],"headers":{"X-A":"b; c=d","X-Team":"e"},` +
		`"format":"standard","timeout_ms":30000,"concurrency":4,"rate_limit":{"max":10,"per_ms":300000},"retry":{"preset":"ark"}}`
	if string(got) != want || row.App != "shop" {
		t.Errorf("app %s: got\n%s\nwant\n%s", row.App, got, want)
	}
	d.press("y")
	d.want("sent secret, 27 B")
	d.press("enter")
	d.want("nothing has been sent yet")
	d.press("esc")
	d.want("9 endpoints")
	d.wantNot("newnew")
}

func TestEditEndpoint(t *testing.T) {
	d, r := manage(t, some(t), 80, 24)
	d.press("2", "j", "e", "enter")
	d.want("nothing was changed", "8 endpoints")
	d.press("e", "tab", "x")
	d.want("an endpoint stays with its app")
	d.press("tab", "ctrl+u", "tab", ", push", "tab", "tab", "tab", "tab", "5s", "tab", "tab", "tab", "right", "tab", "zzz")
	d.want("secret: esc, then S shows")
	d.press("esc")
	d.want("discard what was changed?")
	d.press("n", "enter")
	d.want("saved https://hooks.example.com/tenants/2/")
	want := `{"description":null,"retry":{"attempts":null,"disable_after_exhausted":null,"disable_after_failures":null,"jitter":null,"preset":"ark","waits_ms":null},` +
		`"subscriptions":[{"type":"invoice.*"},{"type":"charge.*"},{"type":"push"}],"timeout_ms":5000}`
	if r.patch != want {
		t.Errorf("got\n%s\nwant\n%s", r.patch, want)
	}
	d.press("S", "e", "up")
	d.want("> Headers", "Authorization: Bearer hush; X-Tenant: 2")
	d.press("ctrl+u", "X-New: 1", "enter")
	if want := `{"headers":{"Authorization":null,"X-New":"1","X-Tenant":null}}`; r.patch != want {
		t.Errorf("got %s, want %s", r.patch, want)
	}
	d.press("g", "j", "j", "j", "e", "tab", "tab", "tab")
	d.want("the API changes these")
	d.press("up", "up")
	d.want("the API changes it") // a field would drop the escape
	d.press("esc")
	d.wantNot("discard")
	d.want("8 endpoints")
}

func TestEndpointActions(t *testing.T) {
	s := some(t)
	d, r := manage(t, s, 80, 24)
	d.press("2", "p", "moved away", "enter")
	d.want("disabled https://hooks.example.com/tenants/1/", "> ✗ OFF")
	if r.why != "moved away" {
		t.Errorf("why: %q", r.why)
	}
	d.press("p")
	d.want("enabled https://", "> ✓ ON")
	d.press("p", "esc")
	d.want("> ✓ ON")

	d.press("s", "n")
	d.want("nothing done")
	d.press("s", "y")
	d.want("The endpoint has a new secret", "whsec_rotatedrotatedrotated")
	d.press("esc", "t")
	d.want("✓ ok 200 (12ms)", "enter opens the attempt")
	d.press("j")
	d.wantNot("opens the attempt") // and j moved
	if got := d.views[1].stack[0].(*endpoints).list.at; got != 1 {
		t.Errorf("at %d", got)
	}
	d.press("t", "enter")
	d.want("[Response]", "thanks")
	d.press("]")
	d.want("[Sent]", "Webhook-Id: msg_1", "Authorization: Bearer ••••••••", `"type": "test.webhook"`)
	d.press("esc", "g", "x")
	d.want("delete hooks.example.com/t", "and skip 1 pending?")
	d.press("y")
	d.want("deleted https://", "7 endpoints")
}

func TestExplain(t *testing.T) {
	d, _ := manage(t, some(t), 80, 24)
	d.press("k", "E")
	d.want("Who gets evt_", "✓ yes", "4 of 8 endpoints", "gets the event")
	d.press("G")
	d.want("type: is \"ping␛[2J\", wanted invoice.*")
	d.press("enter")
	d.want("[Attempts]")
	d.press("esc", "esc")
	d.want("1·Events")
	d.press("enter", "E", "esc")
	d.want("[Body]")
}

func TestAttemptsByEndpoint(t *testing.T) {
	s := some(t)
	d, _ := manage(t, s, 120, 30)
	awaited(t, s, 58, 4, time.Hour)
	d.changed()
	d.press("k", "enter", "[")
	d.want("[Attempts 2]", "ENDPOINT", "http:/…ipe?x=1", "hooks.…ncoming")
	d.press("G")
	if why := d.top().Why(retry); why != "it has not been made yet" {
		t.Errorf("why not: %q", why)
	}
	d.press("g", "r")
	if len(d.sent) != 1 || d.sent[0].Attempt != number(capture.AttemptID, 58) {
		t.Errorf("sent %v", d.sent)
	}
}

// TestEndpointSizes: whatever an endpoint says, and however small the window,
// frames fit and hold nothing but text and colours.
func TestEndpointSizes(t *testing.T) {
	d, _ := manage(t, some(t), 80, 24)
	for _, keys := range [][]string{{"2", "j", "j", "j"}, {"enter"}, {"]"}, {"]"}, {"esc", "e"}, {"esc", "n", "x", "enter"}, {"esc", "y", "p"}, {"esc", "t", "enter"}, {"esc", "s", "y"}, {"esc", "x"}, {"esc", "3"}, {"enter"}, {"esc", "1", "E"}} {
		d.size(80, 24)
		d.press(keys...)
		for w := 1; w <= 200; w += 13 {
			for h := 1; h <= 60; h += 7 {
				d.size(w, h)
				if err := fits(d.View(), w, h); err != nil {
					t.Fatalf("%v at %dx%d: %v", keys, w, h, err)
				}
			}
		}
	}
}
