package front_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"code.hooktape.dev/hooktape/relay/front"
)

func TestParseRate(t *testing.T) {
	for s, want := range map[string]front.Rate{
		"": {}, "0": {}, "100/s": {PerSecond: 100, Burst: 200}, "600/m": {PerSecond: 10, Burst: 20}, "3600/h": {PerSecond: 1, Burst: 2},
		"10/s+50": {PerSecond: 10, Burst: 50}, "1/m": {PerSecond: 1. / 60, Burst: 1}, "1/h+1": {PerSecond: 1. / 3600, Burst: 1},
	} {
		if got, err := front.ParseRate(s); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{"100", "/s", "100/", "100/d", "0/s", "-1/s", "1.5/s", "10/s+", "10/s+0", "10/s+x", "10 /s", "1e3/s", "9999999999/s", "10+5/s"} {
		if got, err := front.ParseRate(s); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q: want", s)) {
			t.Errorf("%q: %+v, %v; want an error that says what is wanted", s, got, err)
		}
	}
}

// TestSourceRate: a source may come as often as it may, is told when to come
// back, and is let in then. Its neighbours do not notice.
func TestSourceRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &front.Limit{Source: front.Rate{PerSecond: 0.5, Burst: 2}}
		h := l.Handler(http.NotFoundHandler())
		ask := func(peer string) int { return answer(h, peer, "/").Code }
		for i, want := range []int{404, 404, 429, 429} {
			if got := ask("203.0.113.9:5"); got != want {
				t.Errorf("request %d: %d, want %d", i+1, got, want)
			}
		}
		w := answer(h, "203.0.113.9:6", "/")
		var problem struct {
			Title, Detail string
			Status        int
		}
		if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || w.Header().Get("Content-Type") != "application/problem+json" ||
			problem.Status != 429 || problem.Title != "Too Many Requests" || strings.Count(w.Body.String(), "\n") != 1 || !strings.Contains(problem.Detail, "2 s") {
			t.Errorf("%v: %s %+v, want a problem on one line", err, w.Body, problem)
		}
		if got := w.Header().Get("Retry-After"); got != "2" {
			t.Errorf("Retry-After: %s, want 2", got)
		}
		for peer, want := range map[string]int{"203.0.113.10:5": 404, "203.0.113.9": 429, "[::ffff:203.0.113.9]:5": 429, "[2001:db8::1]:5": 404} {
			if got := ask(peer); got != want {
				t.Errorf("%s: %d, want %d", peer, got, want)
			}
		}
		// One customer has a whole /64.
		ask("[2001:db8::2]:5")
		if same, other := ask("[2001:db8::ffff:3]:5"), ask("[2001:db8:0:1::1]:5"); same != 429 || other != 404 {
			t.Errorf("third of its /64: %d, of another: %d; want 429 and 404", same, other)
		}
		time.Sleep(2 * time.Second)
		if got := ask("203.0.113.9:5"); got != 404 {
			t.Errorf("after the wait: %d, want 404", got)
		}
		if sources, keys := l.Refused(); sources != 6 || keys != 0 {
			t.Errorf("counted %d and %d, want 6 for their source and none for their key", sources, keys)
		}
	})
}

func answer(h http.Handler, peer, target string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/", nil)
	r.RemoteAddr, r.RequestURI = peer, target
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestKeyRate: a key's bearers share its rate, wherever they come from and
// however they write the path; what has no key is not counted.
func TestKeyRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &front.Limit{Key: front.Rate{PerSecond: 1, Burst: 3}}
		h := l.Handler(http.NotFoundHandler())
		for i, target := range []string{"/in/ik_a", "/in/ik_a/x?y", "http://hooks.test/in/ik_a?z", "/in/ik_a/"} {
			want := 404
			if i == 3 {
				want = 429
			}
			if got := answer(h, fmt.Sprintf("203.0.113.%d:5", i), target).Code; got != want {
				t.Errorf("%s: %d, want %d", target, got, want)
			}
		}
		for _, target := range []string{"/in/ik_b", "/", "/in/", "/in", "/in/ik%5Fa", "/connect", "*", "http://x", ""} {
			for range 4 {
				if got := answer(h, "203.0.113.9:5", target).Code; got != 404 && target != "/in/ik_b" {
					t.Errorf("%q: %d, want no limit", target, got)
				}
			}
		}
		if _, keys := l.Refused(); keys != 2 {
			t.Errorf("counted %d, want 2", keys)
		}
	})
}

// TestKeyInATargetNobodyParses: net/http is shown "/" for it.
func TestKeyInATargetNobodyParses(t *testing.T) {
	l := listen(t)
	limit := &front.Limit{Key: front.Rate{PerSecond: 1e-3, Burst: 1}}
	serve(t, l, front.Proxies{}.Handler(limit.Handler(http.NotFoundHandler())))
	for _, want := range []string{"404", "429"} {
		if got := exchange(t, l, "POST /in/ik_a/%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"); got[:3] != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestManySources: whoever comes under ever new addresses takes no more memory
// than there is for them, and empties no bucket of those who keep coming.
func TestManySources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &front.Limit{Source: front.Rate{PerSecond: 1e-6, Burst: 1}}
		h := l.Handler(http.NotFoundHandler())
		answer(h, "203.0.113.9:5", "/")
		for i := range 50_000 {
			answer(h, fmt.Sprintf("[2001:db8:%x:%x::1]:5", i>>8, i&0xff), "/")
			if i%10_000 == 0 && answer(h, "203.0.113.9:5", "/").Code != 429 {
				t.Errorf("after %d others the source was forgotten", i)
			}
		}
		if got := answer(h, "[2001:db8::1]:5", "/").Code; got != 404 {
			t.Errorf("the first of them: %d, want it to be forgotten", got)
		}
	})
}

func TestNoLimits(t *testing.T) {
	h := new(front.Limit).Handler(http.NotFoundHandler())
	for range 1000 {
		if got := answer(h, "203.0.113.9:5", "/in/ik_a").Code; got != 404 {
			t.Fatalf("answered %d, want 404", got)
		}
	}
}
