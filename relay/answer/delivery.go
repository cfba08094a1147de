package answer

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

// Delivery sends events to a registered endpoint, in the endpoint's format.
// Its connections are kept for a moment after an answer, and reused.
type Delivery struct {
	// Endpoint says where to, in which format, with which headers, how long
	// an attempt may take (0: 15 s, and 1.5 s in ARK's format) and, by its
	// Secret, what signs.
	Endpoint capture.Endpoint
	// AppKeys are the signing secrets of the endpoint's app that count now,
	// the newest first. It is asked for each attempt; nil: none.
	AppKeys func() []string
	// Guard judges every address that is dialled; nil: any will do.
	Guard *Guard

	pool pool
}

// Send makes one attempt to deliver e and fills in what happened, as Forward
// does. Where redirects are followed, the request is the first and the
// response the last there was, and the timing is that of all together. Of the
// request as it is kept, headers that carry secrets are masked.
func (d *Delivery) Send(ctx context.Context, e *capture.Event, body []byte, a *capture.Attempt) {
	a.Started = time.Now().UTC()
	f := formats[d.format(e)] // of an unknown one Request has an error
	timeout := cmp.Or(time.Duration(d.Endpoint.Timeout), f.timeout, 15*time.Second)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	res, err := d.send(ctx, f, e, body, a)
	good := is2xx
	if f.good != nil {
		good = f.good
	}
	finish(a, res, err, timeout, good)
}

func (d *Delivery) send(ctx context.Context, f format, e *capture.Event, body []byte, a *capture.Attempt) (*capture.Response, error) {
	req, err := d.Request(e, body, a)
	if err != nil {
		return nil, err
	}
	p, err := d.peer()
	if err != nil {
		return nil, err
	}
	kept := *req
	kept.Headers = masked(req.Headers, d.Endpoint.Headers, f.made != nil)
	a.Request, a.Method, a.URL = &kept, req.Method, p.at(string(req.Target))
	if f.follows {
		return p.follow(ctx, req, d.ownNames(), &a.Timing)
	}
	if f.made != nil {
		return p.roundTrip(ctx, req, nil, &a.Timing)
	}
	return p.roundTrip(ctx, req, e.Trailers, &a.Timing)
}

// ownNames are the names of the headers that are for the endpoint alone.
func (d *Delivery) ownNames() []string {
	return slices.AppendSeq([]string{"Authorization", "Cookie", sign.StandardSignature, sign.BlockletHeader}, maps.Keys(d.Endpoint.Headers))
}

// Request is what Send would put on the wire in an attempt that started when a
// did. The error says why it cannot be made: an endpoint's URL, header or
// secret that is not of the format's kind.
func (d *Delivery) Request(e *capture.Event, body []byte, a *capture.Attempt) (*capture.Request, error) {
	p, err := d.peer()
	if err != nil {
		return nil, err
	}
	if err := CheckHeaders(d.Endpoint.Headers); err != nil {
		return nil, fmt.Errorf("answer: endpoint: %w", err)
	}
	own := listed(d.Endpoint.Headers)
	name := d.format(e)
	f, ok := formats[name]
	if !ok {
		return nil, fmt.Errorf("answer: endpoint: format %q: want one of %q", name, capture.Formats)
	}
	if f.made == nil {
		raw := &Forward{Target: p.Target, Options: Options{Headers: own}}
		return raw.Request(e, body, a), nil
	}
	made, headers, err := f.made(d, e, body, a)
	if err != nil {
		return nil, fmt.Errorf("answer: %s: %w", name, err)
	}
	r := &capture.Request{Method: http.MethodPost, Target: capture.Raw(PathMode{replace: true}.join(p.Path, "/")), Body: made}
	r.Made = capture.Raw(made[:min(len(made), capture.MostKept)])
	if at := bytes.Index(made, body); at >= 0 && len(body) > 256 && len(made) <= capture.MostKept {
		r.Around = &[2]capture.Raw{r.Made[:at], r.Made[at+len(body):]}
	}
	r.Headers = slices.Concat(
		capture.Headers{{"Host", p.Host}, {"User-Agent", f.agent}, {"Content-Type", "application/json"}}, headers,
		capture.Headers{{"Content-Length", strconv.Itoa(len(made))}}, ours(e, a))
	r.Headers = replaced(r.Headers, own)
	return r, nil
}

func (d *Delivery) format(e *capture.Event) capture.Format { return formatAt(&d.Endpoint, e) }

// formatAt is the format of an endpoint, or what auto means for e: what an
// application made, or a sample of what one makes, goes out as Standard
// Webhooks, and what providers send as it is.
func formatAt(to *capture.Endpoint, e *capture.Event) capture.Format {
	if to.Format != capture.FormatAuto {
		return to.Format
	}
	if e.Origin == capture.FromTrigger && e.Trigger == "" || e.Origin == capture.FromSample && e.Provider == "" {
		return capture.FormatStandard
	}
	return capture.FormatRaw
}

// AsCaught reports whether an endpoint gets an event as it was caught: targets
// always do, registered endpoints in the format raw.
func AsCaught(to *capture.Endpoint, e *capture.Event) bool {
	return to.Status == "" || formatAt(to, e) == capture.FormatRaw
}

// keys are the secrets that sign, the newest first: the endpoint's own before
// its app's.
func (d *Delivery) keys(now time.Time) []string {
	keys := d.Endpoint.Secret.Live(now)
	if d.AppKeys != nil {
		keys = append(keys, d.AppKeys()...)
	}
	return keys
}

func (d *Delivery) peer() (peer, error) {
	t, ok := parseHTTP(d.Endpoint.URL)
	if !ok {
		return peer{}, fmt.Errorf("answer: endpoint: %q: want an http or https URL: %w", d.Endpoint.URL, capture.ErrBadTarget)
	}
	return peer{Target: t, guard: d.Guard, pool: &d.pool}, nil
}

// Reachable reports whether the endpoint accepts connections.
func (d *Delivery) Reachable(ctx context.Context) error {
	p, err := d.peer()
	if err != nil {
		return err
	}
	return p.reachable(ctx)
}

// Close lets go of idle connections now. It may be used on, all the same.
func (d *Delivery) Close() { d.pool.close() }
