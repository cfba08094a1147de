package ark_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/relay/api/ark"
)

// The pages that ARK's servers gave while they gave some, over 29 webhooks.
func TestPages(t *testing.T) {
	r := newRig(t, ark.Options{})
	const empty = `{"count":0,"pageCount":0,"totalCount":0,"next":null,"previous":null,"self":"/api/webhooks?page=1&limit=100","first":"/api/webhooks?page=1&limit=100","last":null}`
	if meta, _ := r.ask(t, "GET", "/api/webhooks", "").hooks(t); meta != empty {
		t.Errorf("of none: %s, want %s", meta, empty)
	}
	for i := range 29 {
		r.hook(t, fmt.Sprint("e", i), "/ok", "")
	}
	for _, tt := range []struct {
		query              string
		first, count       int
		pages              int
		previous, next     string
		self, first1, last string
	}{
		{"", 0, 29, 1, "", "", "page=1&limit=100", "page=1&limit=100", "page=1&limit=100"},
		{"page=2&limit=10", 10, 10, 3, "page=1&limit=10", "page=3&limit=10", "page=2&limit=10", "page=1&limit=10", "page=3&limit=10"},
		{"limit=10&page=3", 20, 9, 3, "limit=10&page=2", "", "limit=10&page=3", "limit=10&page=1", "limit=10&page=3"},
		{"page=5&limit=10", 0, 0, 3, "page=4&limit=10", "", "page=5&limit=10", "page=1&limit=10", "page=3&limit=10"},
		{"limit=29", 0, 29, 1, "", "", "limit=29&page=1", "limit=29&page=1", "limit=29&page=1"},
		{"limit=28&x=%20y&page=x", 0, 28, 2, "", "limit=28&x=%20y&page=2", "limit=28&x=%20y&page=1", "limit=28&x=%20y&page=1", "limit=28&x=%20y&page=2"},
		{"page=0&limit=0", 0, 29, 1, "", "", "page=1&limit=100", "page=1&limit=100", "page=1&limit=100"},
		{"page=-1&limit=-5", 0, 29, 1, "", "", "page=1&limit=100", "page=1&limit=100", "page=1&limit=100"},
		{"page=9223372036854775807&limit=9223372036854775807", 0, 0, 1, "page=9223372036854775806&limit=9223372036854775807", "",
			"page=9223372036854775807&limit=9223372036854775807", "page=1&limit=9223372036854775807", "page=1&limit=9223372036854775807"},
	} {
		link := func(query string) string {
			if query == "" {
				return "null"
			}
			return `"/api/webhooks?` + query + `"`
		}
		want := fmt.Sprintf(`{"count":%d,"pageCount":%d,"totalCount":29,"next":%s,"previous":%s,"self":%s,"first":%s,"last":%s}`,
			tt.count, tt.pages, link(tt.next), link(tt.previous), link(tt.self), link(tt.first1), link(tt.last))
		meta, hooks := r.ask(t, "GET", "/api/webhooks?"+tt.query, "").hooks(t)
		if meta != want || len(hooks) != tt.count || tt.count > 0 && hooks[0].Event != fmt.Sprint("e", tt.first) {
			t.Errorf("%s: %d webhooks, %s\nwant %s", tt.query, len(hooks), meta, want)
		}
	}
}

// FuzzPages: no query makes the server fail.
func FuzzPages(f *testing.F) {
	for _, s := range []string{"", "page=2&limit=1", "page=&limit", "limit=1e9&page=0x1", "page=1;limit=2", "&&=&%zz", "app=none"} {
		f.Add(s)
	}
	r := newRig(f, ark.Options{})
	for i := range 3 {
		r.hook(f, fmt.Sprint("e", i), "/ok", "")
	}
	h := r.server.Handler()
	f.Fuzz(func(t *testing.T, query string) {
		req := httptest.NewRequest("GET", "http://localhost/api/webhooks", nil)
		req.URL.RawQuery = query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"meta":{"count":`) {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	})
}
