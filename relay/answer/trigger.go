package answer

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Trigger makes the firings of a trigger: it sends what was kept to where the
// trigger says. Of that, and of what lets it in there, nothing gets into an
// attempt: the URL is what stands for it, headers are masked, failures are told
// by their class, and answers are cleared of what they repeat. Redirects are
// followed; to another host, without the trigger's headers.
type Trigger struct {
	// Of is the trigger as it is now. It is asked for each attempt.
	Of func(capture.ID) (capture.Trigger, bool)
	// Guard judges every address that is dialled; nil: any will do.
	Guard *Guard
}

// Send makes the one attempt of a firing and fills in what happened. The
// connection is not used again: a trigger may be changed at any time.
func (f *Trigger) Send(ctx context.Context, e *capture.Event, body []byte, a *capture.Attempt) {
	a.Started = time.Now().UTC()
	t, ok := f.Of(e.Trigger)
	if !ok {
		why := "the trigger was deleted"
		if e.Trigger == "" {
			why = "nothing but its own firings is sent to a trigger's target"
		}
		a.Status, a.Error = capture.AttemptFailed, &capture.Failure{Class: capture.FailDeleted, Message: why}
		return
	}
	timeout := cmp.Or(time.Duration(t.Timeout), 15*time.Second)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	res, err := f.send(ctx, &t, e, body, a)
	if err != nil {
		res = nil // half an answer, or one that says where else to ask, is none
	}
	if res != nil {
		clean(res, t.Secrets())
	}
	finish(a, res, err, timeout, func(status int) bool { return status < 400 })
	if a.Error != nil {
		a.Error.Message = cmp.Or(neutral[a.Error.Class], a.Error.Message)
	}
}

func (f *Trigger) send(ctx context.Context, t *capture.Trigger, e *capture.Event, body []byte, a *capture.Attempt) (*capture.Response, error) {
	to, ok := parseHTTP(t.URL)
	if !ok {
		return nil, fmt.Errorf("the trigger's URL: %w", capture.ErrBadTarget)
	}
	req := &capture.Request{Method: e.Method, Target: capture.Raw(PathMode{replace: true}.join(to.Path, string(e.Target))), Body: body}
	own, names := capture.Headers{}, []string{}
	for _, h := range listed(t.Headers) {
		if names = append(names, h[0]); h[1] != "" {
			own = append(own, h)
		}
	}
	req.Headers = slices.Concat(capture.Headers{{"Host", to.Host}, {"User-Agent", agent}}, e.Headers)
	if len(body) > 0 || t.TakesData() { // RFC 9110 §8.6: these state even 0
		req.Headers = append(req.Headers, capture.Header{"Content-Length", strconv.Itoa(len(body))})
	}
	req.Headers = replaced(append(req.Headers, ours(e, a)...), own)

	kept := &capture.Request{Method: req.Method, Target: e.Target, Headers: slices.Clone(req.Headers)}
	for i, h := range kept.Headers {
		if h[0] == "Host" || h.Guarded() && slices.Contains(names, h[0]) {
			kept.Headers[i][1] = capture.HiddenSecret
		}
	}
	a.Request, a.Method, a.URL = kept, req.Method, t.Stands()
	p := peer{Target: to, guard: f.Guard, pool: new(pool)}
	defer p.pool.close()
	return p.follow(ctx, req, names, &a.Timing)
}

// neutral is what may be said of a failure: the words for it hold names and
// addresses.
var neutral = map[string]string{
	capture.FailDNS:      "the target's name could not be resolved",
	capture.FailRefused:  "nothing takes connections at the target",
	capture.FailTLS:      "no secure connection to the target could be made",
	capture.FailReset:    "the connection was closed before the answer was whole",
	capture.FailProtocol: "what the target answered could not be read or followed",
	capture.FailOffline:  "there is no way to the target from here",
	capture.FailBlocked:  "the target is at an address that may not be reached from here",
}

// clean takes out of an answer what it repeats of secrets, and all of the
// headers that say where things are.
func clean(res *capture.Response, secrets []string) {
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, capture.HiddenSecret)
		quoted, err := json.Marshal(s)
		if err != nil {
			continue
		}
		for _, spelled := range []string{string(quoted[1 : len(quoted)-1]), strings.ReplaceAll(s, "/", `\/`)} {
			if spelled != s {
				pairs = append(pairs, spelled, capture.HiddenSecret)
			}
		}
	}
	if len(pairs) > 0 {
		r := strings.NewReplacer(pairs...)
		res.Body = []byte(r.Replace(string(res.Body)))
		for i := range res.Headers {
			res.Headers[i][1] = r.Replace(res.Headers[i][1])
		}
	}
	for i, h := range res.Headers {
		if slices.Contains(whereabouts, strings.ToLower(h[0])) {
			res.Headers[i][1] = capture.HiddenSecret
		}
	}
}

// whereabouts are headers of answers that hold URLs.
var whereabouts = []string{"location", "content-location", "link", "refresh", "alt-svc", "set-cookie", "report-to",
	"content-security-policy", "access-control-allow-origin"}

// Reachable says nothing: a firing is made once, whether or not somebody is there.
func (f *Trigger) Reachable(context.Context) error { return nil }

// Close does nothing: no connection outlives its firing.
func (f *Trigger) Close() {}
