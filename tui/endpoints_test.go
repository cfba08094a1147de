package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	answering "code.hooktape.dev/hooktape/relay/rules"
	"code.hooktape.dev/hooktape/store"
)

// registry is the real one on a store. What it has sent again is answered
// with 200 at once.
func registry(t testing.TB, s *store.Store, with ...func(*relay.Hooks)) *relay.Registry {
	t.Helper()
	sent := 900
	hooks := relay.Hooks{
		Plan:    func(*capture.Event, []byte) []*capture.Attempt { return nil },
		Changed: func(capture.Endpoint) {},
		Secrets: func() map[string]string { return map[string]string{"github": "hush", "slack": "hush"} },
		Rules:   ruleBook{Set: answering.New(nil)},
		Check: func(spec capture.EndpointSpec) error {
			if !strings.HasPrefix(spec.URL, "http") {
				return &capture.FieldError{Field: "url", Problem: "want http:// or https://"}
			}
			return nil
		},
		Resend: func(ctx context.Context, id capture.ID, r capture.Resend) ([]*capture.Attempt, error) {
			sent++
			a := pendingReplay(id, sent, "")
			a.Endpoint = r.Endpoint
			if err := s.Keep(ctx, &capture.Change{Attempts: []*capture.Attempt{a}}); err != nil {
				return nil, err
			}
			done := *a
			done.Status, done.Started, done.Duration, done.Code = capture.AttemptSucceeded, noon, capture.Duration(12*time.Millisecond), 200
			done.Request = &capture.Request{Method: "POST", Target: "/hook", Headers: capture.Headers{{"Webhook-Id", "msg_1"}, {"Authorization", "Bearer hush"}}, Made: `{"type":"test.webhook"}`}
			done.Response = &capture.Response{Status: 200, Proto: "HTTP/1.1", Body: []byte("thanks")}
			return []*capture.Attempt{a}, s.Keep(ctx, &capture.Change{Attempts: []*capture.Attempt{&done}})
		},
	}
	for _, f := range with {
		f(&hooks)
	}
	r, err := relay.NewRegistry(t.Context(), s, hooks)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ruleBook is rules at work.
type ruleBook struct {
	*answering.Set
	filed []capture.Rule
}

func (b ruleBook) Put(made []capture.Rule) error { return b.Set.Put(slices.Concat(b.filed, made)) }

func (ruleBook) Check(s *capture.RuleSpec) error { return answering.Check(s) }

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
		if err := s.NewEndpoint(t.Context(), e, true); err != nil {
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
func manage(t testing.TB, s *store.Store, w, h int, with ...func(*relay.Hooks)) (*driver, *relay.Registry) {
	t.Helper()
	r := registry(t, s, with...)
	d := start(t, s, w, h, func(o *Options) { o.Endpoints, o.Registry, o.Rules, o.Judge = r, r, r, r.Signature })
	d.kit.now = func() time.Time { return later }
	d.size(w, h)
	return d, r
}

// some is a store with a few of everything.
func some(t testing.TB) *store.Store {
	t.Helper()
	s := memory(t)
	register(t, s, 1, 10)
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
			{"conflict", []string{"2", "j", "j", "n", "https://hooks.example.com/tenants/3/incoming/webhooks", "enter"}},
			{"disable", []string{"2", "p"}},
			{"delete", []string{"2", "x"}},
			{"explain", []string{"E"}},
			{"help", []string{"2", "?"}},
		} {
			name := fmt.Sprintf("endpoint_%s_%dx%d", scene.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d, _ := manage(t, s, size[0], size[1])
				d.press(scene.keys...)
				d.golden(name)
			})
		}
		name := fmt.Sprintf("endpoint_secret_%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			d, _ := manage(t, s, size[0], size[1])
			e := capture.Endpoint{ID: number(capture.EndpointID, 1), EndpointSpec: capture.EndpointSpec{URL: "https://hooks.example.com/" + evil}, Secret: capture.Keyring{Key: "whsec_" + strings.Repeat("secret", 6)}}
			d.press("2")
			d.send(pushMsg{newOnce(d.kit, e, "The endpoint has a new secret.")})
			d.golden(name)
		})
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
	d = start(t, s, 80, 24, func(o *Options) { o.Endpoints = registry(t, s) })
	for _, k := range []string{"n", "e", "t", "p", "s", "x"} {
		d.press("2", k)
		d.want("cannot change endpoints here: this source is read only")
	}
}

func TestEndpointsFollowChanges(t *testing.T) {
	s := some(t)
	d, r := manage(t, s, 120, 24)
	d.press("2", "j")
	d.want("> ✓ ON", "description: Tenant 2", "9 endpoints")
	register(t, s, 10, 12)
	if _, err := r.SetEndpoint(t.Context(), number(capture.EndpointID, 2), capture.EndpointDisabled, "moved"); err != nil {
		t.Fatal(err)
	}
	d.changed()
	d.want("11 endpoints", "> ✗ OFF", "disabled by the user", "moved")
	if _, err := r.SetEndpoint(t.Context(), number(capture.EndpointID, 1), capture.EndpointDeleted, ""); err != nil {
		t.Fatal(err)
	}
	d.changed()
	d.want("10 endpoints", "> ✗ OFF") // the selected one stays selected
	d.wantNot("/1/incoming")
	d.press("/", "moved")
	d.want("1 found", "> ✗ OFF")
	register(t, s, 12, 13)
	d.changed()
	d.want("1 found", "> ✗ OFF")
	if _, err := r.SetEndpoint(t.Context(), number(capture.EndpointID, 2), capture.EndpointEnabled, ""); err != nil {
		t.Fatal(err)
	}
	d.changed()
	d.want("no endpoint matches moved")
	d.press("esc")
	d.want("11 endpoints")
	d.press("esc")
	d.want("1·Events")
}

// hidden counts the reads of a source.
type hidden struct {
	*relay.Registry
	reads int
}

func (h *hidden) Endpoints(ctx context.Context, q capture.EndpointQuery) ([]capture.EndpointRow, error) {
	h.reads++
	return h.Registry.Endpoints(ctx, q)
}

func TestHiddenScreensReadNothing(t *testing.T) {
	s := some(t)
	h := &hidden{Registry: registry(t, s)}
	d := start(t, s, 80, 24, func(o *Options) { o.Endpoints = h })
	d.changed()
	if h.reads != 0 {
		t.Errorf("%d reads of a list nobody looked at", h.reads)
	}
	d.press("2", "1")
	n := h.reads
	register(t, s, 10, 11)
	d.changed()
	d.changed()
	if h.reads != n {
		t.Errorf("%d reads while it was not on view", h.reads-n)
	}
	d.press("2")
	d.want("10 endpoints")
}

// TestManyEndpoints: with ten thousand, every one can be reached and found,
// and no key takes longer than a frame may.
func TestManyEndpoints(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 60)
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
		for _, k := range []string{"g", "j", "pgdown", "G", "k", "pgup", "ctrl+u", "ctrl+d", "S", "T"} {
			began := time.Now()
			d.press(k)
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

func TestQueueOfDisabledEndpoint(t *testing.T) {
	d, _ := manage(t, some(t), 80, 24)
	d.press("2", "j", "j", "enter", "]")
	d.want("[Queue 1]", "held until the endpoint is enabled again", "> held")
	d.press("p")
	d.want("> in 3h00m")
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
	d.want("✗ there is no app \"shop\"")
	d.press("ctrl+u", "default", "enter")
	d.want("It is not shown again", "secret: whsec_")
	e := &d.top().(*once).endpoint
	row, err := s.EndpointRow(t.Context(), e.ID)
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
	if string(got) != want || row.App != "default" {
		t.Errorf("app %s: got\n%s\nwant\n%s", row.App, got, want)
	}
	d.want(row.Secret.Key)
	d.press("y")
	d.want("sent secret, 50 B")
	d.press("enter")
	d.want("nothing has been sent yet")
	d.press("esc")
	d.want("10 endpoints")
	d.wantNot(row.Secret.Key)
}

func TestEditEndpoint(t *testing.T) {
	s := some(t)
	d, _ := manage(t, s, 80, 24)
	spec := func(n int) string {
		t.Helper()
		row, err := s.EndpointRow(t.Context(), number(capture.EndpointID, n))
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(row.EndpointSpec)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	d.press("2", "j", "e", "enter")
	d.want("nothing was changed", "9 endpoints")
	d.press("e", "tab", "x")
	d.want("an endpoint stays with its app")
	d.press("tab", "ctrl+u", "tab", ", push", "tab", "tab", "tab", "tab", "5s", "tab", "tab", "tab", "right", "tab")
	d.want("Authorization: Bearer ••••••••; X-Tenant: 2")
	d.press("; X-New: 1", "esc")
	d.want("discard what was changed?")
	d.press("n", "enter")
	d.want("saved https://hooks.example.com/tenants/2/")
	want := `{"url":"https://hooks.example.com/tenants/2/incoming/webhooks","subscriptions":[{"type":"invoice.*"},{"type":"charge.*"},{"type":"push"}],` +
		`"headers":{"Authorization":"Bearer hush","X-New":"1","X-Tenant":"2"},"timeout_ms":5000,"retry":{"preset":"ark"}}`
	if got := spec(2); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	d.press("e", "up", "ctrl+u", "X-Token: ••••••••", "enter")
	d.want("X-Token: type its value")
	d.press("ctrl+u", "enter")
	if got := spec(2); strings.Contains(got, "headers") {
		t.Errorf("headers were to go: %s", got)
	}

	before := spec(4)
	d.press("j", "j", "e", "tab", "tab", "tab")
	d.want("the API changes these")
	d.press("up")
	d.want("the API changes it") // a field would drop the escape
	d.press("esc")
	d.want("9 endpoints")
	d.press("e", "tab", "tab", "tab", "tab", "tab", "tab", "tab", "1s", "enter")
	if got := spec(4); got != strings.Replace(before, `}],"headers"`, `}],"headers"`, 1) && !strings.Contains(got, `"timeout_ms":1000`) {
		t.Errorf("got\n%s\nwant but for the timeout\n%s", got, before)
	}
}

func TestEndpointActions(t *testing.T) {
	s := some(t)
	d, _ := manage(t, s, 80, 24)
	d.press("2", "p", "moved away", "enter")
	d.want("disabled https://hooks.example.com/tenants/1/", "> ✗ OFF", "disabled by the user: moved away")
	d.press("p")
	d.want("enabled https://", "> ✓ ON")
	d.press("p", "esc")
	d.want("> ✓ ON")

	d.press("s", "n")
	d.want("nothing done")
	d.press("s", "y")
	d.want("The endpoint has a new secret", d.top().(*once).endpoint.Secret.Key)
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
	d.want("deleted https://", "8 endpoints")
}

func TestExplain(t *testing.T) {
	d, _ := manage(t, some(t), 80, 24)
	d.press("k", "E")
	d.want("Who gets evt_", "✓ yes", "1 of 3 endpoints", "gets the event")
	d.press("G")
	d.want("✗ no", "␛[2J")
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
	d.want("[Attempts 2]", "ENDPOINT", "http://lo…/stripe?x=1", "hooks.exa…/4/incoming")
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
				d.Update(tea.WindowSizeMsg{Width: w, Height: h})
				if err := fits(d.View(), w, h); err != nil {
					t.Fatalf("%v at %dx%d: %v", keys, w, h, err)
				}
			}
		}
	}
}
