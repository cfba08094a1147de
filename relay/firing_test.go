package relay_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
)

// firer is a registry with a dispatcher, and a target that notes what it gets.
type firer struct {
	*relay.Registry
	store    *store.Store
	dispatch *dispatch.Dispatcher
	target   *httptest.Server

	mu     sync.Mutex // guards the fields below
	got    []request
	answer http.HandlerFunc // what it does beside noting
}

type request struct {
	Method, URI string
	Header      http.Header
	Body        string
}

func newFirer(t *testing.T) *firer {
	t.Helper()
	f := &firer{store: memory(t), answer: func(http.ResponseWriter, *http.Request) {}}
	f.target = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		f.mu.Lock()
		f.got = append(f.got, request{r.Method, r.RequestURI, r.Header, string(body)})
		answer := f.answer
		f.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(f.target.Close)
	f.open(t)
	return f
}

// answers has the target do so from now on.
func (f *firer) answers(answer http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

// open makes the registry and the dispatcher, which does not run yet.
func (f *firer) open(t *testing.T) {
	t.Helper()
	d := &dispatch.Dispatcher{Store: f.store, History: f.store, Log: logs(t)}
	r, err := relay.NewRegistry(t.Context(), f.store, relay.Hooks{Plan: d.Plan, Resend: d.Resend, Changed: d.Put, Target: d.Target,
		Check: func(e capture.EndpointSpec) error {
			if err := (*answer.Guard)(nil).URL(e.URL); err != nil {
				return err
			}
			return answer.CheckHeaders(e.Headers)
		}})
	if err != nil {
		t.Fatal(err)
	}
	d.Open = func(e capture.Endpoint) (dispatch.Sender, error) {
		if e.Trigger() {
			return &answer.Trigger{Of: r.FiredBy}, nil
		}
		return &answer.Delivery{Endpoint: e}, nil
	}
	d.Delivers, d.Follow = r.Delivers, r.Follow
	f.Registry, f.dispatch = r.As("token:plugin"), d
}

// create registers a trigger at a path of the target.
func (f *firer) create(t *testing.T, name, path string, change ...func(*capture.TriggerSpec)) capture.Trigger {
	t.Helper()
	spec := capture.TriggerSpec{Name: name, URL: f.target.URL + path}
	for _, c := range change {
		c(&spec)
	}
	made, err := f.CreateTrigger(t.Context(), "default", spec)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// fire fires it and wants no error.
func (f *firer) fire(t *testing.T, id capture.ID, call capture.TriggerCall) capture.TriggerAnswer {
	t.Helper()
	out, err := f.FireTrigger(t.Context(), id, call)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// firings are the events of firings, the oldest first, once none is pending.
func (f *firer) firings(t *testing.T) (all []capture.Row) {
	t.Helper()
	changed := f.store.Watch(t.Context())
	for {
		c, err := f.store.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if c.Pending == 0 {
			break
		}
		<-changed
	}
	page, err := f.store.Events(t.Context(), capture.Query{Filter: "origin:trigger", Ascending: true, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return page.Rows
}

func (f *firer) requests() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

func TestFiring(t *testing.T) {
	f := newFirer(t)
	during(t, f.dispatch.Run)
	var kept int
	f.answers(func(w http.ResponseWriter, r *http.Request) {
		page, err := f.store.Events(context.Background(), capture.Query{Filter: "origin:trigger is:pending"})
		if err != nil {
			t.Error(err)
		}
		kept = len(page.Rows)
		io.WriteString(w, `{"n":1}`)
	})
	send := f.create(t, "send", "/in?own=1", func(s *capture.TriggerSpec) {
		s.Method = "put"
		s.Headers = map[string]string{"X-Own": "fixed", "X-Slot": "", "X-Other": ""}
		s.QueryParams = []string{"page", "on", "q"}
	})
	out := f.fire(t, send.ID, capture.TriggerCall{Data: json.RawMessage(` {"a": [1]} `),
		Headers:     map[string]json.RawMessage{"x-slot": json.RawMessage(`7`), "x-own": json.RawMessage(`"mine"`), "X-Other": json.RawMessage(`""`)},
		QueryParams: map[string]json.RawMessage{"q": json.RawMessage(`"a b&c=é"`), "on": json.RawMessage(`true`), "page": json.RawMessage(`null`)}})
	if _, err := capture.ParseID(capture.EventID, string(out.Reference)); err != nil || out.Status != 200 || string(out.Data) != `{"n":1}` || out.Error {
		t.Errorf("it came to %+v", out)
	}
	if kept != 1 {
		t.Errorf("%d events were kept and pending when the target was asked, want 1", kept)
	}
	got := f.requests()[0]
	if got.Method != "PUT" || got.URI != "/in?own=1&on=true&q=a%20b%26c%3D%C3%A9" || got.Body != `{"a": [1]}` {
		t.Errorf("the target got %+v", got)
	}
	for name, want := range map[string]string{"X-Own": "fixed", "X-Slot": "7", "X-Other": "", "Content-Type": "application/json", "Hooktape-Event-Id": string(out.Reference), "Hooktape-Replay-Of": ""} {
		if got := got.Header.Get(name); got != want {
			t.Errorf("the target got the header %s: %q, want %q", name, got, want)
		}
	}
	own := f.create(t, "own", "/", func(s *capture.TriggerSpec) {
		s.Headers = map[string]string{"content-type": "application/vnd.own+json"}
	})
	f.fire(t, own.ID, capture.TriggerCall{Data: json.RawMessage(`{}`)})
	if got := f.requests()[1].Header.Values("Content-Type"); len(got) != 1 || got[0] != "application/vnd.own+json" {
		t.Errorf("the target got data as %q", got)
	}
	row := f.firings(t)[0]
	if row.ID != out.Reference || row.Trigger != send.ID || row.Type != "send" || row.Origin != capture.FromTrigger || row.Metadata["caller"] != "token:plugin" || row.Size != 10 {
		t.Errorf("the event is %+v", row)
	}
}

// What the target does is told, and is no error.
func TestFiringTells(t *testing.T) {
	f := newFirer(t)
	during(t, f.dispatch.Run)
	nobody := httptest.NewServer(nil)
	nobody.Close()
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	f.answers(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		case "/torn":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"a":`)
		case "/large":
			io.WriteString(w, strings.Repeat("x", 1<<20+1))
		default:
			var status int
			fmt.Sscan(r.URL.Path[1:], &status)
			w.WriteHeader(status)
			body, err := base64.URLEncoding.DecodeString(r.URL.Query().Get("body"))
			if err != nil {
				t.Error(err)
			}
			w.Write(body)
		}
	})
	body := func(s string) string { return "?body=" + base64.URLEncoding.EncodeToString([]byte(s)) }
	for name, tt := range map[string]struct {
		path   string
		status int
		data   string
		failed bool
		class  string
	}{
		"object":      {"/200" + body(` {"a":1} `), 200, `{"a":1}`, false, ""},
		"list":        {"/200" + body(`[1]`), 200, `{"body":[1]}`, false, ""},
		"JSON text":   {"/200" + body(`"x"`), 200, `{"body":"x"}`, false, ""},
		"text":        {"/202" + body("hello {\n"), 202, `{"body":"hello {\n"}`, false, ""},
		"bytes":       {"/200" + body("\xff\xd8\x00"), 200, `{"body":"/9gA","base64":true}`, false, ""},
		"nothing":     {"/204", 204, `{}`, false, ""},
		"large":       {"/large", 200, "", false, ""},
		"refused":     {"/404" + body(`{"why":"none"}`), 404, `{"why":"none"}`, true, "status"},
		"failure":     {"/503", 503, `{}`, true, "status"},
		"unreachable": {"!", 0, `{}`, true, "refused"},
		"too slow":    {"/hang", 0, `{}`, true, "timeout"},
		"torn":        {"/torn", 0, `{}`, true, "reset"},
	} {
		t.Run(name, func(t *testing.T) {
			trigger := f.create(t, name, tt.path, func(s *capture.TriggerSpec) {
				s.Timeout = capture.Duration(5 * time.Second)
				if tt.path == "!" {
					s.URL = nobody.URL
				}
				if tt.path == "/hang" {
					s.Timeout = capture.Duration(50 * time.Millisecond)
				}
			})
			out := f.fire(t, trigger.ID, capture.TriggerCall{})
			if out.Status != tt.status || out.Error != tt.failed || tt.data != "" && string(out.Data) != tt.data {
				t.Errorf("it came to %d %s %v, want %d %s %v", out.Status, out.Data, out.Error, tt.status, tt.data, tt.failed)
			}
			if tt.data == "" && !strings.HasSuffix(string(out.Data), `x","truncated":true}`) {
				t.Errorf("of a large answer it has %.40q…", out.Data)
			}
			made, err := f.store.Attempts(t.Context(), capture.AttemptQuery{Event: out.Reference})
			if err != nil || len(made) != 1 {
				t.Fatalf("it was tried %d times, %v", len(made), err)
			}
			if class := made[0].Error; tt.class != "" && (class == nil || class.Class != tt.class) || tt.class == "" && class != nil {
				t.Errorf("the attempt failed by %+v, want %q", class, tt.class)
			}
		})
	}
}

// A call that does not fit makes no event.
func TestFiringRefuses(t *testing.T) {
	f := newFirer(t)
	during(t, f.dispatch.Run)
	post := f.create(t, "post", "/", func(s *capture.TriggerSpec) {
		s.Headers, s.QueryParams = map[string]string{"X-Key": "k", "X-Slot": ""}, []string{"page"}
	})
	get := f.create(t, "get", "/", func(s *capture.TriggerSpec) { s.Method = "GET" })
	bytes := f.create(t, "bytes", "/", func(s *capture.TriggerSpec) { s.Encoding = "base64" })
	hidden := f.create(t, "hidden", "/", func(s *capture.TriggerSpec) { s.Hidden = true })
	type values = map[string]json.RawMessage
	for name, tt := range map[string]struct {
		to   capture.Trigger
		call capture.TriggerCall
		want string // of the error; "": none
	}{
		"a list":              {post, capture.TriggerCall{Data: json.RawMessage(`[1]`)}, "data: want a text or an object"},
		"a number":            {post, capture.TriggerCall{Data: json.RawMessage(`1`)}, "data: want a text or an object"},
		"no JSON":             {post, capture.TriggerCall{Data: json.RawMessage(`{`)}, "data: this is not JSON in UTF-8"},
		"null":                {post, capture.TriggerCall{Data: json.RawMessage(`null`)}, ""},
		"text":                {post, capture.TriggerCall{Data: json.RawMessage(`"x"`)}, ""},
		"data by GET":         {get, capture.TriggerCall{Data: json.RawMessage(`{"a":1}`)}, "data: a GET takes none"},
		"text by GET":         {get, capture.TriggerCall{Data: json.RawMessage(`"a"`)}, "data: a GET takes none"},
		"empty by GET":        {get, capture.TriggerCall{Data: json.RawMessage(`{ }`)}, ""},
		"empty text by GET":   {get, capture.TriggerCall{Data: json.RawMessage(`""`)}, ""},
		"no base64":           {bytes, capture.TriggerCall{Data: json.RawMessage(`"a b"`)}, "data: want the bytes to send as a text in base64"},
		"an object as base64": {bytes, capture.TriggerCall{Data: json.RawMessage(`{}`)}, "data: want the bytes to send as a text in base64"},
		"an unknown header":   {post, capture.TriggerCall{Headers: values{"X-Slott": json.RawMessage(`"v"`)}}, `headers.X-Slott: it takes no such header; did you mean "x-slot"?`},
		"Host":                {post, capture.TriggerCall{Headers: values{"Host": json.RawMessage(`"v"`)}}, "headers.Host: it takes no such header"},
		"two lines":           {post, capture.TriggerCall{Headers: values{"X-Slot": json.RawMessage(`"a\r\nX: b"`)}}, "headers.X-Slot: want a value of one line"},
		"twice":               {post, capture.TriggerCall{Headers: values{"X-Slot": json.RawMessage(`"a"`), "x-slot": json.RawMessage(`"b"`)}}, "headers.x-slot: is there twice"},
		"a header's object":   {post, capture.TriggerCall{Headers: values{"X-Slot": json.RawMessage(`{}`)}}, "headers.X-Slot: want a text, a number, true or false"},
		"a parameter":         {post, capture.TriggerCall{QueryParams: values{"pages": json.RawMessage(`1`)}}, `query_params.pages: it takes no such parameter; did you mean "page"?`},
		"a parameter's list":  {post, capture.TriggerCall{QueryParams: values{"page": json.RawMessage(`[1]`)}}, "query_params.page: want a text, a number, true or false"},
		"hidden":              {hidden, capture.TriggerCall{}, "not found"},
		"unknown":             {capture.Trigger{ID: capture.NewID(capture.TriggerID)}, capture.TriggerCall{}, "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(f.firings(t))
			_, err := f.FireTrigger(t.Context(), tt.to.ID, tt.call)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("refused with %v, want %q", err, tt.want)
			}
			if made := len(f.firings(t)) - before; (made == 0) != (tt.want != "") {
				t.Errorf("%d events were made", made)
			}
		})
	}
	if _, err := f.UpdateApp(t.Context(), "default", json.RawMessage(`{"inactive":true}`)); err == nil {
		if _, err := f.FireTrigger(t.Context(), post.ID, capture.TriggerCall{}); !errors.Is(err, capture.ErrDisabled) {
			t.Errorf("of an inactive app it was fired: %v", err)
		}
	}
}

// TestFiringHides looks for a trigger's URL and secrets wherever who may fire it,
// and who may read what is kept, can look.
func TestFiringHides(t *testing.T) {
	f := newFirer(t)
	during(t, f.dispatch.Run)
	f.answers(func(w http.ResponseWriter, r *http.Request) { // as an echo does
		w.Header().Set("Location", "http://"+r.Host+r.RequestURI)
		w.Header().Set("X-Echo", r.Header.Get("X-Key"))
		all := map[string]any{"url": "http://" + r.Host + r.RequestURI, "headers": r.Header, "args": r.URL.Query()}
		if r.Header.Get("X-Plain") != "" {
			fmt.Fprint(w, "got ", r.RequestURI, r.Header)
			return
		}
		json.NewEncoder(w).Encode(all)
	})
	secret := func(s *capture.TriggerSpec) {
		s.Headers = map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("user:path-word-one")), "X-Key": "path/word\"two", "X-Plain": "", "Accept": "text/plain"}
	}
	there := f.create(t, "there", "/services/path-word-three?key=path-word-four&x-token=path%20word%20five", secret)
	nobody := httptest.NewServer(nil)
	nobody.Close()
	away := f.create(t, "away", "", secret, func(s *capture.TriggerSpec) { s.URL = nobody.URL + "/path-word-six" })
	gone := f.create(t, "gone", "", secret, func(s *capture.TriggerSpec) { s.URL = "http://unknown.invalid/path-word-seven" })
	var seen []string
	see := func(v any, err error) {
		b, failed := json.Marshal(v)
		seen = append(seen, string(b), fmt.Sprint(err, failed))
	}
	see(f.Triggers(t.Context(), ""))
	see(f.Trigger(t.Context(), there.ID))
	see(f.UpdateTrigger(t.Context(), there.ID, json.RawMessage(`{"description":"d"}`)))
	hosts := strings.NewReplacer(f.target.URL, "", nobody.URL, "", "unknown.invalid", "") // which who manages may see
	for i := range seen {
		seen[i] = hosts.Replace(seen[i])
	}
	call := capture.TriggerCall{Data: json.RawMessage(`{"a":1}`)}
	see(f.fire(t, there.ID, call), nil)
	call.Headers = map[string]json.RawMessage{"x-plain": json.RawMessage("1")}
	see(f.fire(t, there.ID, call), nil)
	see(f.fire(t, away.ID, call), nil)
	see(f.fire(t, gone.ID, call), nil)
	for _, row := range f.firings(t) {
		see(row, nil)
	}
	made, err := f.store.Attempts(t.Context(), capture.AttemptQuery{})
	see(made, err)
	for _, a := range made {
		see(f.store.Attempt(t.Context(), a.ID))
		see(f.store.EndpointRow(t.Context(), a.Endpoint))
	}
	all := strings.Join(seen, "\n")
	for _, word := range []string{"path-word", "path word", "path%20word", "path/word", `path\/word`, strings.TrimPrefix(nobody.URL, "http://"), strings.TrimPrefix(f.target.URL, "http://"), "unknown.invalid", base64.StdEncoding.EncodeToString([]byte("user:path-word-one"))} {
		if at := strings.Index(all, word); at >= 0 {
			t.Errorf("%q is seen in …%s…", word, all[max(0, at-300):min(len(all), at+100)])
		}
	}
	if !strings.Contains(all, `"trigger:there"`) || !strings.Contains(all, `"class":"dns","message":"the target's name could not be resolved"`) {
		t.Errorf("what is kept does not tell what was done: %s", all)
	}
}

// What was read masked can be written as it was read.
func TestMaskedStays(t *testing.T) {
	f := newFirer(t)
	made := f.create(t, "send", "/path?key=1", func(s *capture.TriggerSpec) {
		s.Headers = map[string]string{"Authorization": "Bearer abc", "X-Slot": "", "Content-Type": "text/plain"}
	})
	spec, err := json.Marshal(made.TriggerSpec)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(spec), "path") || strings.Contains(string(spec), "abc") || !strings.Contains(string(spec), "text/plain") {
		t.Errorf("it is read as %s", spec)
	}
	if _, err := f.UpdateTrigger(t.Context(), made.ID, spec); err != nil {
		t.Fatal(err)
	}
	if now, _ := f.FiredBy(made.ID); now.URL != f.target.URL+"/path?key=1" || now.Headers["Authorization"] != "Bearer abc" || len(now.Headers) != 3 {
		t.Errorf("written as it is read it becomes %+v", now)
	}
	for _, patch := range []string{`{"url":"http://other.example/••••••••"}`, `{"headers":{"X-New":"••••••••"}}`} {
		if _, err := f.UpdateTrigger(t.Context(), made.ID, json.RawMessage(patch)); err == nil || !strings.Contains(err.Error(), "it is masked") {
			t.Errorf("%s: %v, want it refused", patch, err)
		}
	}
	// Of another store it is the same.
	f.open(t)
	if now, ok := f.FiredBy(made.ID); !ok || now.URL != f.target.URL+"/path?key=1" {
		t.Errorf("opened again it is %+v", now)
	}
}

// A firing goes to its target alone.
func TestFiringGoesNowhereElse(t *testing.T) {
	f := newFirer(t)
	if _, err := f.CreateEndpoint(t.Context(), "default", capture.EndpointSpec{URL: f.target.URL + "/subscribed"}); err != nil {
		t.Fatal(err)
	}
	if err := f.dispatch.Add(capture.Endpoint{ID: capture.NewID(capture.EndpointID), Listener: true, EndpointSpec: capture.EndpointSpec{URL: f.target.URL + "/listener"}}); err != nil {
		t.Fatal(err)
	}
	during(t, f.dispatch.Run)
	out := f.fire(t, f.create(t, "send", "/target").ID, capture.TriggerCall{})
	f.firings(t)
	if _, err := f.dispatch.Resend(t.Context(), out.Reference, capture.Resend{}); err != nil {
		t.Fatal(err)
	}
	f.firings(t)
	if got := f.requests(); len(got) != 2 || got[0].URI != "/target" || got[1].URI != "/target" {
		t.Errorf("asked were %+v", got)
	}
	if x, err := f.Explain(t.Context(), out.Reference); err != nil || len(x) != 1 || x[0].Matches || len(x[0].Why) != 1 {
		t.Errorf("that the endpoint got none is explained by %+v, %v", x, err)
	}
	if rows, err := f.Endpoints(t.Context(), capture.EndpointQuery{}); err != nil || len(rows) != 1 {
		t.Errorf("among the endpoints is %+v, %v", rows, err)
	}
}

// Callers do not wait for one another.
func TestFiringsTogether(t *testing.T) {
	f := newFirer(t)
	during(t, f.dispatch.Run)
	const all = 20
	var there sync.WaitGroup
	there.Add(all)
	f.answers(func(http.ResponseWriter, *http.Request) {
		there.Done()
		there.Wait()
	})
	send := f.create(t, "send", "/")
	var callers sync.WaitGroup
	for range all {
		callers.Go(func() {
			if out, err := f.FireTrigger(t.Context(), send.ID, capture.TriggerCall{}); err != nil || out.Error {
				t.Errorf("it came to %+v, %v", out, err)
			}
		})
	}
	callers.Wait()
}

// Another event is not sent to a trigger's target.
func TestNothingElseGoesToATarget(t *testing.T) {
	f := newFirer(t)
	during(t, f.dispatch.Run)
	f.create(t, "send", "/target")
	e, _, err := f.Emit(t.Context(), "default", capture.Emission{Type: "a"})
	if err != nil {
		t.Fatal(err)
	}
	made, err := f.dispatch.Resend(t.Context(), e.ID, capture.Resend{To: "trigger:send"})
	if err != nil {
		t.Fatal(err)
	}
	f.firings(t)
	if a, err := f.store.Attempt(t.Context(), made[0].ID); err != nil || a.Status != capture.AttemptFailed || len(f.requests()) != 0 {
		t.Errorf("it came to %+v, %v, and %d requests", a, err, len(f.requests()))
	}
}

// What was pending when the process ended is made when it is back, and what
// follows it, too.
func TestFiringAfterRestart(t *testing.T) {
	f := newFirer(t)
	after := func(s *capture.TriggerSpec) { s.Next = []capture.Sequel{{Trigger: "after"}} }
	f.create(t, "after", "/after")
	send := f.create(t, "send", "/send", after)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := f.FireTrigger(ctx, send.ID, capture.TriggerCall{Data: json.RawMessage(`"x"`)})
		ended <- err
	}()
	changed := f.store.Watch(t.Context())
	for { // kept, and nobody there to send it
		if c, err := f.store.Counts(t.Context()); err != nil || c.Pending == 1 {
			break
		}
		<-changed
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone is told %v", err)
	}
	f.open(t)
	during(t, f.dispatch.Run)
	rows := f.firings(t)
	if len(rows) != 2 || rows[0].Outcome.State != capture.OK || rows[1].Metadata["parent"] != string(rows[0].ID) {
		t.Errorf("there are %+v", rows)
	}
	if got := f.requests(); len(got) != 2 || got[0].Body != "x" || got[1].URI != "/after" {
		t.Errorf("asked were %+v", got)
	}
}

func TestChains(t *testing.T) {
	f := newFirer(t)
	during(t, f.dispatch.Run)
	f.answers(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/bad") {
			w.WriteHeader(500)
		}
		io.WriteString(w, `{"id":"from `+r.URL.Path+`","deep":{"n":[1,2]}}`)
	})
	hidden := func(s *capture.TriggerSpec) { s.Hidden = true }
	next := func(all ...capture.Sequel) func(*capture.TriggerSpec) {
		return func(s *capture.TriggerSpec) { s.Next = all }
	}
	f.create(t, "last", "/last", hidden)
	f.create(t, "ask", "/ask", hidden, func(s *capture.TriggerSpec) { s.Method = "GET" })
	f.create(t, "won", "/won", hidden, next(capture.Sequel{Trigger: "last", When: capture.WhenAlways}))
	f.create(t, "lost", "/lost", hidden)
	all := next(capture.Sequel{Trigger: "won", Map: map[string]string{"id": "/data/id", "n": "/data/deep/n/1", "status": "/status", "was": "/sent/a", "none": "/data/x", "text": "plain"}},
		capture.Sequel{Trigger: "lost", When: capture.WhenFailure}, capture.Sequel{Trigger: "ask", When: capture.WhenAlways})
	good, bad := f.create(t, "good", "/good", all), f.create(t, "bad", "/bad", all)
	for _, tt := range []struct {
		head capture.Trigger
		want map[string]string // bodies by path
	}{
		{good, map[string]string{"/good": `{"a":"b"}`, "/won": `{"id":"from /good","n":2,"none":null,"status":200,"text":"plain","was":"b"}`, "/ask": "", "/last": `{"id":"from /won","deep":{"n":[1,2]}}`}},
		{bad, map[string]string{"/bad": `{"a":"b"}`, "/lost": `{"id":"from /bad","deep":{"n":[1,2]}}`, "/ask": ""}},
	} {
		before := len(f.requests())
		out := f.fire(t, tt.head.ID, capture.TriggerCall{Data: json.RawMessage(`{"a":"b"}`)})
		rows := f.firings(t)
		got := map[string]string{}
		for _, r := range f.requests()[before:] {
			got[r.URI] = r.Body
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s led to\n%v, want\n%v", tt.head.Name, got, tt.want)
		}
		of := map[string]capture.Row{}
		for _, row := range rows[len(rows)-len(tt.want):] {
			of[row.Type] = row
			if row.Metadata["caller"] != "token:plugin" {
				t.Errorf("%s was fired by %q", row.Type, row.Metadata["caller"])
			}
		}
		if of["ask"].Metadata["parent"] != string(out.Reference) || of[tt.head.Name].Metadata["parent"] != "" || of["last"].ID != "" && of["last"].Metadata["parent"] != string(of["won"].ID) {
			t.Errorf("parents are not as the chain is: %+v", of)
		}
	}
	// Sent again by hand, it is sent alone.
	before := len(f.requests())
	if _, err := f.dispatch.Resend(t.Context(), f.firings(t)[0].ID, capture.Resend{}); err != nil {
		t.Fatal(err)
	}
	f.firings(t)
	if got := f.requests()[before:]; len(got) != 1 || got[0].URI != "/good" || got[0].Header.Get("Hooktape-Replay-Of") == "" {
		t.Errorf("sent again it led to %+v", got)
	}
}

func TestChainsRefused(t *testing.T) {
	f := newFirer(t)
	to := func(names ...string) func(*capture.TriggerSpec) {
		return func(s *capture.TriggerSpec) {
			for _, n := range names {
				s.Next = append(s.Next, capture.Sequel{Trigger: n})
			}
		}
	}
	c := f.create(t, "c", "/c")
	b := f.create(t, "b", "/b", to("c"))
	a := f.create(t, "a", "/a", to("b"))
	f.create(t, "bytes", "/", func(s *capture.TriggerSpec) { s.Encoding = "base64" })
	f.create(t, "get", "/", func(s *capture.TriggerSpec) { s.Method = "GET" })
	for _, tt := range []struct{ id, patch, want string }{
		{string(c.ID), `{"next":[{"trigger":"a"}]}`, "it comes back to where it was"},
		{string(c.ID), `{"next":[{"trigger":"c"}]}`, "it comes back to where it was: c → c"},
		{string(c.ID), `{"next":[{"trigger":"d"}]}`, `next[0].trigger: there is no trigger "d"`},
		{string(c.ID), `{"next":[{"trigger":"gte"}]}`, `did you mean "get"?`},
		{string(c.ID), `{"next":[{"trigger":"get","when":"sometimes"}]}`, "next[0].when: "},
		{string(c.ID), `{"next":[{"trigger":"bytes"}]}`, "wants base64"},
		{string(c.ID), `{"next":[{"trigger":"get","map":{"a":"b"}}]}`, "next[0].map: "},
		{string(c.ID), `{"encoding":"base64"}`, `it follows "b"`},
		{string(c.ID), `{"name":"d"}`, `"c" follows "b"`},
		{string(c.ID), `{"name":"a"}`, `"c" follows "b"`},
		{string(a.ID), `{"name":"b"}`, "already"},
		{string(b.ID), `{"method":"TRACE"}`, "method: "},
		{string(b.ID), `{"url":"ftp://x/"}`, "url: "},
		{string(b.ID), `{"url":"http://u:p@x/"}`, "url: "},
		{string(b.ID), `{"headers":{"Host":"x"}}`, "headers.Host: "},
		{string(b.ID), `{"headers":{"Connection":"x"}}`, "headers.Connection: "},
		{string(b.ID), `{"headers":{"content-length":""}}`, "headers.content-length: "},
		{string(b.ID), `{"query_params":["a","a"]}`, "query_params[1]: "},
		{string(b.ID), `{"timeout_ms":1e9}`, "timeout_ms: "},
		{string(b.ID), `{"encoding":"base64","method":"GET"}`, "encoding: "},
		{string(b.ID), `{"name":"a/b"}`, "name: "},
		{string(b.ID), `{"name":""}`, "name: "},
	} {
		if _, err := f.UpdateTrigger(t.Context(), capture.ID(tt.id), json.RawMessage(tt.patch)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.patch, err, tt.want)
		}
	}
	if err := f.DeleteTrigger(t.Context(), c.ID); err == nil {
		t.Error("what follows another was deleted")
	}
	if _, err := f.UpdateTrigger(t.Context(), a.ID, json.RawMessage(`{"name":"z"}`)); err != nil {
		t.Errorf("what follows nothing cannot be named anew: %v", err)
	}
	// Neither long chains nor wide ones.
	name := "z"
	for n := range 40 {
		before := name
		name = fmt.Sprint("long", n)
		if _, err := f.CreateTrigger(t.Context(), "default", capture.TriggerSpec{Name: name, URL: f.target.URL, Next: []capture.Sequel{{Trigger: before}}}); err != nil {
			if n < 10 || !strings.Contains(err.Error(), "over 16 long") {
				t.Errorf("the chain ends after %d with %v", n, err)
			}
			break
		}
		if n == 39 {
			t.Error("there is no end to chains")
		}
	}
	for n := range 4 {
		spec := capture.TriggerSpec{Name: fmt.Sprint("wide", n), URL: f.target.URL}
		to(slices.Repeat([]string{map[bool]string{true: "c", false: fmt.Sprint("wide", n-1)}[n == 0]}, 8)...)(&spec)
		if _, err := f.CreateTrigger(t.Context(), "default", spec); (err == nil) != (n == 0) {
			t.Errorf("eight times wide%d: %v", n, err)
			break
		} else if err != nil {
			break
		}
	}
	if err := f.DeleteApp(t.Context(), "default"); err != nil {
		t.Fatal(err)
	}
	if all, err := f.Triggers(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("of a deleted app there are %+v, %v", all, err)
	}
}
