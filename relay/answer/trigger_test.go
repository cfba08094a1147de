package answer_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/answer"
)

// TestTriggerRedirects: where a redirect leads elsewhere, nothing that the
// trigger has goes along, and nobody is told where that is.
func TestTriggerRedirects(t *testing.T) {
	var mu sync.Mutex // guards seen
	var seen []string
	note := func(r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprint(r.Method, " ", r.RequestURI, " key=", r.Header.Get("X-Key"), " slot=", r.Header.Get("X-Slot"), " ", string(body)))
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(r)
		io.WriteString(w, `{"at":"other"}`)
	}))
	defer other.Close()
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(r)
		switch r.URL.Path {
		case "/same":
			http.Redirect(w, r, "/end?where=secret-place", http.StatusTemporaryRedirect)
		case "/other":
			http.Redirect(w, r, other.URL+"/there?where=secret-place", http.StatusPermanentRedirect)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/nowhere":
			http.Redirect(w, r, "http://127.0.0.1:1/secret-place", http.StatusFound)
		}
	}))
	defer home.Close()
	for _, tt := range []struct {
		path  string
		want  []string
		code  int
		class string
	}{
		{"/same", []string{"POST /same?key=own&p=1 key=k slot=s x", "POST /end?where=secret-place key=k slot=s x"}, 200, ""},
		{"/other", []string{"POST /other?key=own&p=1 key=k slot=s x", "POST /there?where=secret-place key= slot= x"}, 200, ""},
		{"/round", nil, 0, "protocol"},
		{"/nowhere", nil, 0, "refused"},
	} {
		spec := capture.TriggerSpec{Name: "send", URL: home.URL + tt.path + "?key=own", Headers: map[string]string{"X-Key": "k", "X-Slot": ""}}
		s := &answer.Trigger{Of: func(id capture.ID) (capture.Trigger, bool) {
			return capture.Trigger{ID: id, App: "default", TriggerSpec: spec}, true
		}}
		e := &capture.Event{ID: capture.NewID(capture.EventID), Trigger: capture.NewID(capture.TriggerID), Method: "POST", Target: "/?p=1", Headers: capture.Headers{{"X-Slot", "s"}}, Origin: capture.FromTrigger}
		a := &capture.Attempt{ID: capture.NewID(capture.AttemptID), Number: 1, TriggeredBy: capture.ByUser}
		s.Send(t.Context(), e, []byte("x"), a)
		mu.Lock()
		if tt.want != nil && fmt.Sprint(seen) != fmt.Sprint(tt.want) {
			t.Errorf("%s: seen were %q, want %q", tt.path, seen, tt.want)
		}
		seen = nil
		mu.Unlock()
		if a.Code != tt.code || (a.Error == nil) != (tt.class == "") || a.Error != nil && a.Error.Class != tt.class {
			t.Errorf("%s: it came to %d %+v, want %d %q", tt.path, a.Code, a.Error, tt.code, tt.class)
		}
		if kept := fmt.Sprintf("%+v %+v %+v %+v", a, a.Request, a.Response, a.Error); strings.Contains(kept, "secret-place") || strings.Contains(kept, home.URL) || strings.Contains(kept, other.URL) || a.URL != "trigger:send" {
			t.Errorf("%s: kept is %s", tt.path, kept)
		}
	}
}

// A guard keeps firings from where they may not go, and says no address.
func TestTriggerGuarded(t *testing.T) {
	srv := httptest.NewServer(nil)
	defer srv.Close()
	s := &answer.Trigger{Guard: new(answer.Guard), Of: func(id capture.ID) (capture.Trigger, bool) {
		return capture.Trigger{TriggerSpec: capture.TriggerSpec{Name: "send", URL: srv.URL}}, true
	}}
	a := new(capture.Attempt)
	s.Send(t.Context(), &capture.Event{Method: "POST", Target: "/", Trigger: capture.NewID(capture.TriggerID)}, nil, a)
	if a.Error == nil || a.Error.Class != capture.FailBlocked || strings.Contains(a.Error.Message, "127.0.0.1") {
		t.Errorf("it came to %+v", a.Error)
	}
}
