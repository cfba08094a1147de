package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// ask makes a request of a handler without a socket between.
func ask(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:4081"+target, strings.NewReader(body))
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// wantProblem compares an error as it is on the wire (RFC 9457).
func wantProblem(t testing.TB, w *httptest.ResponseRecorder, status int, code, says string) {
	t.Helper()
	var p map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%d %q is not JSON: %v", w.Code, w.Body, err)
	}
	if w.Code != status || w.Header().Get("Content-Type") != "application/problem+json" ||
		p["status"] != float64(status) || p["title"] != http.StatusText(status) || p["code"] != code || !strings.Contains(fmt.Sprint(p["detail"]), says) {
		t.Errorf("answered %d %s %s; want %d, code %s, saying %q", w.Code, w.Header().Get("Content-Type"), w.Body, status, code, says)
	}
}

func TestProblems(t *testing.T) {
	s := memory(t)
	c := event([]byte("{}"))
	keep(t, s, c)
	server := &api.Server{Source: s, Resend: func(_ context.Context, id capture.ID, r capture.Resend) ([]*capture.Attempt, error) {
		if r.To == "" {
			return nil, capture.ErrNoTarget
		}
		return nil, fmt.Errorf("%q: %w", r.To, capture.ErrBadTarget)
	}}
	h := server.Handler()
	unknown := string(capture.NewID(capture.EventID))
	replay := "/api/v1/events/" + string(c.Event.ID) + "/replay"
	for _, tt := range []struct {
		method, target, body string
		status               int
		code, says           string
	}{
		{"GET", "/api/v1/events/" + unknown, "", 404, "not_found", unknown},
		{"GET", "/api/v1/events/" + unknown + "/body", "", 404, "not_found", unknown},
		{"GET", "/api/v1/attempts?event=" + unknown, "", 404, "not_found", unknown},
		{"GET", "/api/v1/events/evt_x", "", 400, "bad_id", "26 characters"},
		{"GET", "/api/v1/attempts/" + unknown, "", 400, "bad_id", "begin with att_"},
		{"GET", "/api/v1/events?limit=many", "", 400, "bad_parameter", `limit="many"`},
		{"GET", "/api/v1/events?limit=1001", "", 400, "bad_parameter", "up to 1000"},
		{"GET", "/api/v1/events?cursor=-1", "", 400, "bad_parameter", `cursor="-1"`},
		{"GET", "/api/v1/events?filter=a+(b", "", 400, "bad_filter", "column 3"},
		{"GET", "/api/v1/live?filter=a+(b", "", 400, "bad_filter", "column 3"},
		{"GET", "/api/v1/live?after=x", "", 400, "bad_parameter", `after="x"`},
		{"POST", replay, `{"to":"http://localhost:1","tto":1}`, 400, "bad_body", `tto: there is no such member; did you mean "to"?`},
		{"POST", replay, `{"xyzzy":1}`, 400, "bad_body", `xyzzy: there is no such member`},
		{"POST", replay, `{"to":1}`, 400, "bad_body", "to: number cannot stand here"},
		{"POST", replay, `[]`, 400, "bad_body", "body: array cannot stand here"},
		{"POST", replay, `{"to":`, 400, "bad_body", ""},
		{"POST", replay, `{} {}`, 400, "bad_body", ""},
		{"POST", replay, `{"to":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "too_large", "1048576"},
		{"POST", replay, "", 409, "no_target", ""},
		{"POST", replay, `{"to":"shop"}`, 422, "bad_target", "shop"},
		{"GET", "/api/v1/nothing", "", 404, "not_found", "no such resource"},
		{"GET", "/", "", 404, "not_found", "no such resource"},
		{"PATCH", "/api/v1/events", "", 405, "method_not_allowed", "PATCH /api/v1/events: want GET, HEAD"},
		{"GET", "/api/v1/evnets", "", 404, "not_found", "Did you mean /api/v1/events?"},
		{"GET", "/api/v1/event/evt_x/body", "", 404, "not_found", "Did you mean /api/v1/events/evt_x/body?"},
		{"POST", "/api/v1/endpoints/wh_x/tset/", "", 404, "not_found", "Did you mean /api/v1/endpoints/wh_x/test?"},
	} {
		t.Run(tt.method+" "+tt.target[:min(len(tt.target), 60)], func(t *testing.T) {
			wantProblem(t, ask(h, tt.method, tt.target, tt.body), tt.status, tt.code, tt.says)
		})
	}
}

func TestUnknownParametersAreIgnored(t *testing.T) {
	s := memory(t)
	seed(t, s)
	h := (&api.Server{Source: s}).Handler()
	var page struct {
		Data []capture.Row
		Next string `json:"next_cursor"`
	}
	w := ask(h, "GET", "/api/v1/events?limit=3&colour=red&order=sideways", "")
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 || len(page.Data) != 3 || page.Next == "" {
		t.Errorf("answered %d %s, %v", w.Code, w.Body, err)
	}
	if w := ask(h, "GET", "/api/v1/events?app=none", ""); w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"data":[]}` {
		t.Errorf("an empty page is %d %s", w.Code, w.Body)
	}
}

// The bytes of a body are a stranger's. No browser may make a page of them.
func TestBodiesAreNeverPages(t *testing.T) {
	s := memory(t)
	c := event([]byte("<script>alert(1)</script>"))
	keep(t, s, c)
	w := ask((&api.Server{Source: s}).Handler(), "GET", "/api/v1/events/"+string(c.Event.ID)+"/body", "")
	if w.Body.String() != string(c.Body) || w.Header().Get("Content-Type") != "application/octet-stream" ||
		w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Content-Disposition") != "attachment" {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
}

// TestNobodyElsesWayIn is promise 8 on loopback: what a page in a browser can
// be made to send is refused, and a token is asked for once there is one.
func TestNobodyElsesWayIn(t *testing.T) {
	inner := (&api.Server{Source: memory(t)}).Handler()
	for _, tt := range []struct {
		name, token, target string
		headers             []string
		status              int
		code                string
	}{
		{"curl", "", "/api/v1/events", nil, 200, ""},
		{"loopback by number", "", "/api/v1/events", []string{"Host: 127.0.0.1:4081"}, 200, ""},
		{"loopback, IPv6", "", "/api/v1/events", []string{"Host: [::1]:4081"}, 200, ""},
		{"loopback without a port", "", "/api/v1/events", []string{"Host: LOCALHOST"}, 200, ""},
		{"a name that was rebound", "", "/api/v1/events", []string{"Host: evil.example:4081"}, 403, "foreign_host"},
		{"a name that begins well", "", "/api/v1/events", []string{"Host: localhost.evil.example"}, 403, "foreign_host"},
		{"a name that looks like a number", "", "/api/v1/events", []string{"Host: 127.0.0.1.evil.example:4081"}, 403, "foreign_host"},
		{"another machine's address", "", "/api/v1/events", []string{"Host: 192.168.1.2:4081"}, 403, "foreign_host"},
		{"any address", "", "/api/v1/events", []string{"Host: 0.0.0.0:4081"}, 403, "foreign_host"},
		{"no host", "", "/api/v1/events", []string{"Host: "}, 403, "foreign_host"},
		{"health by another name", "", "/healthz", []string{"Host: evil.example"}, 403, "foreign_host"},
		{"a foreign page", "", "/api/v1/events", []string{"Origin: https://evil.example"}, 403, "foreign_origin"},
		{"a page of another port", "", "/api/v1/events", []string{"Origin: http://localhost:3000"}, 403, "foreign_origin"},
		{"a page of no origin", "", "/api/v1/events", []string{"Origin: null"}, 403, "foreign_origin"},
		{"our own page", "", "/api/v1/events", []string{"Origin: http://localhost:4081", "Sec-Fetch-Site: same-origin"}, 200, ""},
		{"a link in a foreign page", "", "/api/v1/events", []string{"Sec-Fetch-Site: cross-site"}, 403, "foreign_origin"},
		{"a page of the same site", "", "/api/v1/events", []string{"Sec-Fetch-Site: same-site"}, 403, "foreign_origin"},
		{"typed into the browser", "", "/api/v1/events", []string{"Sec-Fetch-Site: none"}, 200, ""},
		{"a foreign page's websocket", "", "/api/v1/live", []string{"Origin: https://evil.example", "Connection: upgrade", "Upgrade: websocket"}, 403, "foreign_origin"},
		{"no token", "s3cret", "/api/v1/events", nil, 401, "unauthorized"},
		{"the wrong token", "s3cret", "/api/v1/events", []string{"Authorization: Bearer s3cre"}, 401, "unauthorized"},
		{"another scheme", "s3cret", "/api/v1/events", []string{"Authorization: Basic s3cret"}, 401, "unauthorized"},
		{"the token", "s3cret", "/api/v1/events", []string{"Authorization: Bearer s3cret"}, 200, ""},
		{"the token, scheme in lower case", "s3cret", "/api/v1/events", []string{"Authorization: bearer s3cret"}, 200, ""},
		{"the token from a foreign page", "s3cret", "/api/v1/events", []string{"Authorization: Bearer s3cret", "Origin: https://evil.example"}, 403, "foreign_origin"},
		{"health needs no token", "s3cret", "/healthz", nil, 200, ""},
		{"nor does the version", "s3cret", "/version", nil, 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := ask((&api.Server{Token: tt.token}).Guard(inner), "GET", tt.target, "", tt.headers...)
			if tt.code != "" {
				wantProblem(t, w, tt.status, tt.code, "")
			} else if w.Code != tt.status {
				t.Errorf("answered %d %s, want %d", w.Code, w.Body, tt.status)
			}
			if strings.Contains(w.Body.String(), "s3cret") {
				t.Errorf("the answer tells the token: %s", w.Body)
			}
		})
	}
}

// Off loopback, where others may come, the token is what counts: the machine
// has a name there.
func TestTokenOffLoopback(t *testing.T) {
	inner := (&api.Server{Source: memory(t)}).Handler()
	came := func(to, host, token, authorization string) int {
		r := httptest.NewRequest("GET", "http://"+host+"/api/v1/events", nil)
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.ParseIP(to), Port: 4081})))
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		(&api.Server{Token: token}).Guard(inner).ServeHTTP(w, r)
		return w.Code
	}
	for _, tt := range []struct {
		to, host, token, authorization string
		want                           int
	}{
		{"192.0.2.1", "relay.example", "s3cret", "Bearer s3cret", 200},
		{"192.0.2.1", "relay.example", "s3cret", "Bearer other", 401},
		{"192.0.2.1", "relay.example", "", "", 403},
		{"192.0.2.1", "localhost", "", "", 403}, // whatever they call it
		{"127.0.0.1", "relay.example", "s3cret", "Bearer s3cret", 403},
	} {
		if got := came(tt.to, tt.host, tt.token, tt.authorization); got != tt.want {
			t.Errorf("%+v: answered %d", tt, got)
		}
	}
}

// FuzzQuery: no query makes the server fail, and every answer is JSON.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "limit=1&cursor=3", "filter=type:pull+-x&app=shop&order=asc&scan=9", "limit=9999999999999999999", "cursor=att_01M80E6ZR16E77SKZNPRQEM4HR&status=failed", "a;b&%zz=%", "filter=/(/", "event=evt_"} {
		f.Add(s)
	}
	s := memory(f)
	seed(f, s)
	h := (&api.Server{Source: s}).Handler()
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/api/v1/events", "/api/v1/attempts"} {
			r := httptest.NewRequest("GET", "http://localhost"+path, nil)
			r.URL = &url.URL{Path: path, RawQuery: query}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			body, _ := io.ReadAll(w.Body)
			if w.Code != 200 && w.Code != 400 && w.Code != 404 || !json.Valid(body) {
				t.Errorf("%s?%s: %d %s", path, query, w.Code, body)
			}
		}
	})
}
