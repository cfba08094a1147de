package relay

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	"code.hooktape.dev/hooktape/capture/fill"
	"code.hooktape.dev/hooktape/capture/match"
	"code.hooktape.dev/hooktape/capture/provider"
	"code.hooktape.dev/hooktape/capture/sign"
)

// Sampler makes events of one event type, each with values of its own where the
// sample has templates. It is for one goroutine.
type Sampler struct {
	t       *capture.EventType
	f       *capture.Firing
	sample  *template
	headers capture.Headers // in place of the sample's
	secrets Secrets
	rand    *rand.Rand
	n       int
	forger  string // the secret that no receiver knows
}

// Secrets are those known for a provider and the scheme it signs by.
type Secrets func(provider string, s *sign.Scheme) []sign.Secret

// NewSampler makes events of t as f says, signed by the first of the secrets
// known of a scheme that can sign. What is wrong with f is a
// *capture.FieldError.
func NewSampler(t *capture.EventType, f *capture.Firing, secrets Secrets) (*Sampler, error) {
	for i, set := range f.Set {
		if !json.Valid(set.Value) {
			return nil, &capture.FieldError{Field: fmt.Sprintf("set[%d].value", i), Problem: "this is not JSON"}
		}
	}
	if f.Count < 0 || f.Count > capture.MostFired {
		return nil, &capture.FieldError{Field: "count", Problem: fmt.Sprintf("%d: want 1 to %d", f.Count, capture.MostFired)}
	}
	for _, h := range f.Headers {
		if err := catalog.CheckHeader(h[0], h[1]); err != nil {
			return nil, err
		}
	}
	sample, err := parseSample(&t.Sample)
	if err != nil {
		return nil, err
	}
	seed := uint64(f.Seed)
	if seed == 0 {
		seed = rand.Uint64()
	}
	headers := f.Headers.EndToEnd().Without("Host", "Content-Length") // as those of a sample
	return &Sampler{t: t, f: f, sample: sample, headers: headers, secrets: secrets, rand: rand.New(rand.NewPCG(seed, 0))}, nil
}

// Make is the next event, of the app, and its body.
func (s *Sampler) Make(app string) (*capture.Event, []byte, error) {
	now := time.Now().UTC()
	sample, err := s.sample.fill(&fill.Source{Now: now, Rand: s.rand, N: s.n})
	if err != nil {
		return nil, nil, err
	}
	s.n++
	whole := sample.Body
	for i, set := range s.f.Set {
		if sample.Body, err = put(sample.Body, whole, set); err != nil {
			return nil, nil, &capture.FieldError{Field: fmt.Sprintf("set[%d]", i), Problem: err.Error()}
		}
	}
	e, body, err := catalog.Request(sample)
	if err != nil {
		return nil, nil, err
	}
	for _, h := range s.headers {
		e.Headers = append(e.Headers.Without(h[0]), h)
	}
	_, event, _ := capture.SplitTag(s.t.Tag)
	e.ID, e.App, e.Origin, e.Received, e.Proto = capture.NewID(capture.EventID), app, capture.FromSample, now, "HTTP/1.1"
	e.URL = capture.Address(cmp.Or(s.f.URL, s.f.To))
	e.Metadata = map[string]string{"sample": s.t.Tag}
	if e.Provider = s.t.Provider; e.Provider == "" {
		e.Provider = cmp.Or(provider.Recognise(e.Method, string(e.Target), e.Headers, body).Provider, ofTag(s.t.Tag))
	}
	if body, err = s.sign(e, body); err != nil {
		return nil, nil, err
	}
	found := provider.Recognise(e.Method, string(e.Target), e.Headers, body)
	if e.Type, e.ProviderID = event, found.ID; e.Provider != "" && found.Type != "" {
		e.Type = found.Type
	}
	e.Size, e.SHA256 = int64(len(body)), capture.Sum(body)
	return e, body, nil
}

// ofTag is the provider that the first half of a tag names, or "".
func ofTag(tag string) string {
	whose, _, _ := capture.SplitTag(tag)
	if _, ok := sign.Lookup(whose); ok || slices.Contains(provider.Names(), whose) {
		return whose
	}
	return ""
}

// sign stamps an event of a provider that is known, and signs it where a secret
// is.
func (s *Sampler) sign(e *capture.Event, body []byte) ([]byte, error) {
	req := &sign.Request{Method: e.Method, URL: string(e.URL), Headers: e.Headers, Body: body}
	scheme, ok := sign.Of(e.Provider, req)
	e.Signature = capture.Signature{Verdict: capture.Unsigned}
	if !ok {
		if s.f.Secret != "" || s.f.Forged {
			return nil, &capture.FieldError{Field: "secret", Problem: fmt.Sprintf("nothing is known of how %s signs; give the event type a provider that is known", whom(e.Provider))}
		}
		return body, nil
	}
	secrets := s.secrets(e.Provider, scheme)
	switch {
	case s.f.Unsigned:
		secrets = nil
	case s.f.Forged:
		s.forger = cmp.Or(s.forger, scheme.NewSecret())
		secrets = []sign.Secret{{Name: "forged", Text: s.forger}}
	case s.f.Secret != "":
		if err := scheme.Check(s.f.Secret); err != nil {
			return nil, &capture.FieldError{Field: "secret", Problem: err.Error()}
		}
		if !scheme.CanSign(s.f.Secret) {
			return nil, &capture.FieldError{Field: "secret", Problem: "it can verify and not sign: want the private key"}
		}
		secrets = []sign.Secret{{Name: "given", Text: s.f.Secret}}
	}
	secrets = signing(scheme, secrets)
	if err := scheme.Sign(req, sign.How{At: e.Received, Secrets: secrets, New: true, Seed: s.rand.Uint64()}); err != nil {
		return nil, &capture.FieldError{Field: "secret", Problem: err.Error()}
	}
	e.Headers = req.Headers
	if len(secrets) > 0 {
		e.Signature = capture.Signature{Verdict: capture.Valid, Scheme: scheme.Name(), Secret: secrets[0].Name, Checked: e.Received}
		if s.f.Forged {
			e.Signature = capture.Signature{Verdict: capture.Invalid, Scheme: scheme.Name(), Checked: e.Received, Cause: capture.CauseUnproved, Detail: "made with a secret of its own, as was asked for"}
		}
	}
	return req.Body, nil
}

// put sets one value of a body, or says which of the whole sample may have been
// meant.
func put(body, whole []byte, set capture.Setting) ([]byte, error) {
	out, err := set.Pointer.Set(body, set.Value)
	wrong := new(capture.PointerError)
	if !errors.As(err, &wrong) {
		// A member that is new may be meant, or mistyped: samples are whole.
		if _, there := set.Pointer.Read(body); !there {
			if near := nearPointer(set.Pointer, whole); near != "" {
				return nil, fmt.Errorf("there is no %s in the sample; did you mean %s?", set.Pointer, near)
			}
		}
		return out, err
	}
	if near := nearPointer(set.Pointer, whole); near != "" {
		return nil, fmt.Errorf("%w; did you mean %s?", err, near)
	}
	return nil, err
}

// nearPointer is the pointer into a document that one was likely meant to be,
// or "".
func nearPointer(p capture.Pointer, doc []byte) string {
	known := capture.Pointers(doc, 2000)
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	want := "/" + strings.TrimPrefix(strings.ReplaceAll(string(p), ".", "/"), "/")
	return match.Nearest(want, names)
}

// template is a sample with the templates in it parsed.
type template struct {
	*capture.Sample
	path          *fill.Template
	headers       []named[*fill.Template]
	query, params []named[*fill.Document]
	body          *fill.Document // nil: there is none
}

// named is something under a name; lists of them are sorted, so that a seed
// gives the same values again.
type named[T any] struct {
	name string
	v    T
}

// parseSample parses the templates in a sample. What is wrong with one is a
// *capture.FieldError.
func parseSample(s *capture.Sample) (t *template, err error) {
	t = &template{Sample: s}
	wrong := func(field string, err error) error {
		return &capture.FieldError{Field: "sample." + field, Problem: err.Error()}
	}
	if t.path, err = fill.Parse(s.Path); err != nil {
		return nil, wrong("path", err)
	}
	for _, name := range sortedKeys(s.Headers) {
		v, err := fill.Parse(s.Headers[name])
		if err != nil {
			return nil, wrong("headers."+name, err)
		}
		t.headers = append(t.headers, named[*fill.Template]{name, v})
	}
	docs := func(field string, all map[string]json.RawMessage) (list []named[*fill.Document], err error) {
		for _, name := range sortedKeys(all) {
			v, err := fill.ParseJSON(all[name])
			if err != nil {
				return nil, wrong(field+"."+name, err)
			}
			list = append(list, named[*fill.Document]{name, v})
		}
		return list, nil
	}
	if t.query, err = docs("query", s.Query); err != nil {
		return nil, err
	}
	if t.params, err = docs("params", s.Params); err != nil {
		return nil, err
	}
	if len(s.Body) > 0 {
		if t.body, err = fill.ParseJSON(s.Body); err != nil {
			return nil, wrong("body", err)
		}
	}
	return t, nil
}

// fill is the sample with its templates filled in.
func (t *template) fill(from *fill.Source) (*capture.Sample, error) {
	out := *t.Sample
	var err error
	if out.Path, err = t.path.Fill(from); err != nil {
		return nil, err
	}
	out.Headers = make(map[string]string, len(t.headers))
	for _, h := range t.headers {
		if out.Headers[h.name], err = h.v.Fill(from); err != nil {
			return nil, err
		}
	}
	if out.Query, err = filled(t.query, from); err != nil {
		return nil, err
	}
	if out.Params, err = filled(t.params, from); err != nil {
		return nil, err
	}
	if t.body != nil {
		out.Body, err = t.body.Fill(from)
	}
	return &out, err
}

func filled(all []named[*fill.Document], from *fill.Source) (map[string]json.RawMessage, error) {
	made := make(map[string]json.RawMessage, len(all))
	for _, d := range all {
		v, err := d.v.Fill(from)
		if err != nil {
			return nil, err
		}
		made[d.name] = v
	}
	return made, nil
}
