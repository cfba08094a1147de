package answer

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Headers that say which event a request carries. They are all that Forward
// adds.
const (
	EventHeader    = "Hooktape-Event-Id"
	AttemptHeader  = "Hooktape-Attempt"   // the attempt's number within its delivery
	ReplayOfHeader = "Hooktape-Replay-Of" // on what a user sent again: the event, or the attempt it retries
)

// Options say how events are sent to a target.
type Options struct {
	PathMode PathMode
	// Host is "rewrite" or "" (the target's own), "preserve" (the sender's),
	// or the value to send.
	Host     string
	Headers  capture.Headers // put in place of the sender's, or added
	Insecure bool            // believe any certificate
	Timeout  time.Duration   // of a whole attempt; 0: 30 s
	Guard    *Guard          // judges every address that is dialled; nil: any will do
}

// Forward sends events to a target. Connections are kept for a moment after
// an answer, and reused.
type Forward struct {
	Target Target
	Options

	pool pool
}

// Send makes one attempt to deliver e and fills in what happened: when, the
// request, the response or the error. Cancelling ctx ends it as a timeout. Of
// an attempt that Answers, the response has its Rest.
func (f *Forward) Send(ctx context.Context, e *capture.Event, body []byte, a *capture.Attempt) {
	req := f.Request(e, body, a)
	a.Request, a.Method, a.URL = req, req.Method, f.URL(string(req.Target))
	a.Started = time.Now().UTC()
	timeout := cmp.Or(f.Timeout, 30*time.Second)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	p := f.peer()
	p.whole = a.Answers
	res, err := p.roundTrip(ctx, req, e.Trailers, &a.Timing)
	finish(a, res, err, timeout, is2xx)
	if a.Error != nil && a.Error.Class == capture.FailTLS {
		a.Error.Message += " (--insecure accepts any certificate)"
	}
}

// Reachable reports whether the target accepts connections.
func (f *Forward) Reachable(ctx context.Context) error { return f.peer().reachable(ctx) }

func (f *Forward) peer() peer {
	return peer{Target: f.Target, insecure: f.Insecure, guard: f.Guard, pool: &f.pool}
}

// Close lets go of idle connections now. It may be used on, all the same.
func (f *Forward) Close() { f.pool.close() }

// URL is where a request target is sent to, whole.
func (f *Forward) URL(target string) string { return f.Target.at(target) }

// Request is what Send would put on the wire: the sender's method, headers
// and body as they were. Of the headers only those of one hop are left out;
// Host is rewritten, and the length stated when the sender sent chunks.
func (f *Forward) Request(e *capture.Event, body []byte, a *capture.Attempt) *capture.Request {
	r := &capture.Request{Method: e.Method, Target: capture.Raw(f.PathMode.join(f.Target.Path, string(e.Target))), Body: body}
	r.Headers = e.Headers.EndToEnd().Without("Expect", EventHeader, AttemptHeader, ReplayOfHeader)
	f.setHost(r)
	f.setLength(r, e)
	r.Headers = replaced(append(r.Headers, ours(e, a)...), f.Headers)
	return r
}

// ours are the headers that say what a request carries.
func ours(e *capture.Event, a *capture.Attempt) capture.Headers {
	h := capture.Headers{{EventHeader, string(e.ID)}, {AttemptHeader, strconv.Itoa(a.Number)}}
	if !a.Replays() || (e.Origin == capture.FromSample || e.Trigger != "") && a.Number == 1 {
		return h // the first time of a sample or a firing is no replay
	}
	of := a.TriggeredFrom
	if of == capture.FromManual {
		of = string(e.ID)
	}
	return append(h, capture.Header{ReplayOfHeader, of})
}

// replaced is h with some lines in place of all of their names.
func replaced(h, with capture.Headers) capture.Headers {
	for _, l := range with {
		h = h.Without(l[0])
	}
	return append(h, with...)
}

func (f *Forward) setHost(r *capture.Request) {
	host := f.Host
	switch {
	case host == "preserve" && r.Headers.Has("Host"):
		return
	case host != "" && host != "preserve" && host != "rewrite":
	case f.Target.Scheme == "unix":
		host = "localhost"
	default:
		host = f.Target.Host
	}
	for i, h := range r.Headers {
		if strings.EqualFold(h[0], "Host") {
			r.Headers[i][1] = host // in its own place and case
			return
		}
	}
	r.Headers = append(capture.Headers{{"Host", host}}, r.Headers...)
}

// setLength states the body's length once, in the place where the sender
// stated it. Trailers can only follow chunks (RFC 9112 §7.1.2).
func (f *Forward) setLength(r *capture.Request, e *capture.Event) {
	if len(e.Trailers) > 0 {
		names := make([]string, len(e.Trailers))
		for i, t := range e.Trailers {
			names[i] = t[0]
		}
		r.Headers = append(r.Headers.Without("Content-Length"),
			capture.Header{"Transfer-Encoding", "chunked"}, capture.Header{"Trailer", strings.Join(names, ", ")})
		return
	}
	length := strconv.Itoa(len(r.Body))
	stated := false
	kept := r.Headers[:0]
	for _, h := range r.Headers {
		if strings.EqualFold(h[0], "Content-Length") {
			if stated {
				continue
			}
			stated, h[1] = true, length
		}
		kept = append(kept, h)
	}
	content := r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH" // RFC 9110 §8.6: these state even 0
	if r.Headers = kept; !stated && (len(r.Body) > 0 || content) {
		r.Headers = append(r.Headers, capture.Header{"Content-Length", length})
	}
}
