package answer_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/answer"
)

// ask makes one attempt to deliver the sample with {"a":1} for data.
func ask(t testing.TB, d *answer.Delivery) *capture.Attempt {
	t.Helper()
	e, a := sample()
	if d.Endpoint.Timeout == 0 {
		d.Endpoint.Timeout = capture.Duration(patience)
	}
	t.Cleanup(d.Close)
	d.Send(t.Context(), e, []byte(`{"a":1}`), a)
	return a
}

// receiver is an app that remembers what came and answers as told.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex // guards came
	came []string   // requests, as text has them, in canonical case
}

func receive(t testing.TB, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := new(receiver)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.came = append(r.came, text(&capture.Request{Method: req.Method, Target: capture.Raw(req.RequestURI), Headers: capture.FromHTTP(req.Header), Body: body}))
		r.mu.Unlock()
		answer(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.came
}

func TestDelivery(t *testing.T) {
	settle(t)
	for format, key := range map[capture.Format]string{
		capture.FormatRaw: own, capture.FormatStandard: own, capture.FormatWacht: own, capture.FormatBlocklet: "hush", capture.FormatARK: token,
	} {
		t.Run(string(format), func(t *testing.T) {
			var wire strings.Builder
			seen := make(chan string, 2)
			target := script(t, "tcp", func(_ int, c net.Conn, br *bufio.Reader) {
				for {
					r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(br, &wire)))
					if err != nil {
						return
					}
					io.Copy(io.Discard, r.Body)
					seen <- wire.String()
					wire.Reset()
					io.WriteString(c, "HTTP/1.1 204 Done\r\nX-A: 1\r\n\r\n")
				}
			})
			d := to(target.String()+"/hook", format, key)
			for i := range 2 {
				a := ask(t, d)
				if a.Status != capture.AttemptSucceeded || a.Error != nil || a.Code != 204 || a.Method != "POST" || a.Response.Headers.First("X-A") != "1" {
					t.Fatalf("%+v, %+v, %+v", a, a.Error, a.Response)
				}
				e, _ := sample()
				want := made(t, d, e, `{"a":1}`, a)
				got := strings.ReplaceAll(strings.Replace(<-seen, " HTTP/1.1", "", 1), "\r\n", "\n")
				if got != text(want) {
					t.Errorf("came:\n%s\nwant:\n%s", got, text(want))
				}
				if a.URL != target.String()+string(want.Target) || time.Since(a.Started) > time.Minute || a.Duration <= 0 || a.Timing.FirstByte <= 0 || (a.Timing.Connect == 0) != (i == 1) {
					t.Errorf("attempt %d: %+v", i, a)
				}
				if a.Request.Made != want.Made || a.Request.Target != want.Target {
					t.Errorf("kept %+v", a.Request)
				}
			}
		})
	}
}

func TestSecretsAreNotKept(t *testing.T) {
	r := receive(t, func(http.ResponseWriter, *http.Request) {})
	d := to(r.URL, capture.FormatARK, token)
	d.Endpoint.Headers = map[string]string{"X-Api-Key": "key1", "COOKIE": "a=cookie1", "X-Hub-Token": "token1", "my-secret": "secret1", "X-Region": "eu"}
	a := ask(t, d)
	sent, kept := r.all()[0], text(a.Request)
	for _, s := range []string{token[:32], "key1", "cookie1", "token1", "secret1"} {
		if !strings.Contains(sent, s) || strings.Contains(kept, s) {
			t.Errorf("%q: sent %v, kept %v", s, strings.Contains(sent, s), strings.Contains(kept, s))
		}
	}
	if !strings.Contains(kept, "X-Region: eu\n") || !strings.Contains(kept, "Authorization: ****\n") || strings.Contains(sent, "****") {
		t.Errorf("sent:\n%s\nkept:\n%s", sent, kept)
	}

	d = to(r.URL, capture.FormatRaw, own)
	d.Endpoint.Headers = map[string]string{"Authorization": "Bearer mine"}
	if a = ask(t, d); strings.Contains(text(a.Request), "mine") || !strings.Contains(r.all()[1], "Bearer mine") {
		t.Errorf("sent:\n%s\nkept:\n%s", r.all()[1], text(a.Request))
	}
}

func TestMadeBodiesAreKeptUpToALimit(t *testing.T) {
	r := receive(t, func(http.ResponseWriter, *http.Request) {})
	d, a := to(r.URL, capture.FormatStandard, own), new(capture.Attempt)
	t.Cleanup(d.Close)
	d.Send(t.Context(), &capture.Event{ID: "evt_1"}, []byte(`"`+strings.Repeat("x", 2<<20)+`"`), a)
	if a.Status != capture.AttemptSucceeded || len(a.Request.Made) != 1<<20 || len(r.all()[0]) < 2<<20 {
		t.Errorf("%s %+v: kept %d bytes of those sent", a.Status, a.Error, len(a.Request.Made))
	}
}

func TestWhatCountsAsTaken(t *testing.T) {
	settle(t)
	r := receive(t, func(w http.ResponseWriter, r *http.Request) {
		code := map[string]int{"/200": 200, "/204": 204, "/299": 299, "/300": 300, "/302": 302, "/304": 304, "/400": 400, "/410": 410, "/500": 500}[r.URL.Path]
		if code == 302 {
			w.Header().Set("Location", "/200")
		}
		w.WriteHeader(code)
	})
	for format, taken := range map[capture.Format]string{
		capture.FormatRaw:      "/200 /204 /299",
		capture.FormatStandard: "/200 /204 /299",
		capture.FormatWacht:    "/200 /204 /299 /302",
		capture.FormatBlocklet: "/200 /204 /299 /302",
		capture.FormatARK:      "/200 /204 /299 /300 /302 /304",
	} {
		for _, path := range []string{"/200", "/204", "/299", "/300", "/302", "/304", "/400", "/410", "/500"} {
			a := ask(t, to(r.URL+path, format, ""))
			if want := strings.Contains(taken+" ", path+" "); want != (a.Status == capture.AttemptSucceeded) || want != (a.Error == nil) {
				t.Errorf("%s %s: %s, %+v; taken should be %v", format, path, a.Status, a.Error, want)
			}
			if a.Error != nil && (a.Error.Class != capture.FailStatus || !strings.Contains(a.Error.Message, path[1:]) || a.Code == 0) {
				t.Errorf("%s %s: %+v", format, path, a.Error)
			}
		}
	}
	a := ask(t, to(r.URL+"/302", capture.FormatStandard, ""))
	wantFailure(t, a, capture.FailStatus, "redirects are not followed")
}

func TestGuardStandsBeforeEveryConnection(t *testing.T) {
	settle(t)
	r := receive(t, func(http.ResponseWriter, *http.Request) {})
	port := r.URL[strings.LastIndex(r.URL, ":"):]
	for _, url := range []string{r.URL, "http://localhost" + port, "http://[::ffff:127.0.0.1]" + port, "http://0.0.0.0" + port, "http://[::]" + port} {
		for _, format := range capture.Formats {
			d := to(url, format, "")
			d.Guard = new(answer.Guard)
			wantFailure(t, ask(t, d), capture.FailBlocked, "--allow-target ")
			if err := d.Reachable(t.Context()); err == nil || !strings.Contains(err.Error(), "--allow-target ") {
				t.Errorf("%s is reachable: %v", url, err)
			}
		}
	}
	if came := r.all(); len(came) != 0 {
		t.Errorf("%d requests came through: %s", len(came), came[0])
	}
	d := to("http://127.0.0.1"+port, capture.FormatStandard, own)
	d.Guard = guard(t, "loopback")
	wantStatus(t, ask(t, d), 200, "")
	if err := d.Reachable(t.Context()); err != nil {
		t.Errorf("not reachable: %v", err)
	}
}

// Whatever an endpoint does, its attempt ends in time, says clearly what
// happened, and leaves nothing behind.
func TestBadWeather(t *testing.T) {
	settle(t)
	drip := func(_ int, c net.Conn, br *bufio.Reader) {
		request(br)
		for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("x", 1000)) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	mute := func(_ int, _ net.Conn, br *bufio.Reader) { io.Copy(io.Discard, br) }
	for _, tt := range []struct {
		name        string
		format      capture.Format
		play        func(int, net.Conn, *bufio.Reader)
		timeout     time.Duration
		class, says string
	}{
		{"never answers", capture.FormatStandard, mute, 100 * time.Millisecond, capture.FailTimeout, "within 100ms"},
		{"never answers ARK", capture.FormatARK, mute, 0, capture.FailTimeout, "within 1.5s"},
		{"a byte at a time", capture.FormatStandard, drip, 100 * time.Millisecond, capture.FailTimeout, "within 100ms"},
		{"a byte at a time behind a redirect", capture.FormatWacht, func(n int, c net.Conn, br *bufio.Reader) {
			if n == 1 {
				once("HTTP/1.1 307 There\r\nLocation: /x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")(n, c, br)
				return
			}
			drip(n, c, br)
		}, 100 * time.Millisecond, capture.FailTimeout, "within 100ms"},
		{"endless redirect body", capture.FormatWacht, func(n int, c net.Conn, br *bufio.Reader) {
			request(br)
			io.WriteString(c, "HTTP/1.1 307 There\r\nLocation: /x\r\n\r\n")
			endless("x")(n, c, br)
		}, patience, capture.FailProtocol, "more than 5"},
		{"resets", capture.FormatStandard, reset(""), patience, capture.FailReset, "closed before the answer"},
		{"resets amid the answer", capture.FormatBlocklet, reset("HTTP/1.1 200 OK\r\nContent-Le"), patience, capture.FailReset, "closed before the answer"},
		{"no HTTP", capture.FormatStandard, once("220 mail.test ESMTP\r\n"), patience, capture.FailProtocol, "malformed"},
		{"no HTTP behind a redirect", capture.FormatBlocklet, func(n int, c net.Conn, br *bufio.Reader) {
			if n == 1 {
				once("HTTP/1.1 302 There\r\nLocation: /x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")(n, c, br)
				return
			}
			once("220 mail.test ESMTP\r\n")(n, c, br)
		}, patience, capture.FailProtocol, "redirected to http://127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, a := to(script(t, "tcp", tt.play).String(), tt.format, ""), new(capture.Attempt)
			t.Cleanup(d.Close)
			d.Guard, d.Endpoint.Timeout = guard(t, "loopback"), capture.Duration(tt.timeout)
			e, _ := sample()
			d.Send(t.Context(), e, []byte("{}"), a)
			wantFailure(t, a, tt.class, tt.says)
			if a.Duration > capture.Duration(patience) {
				t.Errorf("took %s", a.Duration)
			}
		})
	}
	t.Run("1 GB", func(t *testing.T) {
		a := ask(t, to(script(t, "tcp", func(n int, c net.Conn, br *bufio.Reader) {
			request(br)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
			endless("x")(n, c, br)
		}).String(), capture.FormatStandard, ""))
		if a.Status != capture.AttemptSucceeded || len(a.Response.Body) != 1<<20 || !a.Response.Truncated {
			t.Errorf("%s, %+v, kept %d bytes", a.Status, a.Error, len(a.Response.Body))
		}
	})
}

func TestDeliveriesVerifyAttemptByAttempt(t *testing.T) {
	verdicts := make(chan error, 3)
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		verdicts <- verified(capture.FromHTTP(r.Header), body, time.Now(), app)
		w.WriteHeader(503)
	}))
	t.Cleanup(r.Close)
	for _, format := range []capture.Format{capture.FormatStandard, capture.FormatWacht} {
		d := to(r.URL, format, own)
		d.AppKeys = func() []string { return []string{app, older} }
		ask(t, d)
		if err := <-verdicts; err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}
