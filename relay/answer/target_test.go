package answer_test

import (
	"errors"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
	"code.hooktape.dev/hooktape/relay/answer"
)

func TestParseTarget(t *testing.T) {
	type target = answer.Target
	for in, want := range map[string]target{
		"3000":                               {Scheme: "http", Host: "localhost:3000"},
		":3000":                              {Scheme: "http", Host: "localhost:3000"},
		":3000/x":                            {Scheme: "http", Host: "localhost:3000", Path: "/x"},
		"3000/a/b?c=d":                       {Scheme: "http", Host: "localhost:3000", Path: "/a/b?c=d"},
		"localhost":                          {Scheme: "http", Host: "localhost"},
		"localhost/x":                        {Scheme: "http", Host: "localhost", Path: "/x"},
		"localhost:3000/x":                   {Scheme: "http", Host: "localhost:3000", Path: "/x"},
		"host.docker.internal:3000/x":        {Scheme: "http", Host: "host.docker.internal:3000", Path: "/x"},
		"app:3000":                           {Scheme: "http", Host: "app:3000"},
		"127.0.0.1:3000":                     {Scheme: "http", Host: "127.0.0.1:3000"},
		"[::1]:3000/x":                       {Scheme: "http", Host: "[::1]:3000", Path: "/x"},
		"http://[::1]/x":                     {Scheme: "http", Host: "[::1]", Path: "/x"},
		"http://localhost:3000":              {Scheme: "http", Host: "localhost:3000"},
		"https://app.test/a%2Fb/?x=%zz#frag": {Scheme: "https", Host: "app.test", Path: "/a%2Fb/?x=%zz"},
		"http://app.test?x":                  {Scheme: "http", Host: "app.test", Path: "?x"},
		"http://h/p?u=http://z":              {Scheme: "http", Host: "h", Path: "/p?u=http://z"},
		"unix:///run/app.sock":               {Scheme: "unix", Host: "/run/app.sock"},
		"unix:///run/app.sock:/hooks?x":      {Scheme: "unix", Host: "/run/app.sock", Path: "/hooks?x"},

		"type:push=3000":                             {Scheme: "http", Host: "localhost:3000", Filter: "type:push"},
		"type:push=:3000/x":                          {Scheme: "http", Host: "localhost:3000", Path: "/x", Filter: "type:push"},
		"type:push=localhost:3000":                   {Scheme: "http", Host: "localhost:3000", Filter: "type:push"},
		"type:push=host.docker.internal:3000/x":      {Scheme: "http", Host: "host.docker.internal:3000", Path: "/x", Filter: "type:push"},
		"type:push=app:3000":                         {Scheme: "http", Host: "app:3000", Filter: "type:push"},
		"type:push=[::1]:3000":                       {Scheme: "http", Host: "[::1]:3000", Filter: "type:push"},
		"type:push or app:shop=https://h/x":          {Scheme: "https", Host: "h", Path: "/x", Filter: "type:push or app:shop"},
		"path:/a/*=unix:///run/app.sock:/x":          {Scheme: "unix", Host: "/run/app.sock", Path: "/x", Filter: "path:/a/*"},
		"header.x:a=b=http://h/p?u=http://z":         {Scheme: "http", Host: "h", Path: "/p?u=http://z", Filter: "header.x:a=b"},
		"status:>=400=3000":                          {Scheme: "http", Host: "localhost:3000", Filter: "status:>=400"},
		"body.data.url:http://x/?a=1=localhost:3000": {Scheme: "http", Host: "localhost:3000", Filter: "body.data.url:http://x/?a=1"},
	} {
		got, err := answer.ParseTarget(in)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", in, got, err, want)
			continue
		}
		if want.Filter != "" {
			continue
		}
		if again, err := answer.ParseTarget(got.String()); err != nil || again != got {
			t.Errorf("%q is written %q, which is %+v, %v", in, got, again, err)
		}
	}
}

func TestParseTargetRefuses(t *testing.T) {
	for _, in := range []string{
		"", " ", "0", "99999", ":0", "localhost:0", "localhost:70000", "http://localhost:70000/x", "http://h:0",
		"shop", "/hooks", "ftp://h/x", "http://", "http:///x", "https://:443/x", "http://user:pass@h/x", "http://h/a b",
		"http://h/a\r\nX: y", "http://h/a\x00", "http://h x/", "unix://app.sock", "unix:", "unix:///", "unix:///a.sock:/x y", "unix:///a.sock:x",
		"3000 4000", "type:push=", "type:push=shop", "=", "localhost:port", "[::1", "http://[::1/x", "-1", "3000x",
	} {
		if got, err := answer.ParseTarget(in); !errors.Is(err, capture.ErrBadTarget) {
			t.Errorf("%q: %+v, %v; want ErrBadTarget", in, got, err)
		}
	}
	var syntax *match.SyntaxError
	if _, err := answer.ParseTarget("status:(=3000"); !errors.As(err, &syntax) {
		t.Errorf("a route with a broken predicate: %v, want where it breaks", err)
	}
}

func TestPathModes(t *testing.T) {
	for _, tt := range []struct{ mode, own, event, want string }{
		{"append", "", "/a%2F//b?x=%zz", "/a%2F//b?x=%zz"},
		{"append", "", "/", "/"},
		{"append", "", "/?", "/?"},
		{"append", "/hooks", "/", "/hooks"},
		{"append", "/hooks/", "/", "/hooks/"},
		{"append", "/hooks", "/?x", "/hooks?x"},
		{"append", "/hooks", "/a", "/hooks/a"},
		{"append", "/hooks/", "/a", "/hooks/a"},
		{"append", "/hooks/", "//a/", "/hooks//a/"},
		{"append", "/hooks?k=1", "/a", "/hooks/a?k=1"},
		{"append", "/hooks?k=1", "/a?x=2", "/hooks/a?k=1&x=2"},
		{"append", "/hooks?", "/a?", "/hooks/a?&"},
		{"append", "?k=1", "/a?x", "/a?k=1&x"},
		{"append", "?k=1", "/", "/?k=1"},
		{"append", "", "*", "*"},
		{"append", "/hooks", "*", "/hooks"},
		{"append", "/hooks", "http://x.example/a?b", "/hooks/a?b"},
		{"append", "/hooks", "http://x.example", "/hooks"},
		{"append", "", "http://x.example?b=http://y/z", "/?b=http://y/z"},
		{"append", "", "/go/http://y/z", "/go/http://y/z"},
		{"replace", "/hooks", "/a/b?x", "/hooks?x"},
		{"replace", "/hooks?k", "/a/b?x", "/hooks?k&x"},
		{"replace", "/hooks", "/a/b", "/hooks"},
		{"replace", "", "/a/b?x", "/?x"},
		{"strip=/v1", "", "/v1/a", "/a"},
		{"strip=/v1/", "", "/v1/a", "/a"},
		{"strip=/v1", "", "/v1", "/"},
		{"strip=/v1", "", "/v1?x", "/?x"},
		{"strip=/v1", "", "/v10/a", "/v10/a"},
		{"strip=/v1", "", "/a/v1", "/a/v1"},
		{"strip=/v1", "/hooks", "/v1/a?x", "/hooks/a?x"},
		{"strip=/v1", "/hooks", "/v1", "/hooks"},
		{"strip=/", "/hooks", "/a", "/hooks/a"},
	} {
		mode, err := answer.ParsePathMode(tt.mode)
		if err != nil {
			t.Fatal(err)
		}
		f := answer.Forward{Target: answer.Target{Scheme: "http", Host: "h", Path: tt.own}, Options: answer.Options{PathMode: mode}}
		r := f.Request(&capture.Event{Method: "GET", Target: capture.Raw(tt.event)}, nil, &capture.Attempt{})
		if string(r.Target) != tt.want {
			t.Errorf("%s of %q and %q is %q, want %q", tt.mode, tt.own, tt.event, r.Target, tt.want)
		}
	}
	for _, mode := range []string{"x", "strip", "strip=", "strip=v1", "Append"} {
		if _, err := answer.ParsePathMode(mode); err == nil {
			t.Errorf("path mode %q is taken", mode)
		}
	}
}

func TestHostAndHeaders(t *testing.T) {
	event := &capture.Event{ID: "evt_X", Method: "GET", Target: "/", Headers: capture.Headers{
		{"a", "1"}, {"hOst", "sender.example"}, {"X-Token", "old"}, {"B", "2"}, {"x-token", "older"}}}
	marks := "Hooktape-Event-Id: evt_X|Hooktape-Attempt: 1"
	for _, tt := range []struct {
		name   string
		target string
		o      answer.Options
		event  *capture.Event
		want   string
	}{
		{"rewrite", "http://app:1", answer.Options{}, event, "a: 1|hOst: app:1|X-Token: old|B: 2|x-token: older|" + marks},
		{"rewrite, said", "http://app:1", answer.Options{Host: "rewrite"}, event, "a: 1|hOst: app:1|X-Token: old|B: 2|x-token: older|" + marks},
		{"preserve", "http://app:1", answer.Options{Host: "preserve"}, event, "a: 1|hOst: sender.example|X-Token: old|B: 2|x-token: older|" + marks},
		{"preserve nothing", "http://app:1", answer.Options{Host: "preserve"}, &capture.Event{ID: "evt_X", Method: "GET", Target: "/"}, "Host: app:1|" + marks},
		{"a value", "http://app:1", answer.Options{Host: "other.example"}, event, "a: 1|hOst: other.example|X-Token: old|B: 2|x-token: older|" + marks},
		{"unix", "unix:///x.sock", answer.Options{}, event, "a: 1|hOst: localhost|X-Token: old|B: 2|x-token: older|" + marks},
		{"headers in place of the sender's", "http://app:1", answer.Options{Headers: capture.Headers{{"X-TOKEN", "new"}, {"c", ""}, {"X-TOKEN", "newer"}}}, event,
			"a: 1|hOst: app:1|B: 2|" + marks + "|X-TOKEN: new|c: |X-TOKEN: newer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target, err := answer.ParseTarget(tt.target)
			if err != nil {
				t.Fatal(err)
			}
			f := answer.Forward{Target: target, Options: tt.o}
			before := tt.event.Headers[:len(tt.event.Headers):len(tt.event.Headers)].Without()
			r := f.Request(tt.event, nil, &capture.Attempt{Number: 1})
			lines := make([]string, len(r.Headers))
			for i, h := range r.Headers {
				lines[i] = h[0] + ": " + h[1]
			}
			if got := strings.Join(lines, "|"); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
			for i, h := range tt.event.Headers {
				if h != before[i] {
					t.Errorf("the event's own header became %q", h)
				}
			}
		})
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"3000", ":3000/x", "unix:///a.sock:/x", "type:push=http://h/p?u=http://z", "[::1]:80", "https://h/a%zz?b#c", "a=b=c:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		target, err := answer.ParseTarget(s)
		if err != nil {
			return
		}
		// What it sends can be sent, and what it is called means the same.
		if strings.ContainsAny(target.Path, " \r\n\x00") || target.Host == "" {
			t.Errorf("%q: %+v", s, target)
		}
		if _, err := match.Parse(target.Filter); err != nil {
			t.Errorf("%q: filter %q: %v", s, target.Filter, err)
		}
		target.Filter = ""
		if again, err := answer.ParseTarget(target.String()); err != nil || again != target {
			t.Errorf("%q is %+v, written %q, which is %+v, %v", s, target, target, again, err)
		}
	})
}
