package answer_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// detour answers /CODE?to=URL with a redirect there, and all else with 200.
func detour(t testing.TB) *receiver {
	return receive(t, func(w http.ResponseWriter, r *http.Request) {
		if code, err := strconv.Atoi(r.URL.Path[1:]); err == nil {
			w.Header().Set("Location", r.URL.Query().Get("to"))
			w.WriteHeader(code)
		}
	})
}

func TestRedirectsAreFollowed(t *testing.T) {
	settle(t)
	for _, tt := range []struct {
		code   string
		method string
		body   string
	}{{"301", "GET", ""}, {"302", "GET", ""}, {"303", "GET", ""}, {"307", "POST", `{"a":1`}, {"308", "POST", `{"a":1`}} {
		r := detour(t)
		d := to(r.URL+"/"+tt.code+"?to=../there%3Fx%3D1%23f", capture.FormatBlocklet, "hush")
		d.Endpoint.Headers = map[string]string{"X-Own": "mine"}
		a := ask(t, d)
		wantStatus(t, a, 200, "")
		came := r.all()
		if len(came) != 2 || !strings.HasPrefix(came[1], tt.method+" /there?x=1\n") {
			t.Fatalf("%s: came %q", tt.code, came)
		}
		head, body, _ := strings.Cut(came[1], "\n\n")
		if (tt.body == "") != (body == "") || !strings.HasPrefix(body, tt.body) || strings.Contains(head, "Content-Type") != (tt.body != "") || strings.Contains(head, "Content-Length") != (tt.body != "") {
			t.Errorf("%s: the second was %s", tt.code, came[1])
		}
		if !strings.Contains(head, "X-Own: mine") || !strings.Contains(head, "X-Webhook-Signature: t=") {
			t.Errorf("%s: on the same host headers were lost: %s", tt.code, head)
		}
		if a.Method != "POST" || a.URL != d.Endpoint.URL || a.Request.Made == "" || a.Timing.Connect == 0 {
			t.Errorf("%s: the first request is not what is kept: %+v", tt.code, a)
		}
	}
}

func TestRedirectsTakeNoSecretsElsewhere(t *testing.T) {
	settle(t)
	other, r := detour(t), detour(t)
	for _, format := range []capture.Format{capture.FormatWacht, capture.FormatBlocklet} {
		d := to(r.URL+"/307?to="+other.URL+"/307%3Fto="+r.URL+"/end", format, own)
		d.Endpoint.Headers = map[string]string{"Authorization": "Bearer mine", "cookie": "a=mine", "X-Own": "mine"}
		wantStatus(t, ask(t, d), 200, "")
		first, second, third := r.all()[len(r.all())-2], other.all()[len(other.all())-1], r.all()[len(r.all())-1]
		if strings.Count(first, "mine") != 3 || !strings.Contains(first, "ignature: ") {
			t.Errorf("%s: the first was %s", format, first)
		}
		for _, s := range []string{second, third} { // gone for good: who was between has chosen where to
			if strings.Contains(s, "mine") || strings.Contains(s, "ignature: ") || !strings.Contains(s, "Hooktape-Event-Id: evt_") || !strings.Contains(s, `"a":1`) {
				t.Errorf("%s: elsewhere came %s", format, s)
			}
		}
	}
}

func TestRedirectsThatAreNot(t *testing.T) {
	settle(t)
	r := detour(t)
	port := r.URL[strings.LastIndex(r.URL, ":"):]
	circle := receive(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
	})
	for _, tt := range []struct{ url, class, says string }{
		{circle.URL + "/round", capture.FailProtocol, "more than 5"},
		{r.URL + "/302?to=http://127.0.0.2" + port, capture.FailBlocked, "--allow-target 127.0.0.2/32"},
		{r.URL + "/302?to=http://[::1]" + port, capture.FailBlocked, "--allow-target ::1/128"},
		{r.URL + "/302?to=http://169.254.169.254/latest/meta-data/", capture.FailBlocked, "link-local"},
		{r.URL + "/307?to=http://[::ffff:10.0.0.1]/", capture.FailBlocked, "10.0.0.1 is a private address"},
		{r.URL + "/302?to=file:///etc/passwd", capture.FailProtocol, "no http or https URL"},
		{r.URL + "/302?to=unix:///run/docker.sock", capture.FailProtocol, "no http or https URL"},
		{r.URL + "/302?to=http://user:pw@127.0.0.1/", capture.FailProtocol, "with a user"},
		{r.URL + "/302?to=http://[", capture.FailProtocol, "no URL"},
		{r.URL + "/302?to=http:///x", capture.FailProtocol, "no http or https URL"},
	} {
		d := to(tt.url, capture.FormatWacht, own)
		d.Guard = guard(t, "127.0.0.1")
		a := ask(t, d)
		wantFailure(t, a, tt.class, tt.says)
		if a.Code/100 != 3 || a.Response == nil || a.Response.Headers.First("Location") == "" {
			t.Errorf("%s: the redirect is not kept: %d %+v", tt.url, a.Code, a.Response)
		}
	}
	if n := len(circle.all()); n != 6 {
		t.Errorf("the circle was gone round %d times, want 6", n)
	}
	a := ask(t, to(r.URL+"/302?to=", capture.FormatWacht, own))
	wantFailure(t, a, capture.FailStatus, "302")
}
