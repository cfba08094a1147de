// Package relay is the provider's side of hooktape: it takes webhooks in,
// keeps them, and answers. It promises that a 2xx is sent only after the
// event and its pending attempts are on disk, and that what is kept is what
// was sent, byte for byte.
package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/head"
	"code.hooktape.dev/hooktape/capture/provider"
	"code.hooktape.dev/hooktape/capture/seal"
)

// Ingest is the handler that turns requests into events. Any method, path
// and content type is taken. Its fields must not change once it serves.
type Ingest struct {
	// Keep puts an event on disk with its pending attempts. Required.
	Keep func(context.Context, ...*capture.Change) error
	// Plan makes the pending attempts of a new event; nil: none.
	Plan func(e *capture.Event, body []byte) []*capture.Attempt
	// Route is the app that a name in the path stands for, and what its
	// senders are told; false: there is none, which is answered 404 and leaves
	// nothing. nil: the app of that name, and 202.
	Route func(name string) (app string, answer capture.Answer, ok bool)
	// Host is the name that a host stands for, of which then all paths are;
	// "": none. nil: no host is more than an address.
	Host func(host string) (name string)
	// Verify judges the signature of an event that was recognised. nil: nobody
	// does.
	Verify func(e *capture.Event, body []byte)
	// Check notes how an event compares with what its app expects. nil: nobody
	// does.
	Check func(e *capture.Event, body []byte)
	// Claim is the listener that an event is for; nil: nobody claims any.
	Claim func(e *capture.Event, body []byte) capture.ID
	// Challenge is what a provider is told that asks whether its receiver is
	// there, in place of Route's answer; nil: nobody asks.
	Challenge func(e *capture.Event, body []byte) (answer capture.Answer, provider string, ok bool)

	// Rule is what answers an event's sender in place of all that, once it is
	// kept, and the rule that says so; nil: there are no rules.
	Rule func(e *capture.Event, body []byte) (answer http.Handler, rule capture.ID, ok bool)

	// SealTo are the recipients (capture/seal) to whom what comes for an app is
	// encrypted before anything else is done with it. Then nobody plans,
	// claims or answers it but as Route says. None, or nil: it is kept as it
	// came.
	SealTo func(app string) []string

	// Sync keeps an event as Keep does, and returns what the handler of who
	// listens answers before ctx is done, or nil when it does not. nil:
	// nobody listens.
	Sync func(ctx context.Context, c *capture.Change) (*capture.Response, error)

	MaxBody  int64         // bytes of a body; 0: 25 MiB, the most GitHub sends
	MaxHead  int           // bytes of a request's head; 0: 64 KiB
	MaxBusy  int64         // bytes of all bodies being read or kept, beyond 64 KiB each; 0: 128 MiB, and never less than MaxBody
	ReadTime time.Duration // for a head, and for a body; 0: 10 s and 60 s
	IdleTime time.Duration // between requests of a connection; 0: 60 s

	Log *slog.Logger // nil: slog.Default

	busy *semaphore.Weighted
}

// freeBody is how much of each body is not counted as busy, so that small
// webhooks are taken however many large ones are under way.
const freeBody = 64 << 10

// Serve answers requests on l until ctx is done; then it takes no new ones
// and returns when those under way are answered, 10 s later at most.
func (in *Ingest) Serve(ctx context.Context, l net.Listener) error {
	return in.ServeBeside(ctx, l, in)
}

// ServeBeside is Serve with a handler that gives to in what it does not answer
// itself.
func (in *Ingest) ServeBeside(ctx context.Context, l net.Listener, h http.Handler) error {
	in.MaxBody = cmp.Or(in.MaxBody, 25<<20)
	in.MaxHead = cmp.Or(in.MaxHead, 64<<10)
	in.Log = cmp.Or(in.Log, slog.Default())
	in.MaxBusy = max(cmp.Or(in.MaxBusy, 128<<20), in.MaxBody)
	in.busy = semaphore.NewWeighted(in.MaxBusy)

	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	srv := &http.Server{
		Handler:           h,
		Protocols:         &protocols,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       head.Context,
		MaxHeaderBytes:    in.MaxHead + 4<<10, // the Conn's limit is reached first, and leaves a stub
		ReadHeaderTimeout: cmp.Or(in.ReadTime, 10*time.Second),
		IdleTimeout:       cmp.Or(in.IdleTime, 60*time.Second),
		// Else net/http answers OPTIONS * itself, and the next request of the
		// connection is held against its head.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(in.Log.Handler(), slog.LevelDebug),
	}
	return Serve(ctx, srv, head.Listener{Listener: l, Max: in.MaxHead, Unasked: in.malformed})
}

// Serve runs srv on l until ctx is done, then drains it.
func Serve(ctx context.Context, srv *http.Server, l net.Listener) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		stopped <- srv.Shutdown(drain)
	})
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) || stop() {
		return err
	}
	return <-stopped
}

// ServeHTTP implements http.Handler. Call it through Serve: without the
// connections that Serve makes, heads are those of net/http.
func (in *Ingest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if ruled := in.take(w, r); ruled != nil {
		ruled.ServeHTTP(w, r) // which may take its time: the body is not held for that
	}
}

// take takes a request in, and answers it unless a rule is to.
func (in *Ingest) take(w http.ResponseWriter, r *http.Request) (ruled http.Handler) {
	raw, seen := head.Of(r)
	e := newEvent(r)
	if seen {
		e.Method, e.Target, e.Headers = raw.Method, capture.Raw(raw.Target), raw.Headers
	} else {
		parsedHead(e, r)
	}
	e.URL = address(r, string(e.Target))
	told, ok := in.route(e, r.Host)
	if !ok {
		Problem(w, http.StatusNotFound, "No app is here. Check the ingest URL: hooktape apps get shows an app's, and a rotated key counts for a while only.", nil)
		return nil
	}
	if seen && raw.Over > 0 {
		in.refuse(w, r, e, capture.Refusal{Status: http.StatusRequestHeaderFieldsTooLarge,
			Limit: "header", Max: int64(in.MaxHead), Got: raw.Over})
		return nil
	}

	body, refusal := in.readBody(w, r)
	defer in.release(body)
	if refusal != nil {
		in.refuse(w, r, e, *refusal)
		return nil
	}
	if seen {
		e.Trailers = raw.Trailers
	} else {
		e.Trailers = capture.FromHTTP(r.Trailer)
	}
	e.Size = int64(len(body))
	if to := in.recipients(e.App); len(to) > 0 {
		in.seal(r.Context(), w, &capture.Change{Event: e, Body: body}, to, told)
		return nil
	}
	provider.Describe(e, body)
	if in.Verify != nil {
		in.Verify(e, body)
	}
	if in.Check != nil {
		in.Check(e, body)
	}
	if in.Challenge != nil {
		if a, provider, ok := in.Challenge(e, body); ok {
			told, e.Metadata = a, map[string]string{"challenge": provider}
		}
	}
	if in.Rule != nil {
		if h, id, ok := in.Rule(e, body); ok {
			ruled, e.Metadata = h, map[string]string{"rule": string(id)}
		}
	}
	if in.Claim != nil {
		e.Claimed = in.Claim(e, body)
	}
	change := &capture.Change{Event: e, Body: body}
	if in.Plan != nil {
		change.Attempts = in.Plan(e, body)
	}
	// The sender may hang up; what came whole is kept all the same.
	ctx := context.WithoutCancel(r.Context())
	if told.Mode == capture.AnswerSync && in.Sync != nil && ruled == nil {
		in.sync(ctx, w, change, told)
		return nil
	}
	if err := in.Keep(ctx, change); err != nil {
		in.unavailable(w, err)
		return nil
	}
	if ruled == nil {
		tell(w, e, told)
	}
	return ruled
}

// sync answers the sender as who listens does, and where that cannot be had in
// time as the app says.
func (in *Ingest) sync(ctx context.Context, w http.ResponseWriter, c *capture.Change, told capture.Answer) {
	ctx, cancel := context.WithTimeout(ctx, told.Wait())
	defer cancel()
	res, err := in.Sync(ctx, c)
	switch {
	case err != nil:
		in.unavailable(w, err)
	case res == nil || res.Truncated && res.Rest == nil || res.Status < 200 || res.Status > 599:
		tell(w, c.Event, told)
	default:
		pass(w, res)
	}
}

// pass answers as res does: its status, its headers but those of one hop, and
// its body.
func pass(w http.ResponseWriter, res *capture.Response) {
	w.Header()["Content-Type"] = nil // else net/http guesses one
	for _, h := range res.Headers.EndToEnd().Without("Content-Length") {
		w.Header().Add(h[0], h[1])
	}
	if res.Headers.First("Content-Type") == "" {
		w.Header()["Content-Type"] = nil // else net/http guesses one
	}
	if res.Status != http.StatusNoContent && res.Status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(len(res.Body)+len(res.Rest)))
	}
	w.WriteHeader(res.Status)
	w.Write(res.Body)
	w.Write(res.Rest)
}

// tell answers the sender of an event that was kept.
func tell(w http.ResponseWriter, e *capture.Event, a capture.Answer) {
	body := a.Body
	if body == "" && len(a.Headers) == 0 && a.Code() != http.StatusNoContent && a.Code() != http.StatusNotModified {
		w.Header().Set("Content-Type", "application/json")
		body = fmt.Sprintf("{\"id\":%q,\"app\":%q}\n", e.ID, e.App)
	}
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.Code())
	io.WriteString(w, body)
}

// newEvent is an event without its head.
func newEvent(r *http.Request) *capture.Event {
	return &capture.Event{
		ID: capture.NewID(capture.EventID), Origin: capture.Ingress,
		Received: time.Now().UTC(), Remote: r.RemoteAddr, Proto: r.Proto,
	}
}

// parsedHead gives e what net/http says of r, for heads nobody saw. HTTP/2
// sends names in lower case, so that is their own case.
func parsedHead(e *capture.Event, r *http.Request) {
	e.Method, e.Target, e.Parsed = r.Method, capture.Raw(r.RequestURI), true
	e.Headers = append(capture.Headers{{"Host", r.Host}}, capture.FromHTTP(r.Header)...)
	if r.ProtoMajor == 2 {
		for i := range e.Headers {
			e.Headers[i][0] = strings.ToLower(e.Headers[i][0])
		}
	}
}

// address is where a request with this target was sent to, as its sender calls
// it. Where a proxy ended TLS, whoever knows that has put it into r.URL.
func address(r *http.Request, target string) capture.Address {
	if r.Host == "" || !strings.HasPrefix(target, "/") { // absolute form, or *
		return capture.Address(target)
	}
	if r.TLS != nil || r.URL.Scheme == "https" {
		return capture.Address("https://" + r.Host + target)
	}
	return capture.Address("http://" + r.Host + target)
}

// route gives e its app, by the host or the beginning of the path it was sent
// to, and takes that off its target. It is false where there is no such app.
func (in *Ingest) route(e *capture.Event, host string) (told capture.Answer, ok bool) {
	name, rest := route(e.Target)
	if in.Host != nil {
		if whole := in.Host(host); whole != "" {
			name, rest = whole, e.Target
		}
	}
	e.App, e.Target, ok = name, rest, true
	if in.Route != nil {
		e.App, told, ok = in.Route(name)
	}
	return told, ok
}

// route reads the app off a raw target. /in/{app}/rest is the app's, and its
// target is /rest: the prefix is our address, not the sender's path. Any
// other target is the default app's, whole.
func route(target capture.Raw) (app string, rest capture.Raw) {
	path := string(target)
	if _, after, ok := strings.Cut(path, "://"); ok && target[0] != '/' { // absolute form (RFC 9112 §3.2.2)
		path = after[max(strings.IndexAny(after, "/?"), 0):]
	}
	after, ok := strings.CutPrefix(path, "/in/")
	if !ok {
		return capture.DefaultApp, target
	}
	end := strings.IndexAny(after, "/?")
	if end < 0 {
		end = len(after)
	}
	if !capture.IsSlug(after[:end]) {
		return capture.DefaultApp, target
	}
	app, after = after[:end], after[end:]
	if !strings.HasPrefix(after, "/") {
		after = "/" + after
	}
	return app, capture.Raw(after)
}

// readBody reads the whole body, or says why not. What it returns must be
// given to release.
func (in *Ingest) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *capture.Refusal) {
	tooLarge := &capture.Refusal{Status: http.StatusRequestEntityTooLarge, Limit: "body", Max: in.MaxBody}
	if r.ContentLength > in.MaxBody {
		tooLarge.Got = r.ContentLength
		return nil, tooLarge
	}
	if r.ContentLength == 0 {
		return nil, nil
	}
	limit := cmp.Or(in.ReadTime, 60*time.Second)
	rc := http.NewResponseController(w)
	rc.SetReadDeadline(time.Now().Add(limit))

	// The buffer grows with what came, not with what was announced.
	body := make([]byte, 0, min(max(r.ContentLength, 4<<10)+1, freeBody))
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > in.MaxBody:
			tooLarge.Got = int64(len(body))
			return body, tooLarge
		case err == io.EOF:
			rc.SetReadDeadline(time.Time{})
			return body, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return body, &capture.Refusal{Status: http.StatusRequestTimeout, Limit: "time",
				Max: limit.Milliseconds(), Got: int64(len(body))}
		case err != nil: // hung up, or the framing is broken
			return body, &capture.Refusal{Status: http.StatusBadRequest, Limit: "incomplete",
				Max: max(r.ContentLength, 0), Got: int64(len(body))}
		}
		if len(body) == cap(body) {
			if body = in.grow(body, r.ContentLength); body == nil {
				return nil, &capture.Refusal{Status: http.StatusServiceUnavailable, Limit: "busy",
					Max: in.MaxBusy, Got: max(r.ContentLength, 0)}
			}
		}
	}
}

// grow quadruples the body's room, up to what was announced, and counts the new
// room as busy; nil when there is none left.
func (in *Ingest) grow(body []byte, announced int64) []byte {
	room := min(int64(cap(body))*4, in.MaxBody+1)
	if announced > 0 {
		room = min(room, announced+1)
	}
	if !in.busy.TryAcquire(busyPart(room) - busyPart(int64(cap(body)))) {
		in.release(body)
		return nil
	}
	grown := make([]byte, len(body), room)
	copy(grown, body)
	return grown
}

func (in *Ingest) release(body []byte) {
	if n := busyPart(int64(cap(body))); n > 0 {
		in.busy.Release(n)
	}
}

func busyPart(room int64) int64 { return max(room-freeBody, 0) }

// refuse answers a request that went over a limit and keeps a stub that says
// so, without a body and never delivered.
func (in *Ingest) refuse(w http.ResponseWriter, r *http.Request, e *capture.Event, why capture.Refusal) {
	e.Refused = &why
	if err := in.stub(r.Context(), e); err != nil {
		in.Log.Error("a refused request left no stub", "err", err)
	}
	detail := map[string]string{
		"body":       fmt.Sprintf("The body is over the limit of %d bytes. Raise it with --max-body.", why.Max),
		"header":     fmt.Sprintf("The request line and headers are over the limit of %d bytes.", why.Max),
		"time":       fmt.Sprintf("The body did not arrive within %d ms; %d bytes came.", why.Max, why.Got),
		"incomplete": fmt.Sprintf("The body ended after %d bytes.", why.Got),
		"busy":       "Too many large bodies at once. Send this one again a little later.",
	}[why.Limit]
	w.Header().Set("Connection", "close")
	// Behind the answer net/http reads on, lest the close destroy what the
	// sender has not read yet. A slow one must not keep it waiting.
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	Problem(w, why.Status, detail, map[string]any{"id": e.ID, "limit": why.Limit, "max": why.Max})
}

// stub keeps what there is of a request that was refused.
func (in *Ingest) stub(ctx context.Context, e *capture.Event) error {
	if len(in.recipients(e.App)) > 0 {
		e = seal.Cover(e)
	} else {
		provider.Describe(e, nil)
	}
	return in.Keep(context.WithoutCancel(ctx), &capture.Change{Event: e})
}

// malformed keeps a stub of a request that net/http has answered by itself,
// with 400 or 417, because it breaks the protocol.
func (in *Ingest) malformed(h *head.Head, from net.Addr) {
	e := &capture.Event{
		ID: capture.NewID(capture.EventID), Origin: capture.Ingress, Received: time.Now().UTC(), Remote: from.String(),
		Method: h.Method, Proto: h.Proto, Headers: h.Headers,
		Refused: &capture.Refusal{Status: http.StatusBadRequest, Limit: "protocol"},
	}
	e.Target = capture.Raw(h.Target)
	if _, ok := in.route(e, h.Headers.First("Host")); !ok {
		return
	}
	if err := in.stub(context.Background(), e); err != nil {
		in.Log.Error("a malformed request left no stub", "err", err)
	}
}

// unavailable tells the sender to come again: nothing was kept.
func (in *Ingest) unavailable(w http.ResponseWriter, err error) {
	in.Log.Error("a webhook could not be kept; its sender was told to retry", "err", err)
	detail := "The event could not be kept. Send it again later."
	if errors.Is(err, capture.ErrFull) {
		detail = "The disk is nearly full, so nothing is taken in. Send this again later."
	}
	Problem(w, http.StatusServiceUnavailable, detail, nil)
}
