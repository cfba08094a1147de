package tui

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// TestCurlRoundTrip gives the command to a shell and looks at what arrives.
func TestCurlRoundTrip(t *testing.T) {
	for _, tool := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no " + tool)
		}
	}
	type request struct {
		method, target string
		header         http.Header
		body           []byte
	}
	got := make(chan request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- request{r.Method, r.RequestURI, r.Header, body}
	}))
	defer server.Close()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for name, c := range map[string]struct {
		method, target string
		headers        capture.Headers
		body           []byte
	}{
		"json":     {"POST", "/in/a?x=[1]&y={2}", capture.Headers{{"Content-Type", "application/json"}, {"X-A", "it's $HOME `id` \"q\" \\"}, {"x-a", "again"}}, []byte("{\"a\": \"it's\",\n\t\"b\": \"$x\"}\n\n")},
		"no body":  {"GET", "/a/../b//c", nil, nil},
		"at":       {"PUT", "/", nil, []byte("@/etc/passwd")},
		"empty":    {"POST", "/", capture.Headers{{"X-Empty", ""}, {"User-Agent", "me/1"}, {"Accept", "*/*"}}, []byte("x")},
		"binary":   {"POST", "/", capture.Headers{{"Content-Type", "application/octet-stream"}}, every},
		"escape":   {"POST", "/", nil, []byte("a\x1b]0;x\x07")},
		"cr":       {"POST", "/", nil, []byte("a\r\nb\r\n")},
		"utf-8":    {"PATCH", "/支付?a#b", nil, []byte("支付 👍🏽 'é'")},
		"long":     {"POST", "/", nil, bytes.Repeat([]byte("it's long. "), 30_000)},
		"hop":      {"POST", "/", capture.Headers{{"Connection", "X-Hop"}, {"X-Hop", "1"}, {"Content-Length", "77"}, {"Host", "elsewhere"}, {"Transfer-Encoding", "chunked"}}, []byte("x")},
		"injected": {"POST'; exit 99; '", "/';exit 99;'", capture.Headers{{"X'; exit 99; '", "'; exit 99; '"}}, []byte("';exit 99;'")},
	} {
		t.Run(name, func(t *testing.T) {
			script := Curl(c.method, server.URL+c.target, c.headers, c.body)
			cmd := exec.CommandContext(t.Context(), "sh")
			cmd.Stdin = strings.NewReader(script)
			out, err := cmd.CombinedOutput()
			if name == "injected" { // no HTTP, and no shell either
				if cmd.ProcessState.ExitCode() == 99 {
					t.Fatalf("the shell obeyed it:\n%s", script)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v: %s\n%s", err, out, script)
			}
			r := <-got
			if r.method != c.method || r.target != c.target {
				t.Errorf("got %s %s, want %s %s", r.method, r.target, c.method, c.target)
			}
			if !bytes.Equal(r.body, c.body) {
				t.Errorf("got a body of %d bytes %.80q, want %d bytes %.80q", len(r.body), r.body, len(c.body), c.body)
			}
			want := c.headers.EndToEnd().Without("Host", "Content-Length").HTTP()
			if len(c.body) > 0 {
				r.header.Del("Content-Length")
			}
			if len(r.header) != len(want) {
				t.Errorf("got headers %v, want %v", r.header, want)
			}
			for k, v := range want {
				if strings.Join(r.header[k], "|") != strings.Join(v, "|") {
					t.Errorf("%s: got %q, want %q", k, r.header[k], v)
				}
			}
		})
	}
}
