package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

// Verify judges the signature of an event with the secrets that are known, by
// the clock of when it came. Without any it stays as it was described.
func (r *Registry) Verify(e *capture.Event, body []byte) {
	if !r.knowsSecrets(e.App) {
		return // as most apps, which are not to pay for it
	}
	if s, req, secrets := r.scheme(e, body); len(secrets) > 0 {
		e.Signature = s.Verify(req, e.Received, secrets...)
	}
}

// scheme is how an event is signed, or would be, and the secrets that are known
// of it; nil where nothing is known of its scheme.
func (r *Registry) scheme(e *capture.Event, body []byte) (*sign.Scheme, *sign.Request, []sign.Secret) {
	req := &sign.Request{Method: e.Method, URL: string(e.URL), Headers: e.Headers, Body: body}
	s, ok := sign.Of(e.Provider, req)
	if !ok {
		return nil, req, nil
	}
	return s, req, r.secrets(e.App, e.Provider, s)
}

// Signature judges an event's signature again: by the clock at, with a secret
// that the caller has or, where that is "", those that are known.
func (r *Registry) Signature(ctx context.Context, id capture.ID, at time.Time, secret string) (sign.Explanation, error) {
	row, err := r.store.Event(ctx, id)
	if err != nil {
		return sign.Explanation{}, err
	}
	switch {
	case row.Refused != nil:
		return sign.Explanation{}, capture.ErrRefused
	case row.Sealed:
		return sign.Explanation{}, capture.ErrSealed
	}
	body, err := r.store.Body(ctx, id)
	if err != nil {
		return sign.Explanation{}, err
	}
	s, req, secrets := r.scheme(&row.Event, body)
	if s == nil {
		return sign.Explanation{Signature: capture.Signature{Verdict: row.Signature.Verdict, Scheme: row.Signature.Scheme},
			Steps: []sign.Step{{Text: "nothing is known of how " + whom(row.Provider) + " signs"}}}, nil
	}
	if secret != "" {
		if err := s.Check(secret); err != nil {
			return sign.Explanation{}, &capture.FieldError{Field: "secret", Problem: err.Error()}
		}
		secrets = []sign.Secret{{Name: "given", Text: secret}}
	}
	if at.IsZero() {
		at = row.Received
	}
	return s.Explain(req, at, secrets...), nil
}

func whom(provider string) string {
	if provider == "" {
		return "its sender"
	}
	return provider
}

// errNoSecret is wrapped in a *capture.FieldError.
var errNoSecret = errors.New("no secret is known")

// restamp is an event as it is sent again: with a new time, and other ids where
// it is to be one of its own, and signed anew. as is what it then is; the
// original where nothing was asked for and nothing is known that could sign.
func (r *Registry) restamp(e *capture.Event, body []byte, a *capture.Attempt) (sent *capture.Event, made []byte, as capture.As, err error) {
	if a.As == capture.AsOriginal {
		return e, body, a.As, nil
	}
	s, req, secrets := r.scheme(e, body)
	switch {
	case a.As == "" && (s == nil || len(secrets) == 0 || !s.Signed(req) || s.Verify(req, e.Received, secrets...).Verdict == capture.Invalid):
		return e, body, "", nil // a forgery stays one unless somebody asks for more, also where the secret was not known when it came
	case s == nil:
		return nil, nil, "", fmt.Errorf("nothing is known of how %s signs, so that this can be sent as original only", whom(e.Provider))
	}
	signers := signing(s, secrets)
	if len(signers) == 0 && s.Signed(req) {
		if a.As == "" {
			return e, body, "", nil
		}
		return nil, nil, "", fmt.Errorf("%w that could sign for %s: hooktape apps update %s --secret %s=…, or $HOOKTAPE_SECRET_… of the process that sends", errNoSecret, s.Name(), e.App, s.Name())
	}
	as = a.As
	if as == "" {
		as = capture.AsRetry
	}
	how := sign.How{At: a.Started, Secrets: signers, New: as == capture.AsNew, Seed: seedOf(a.ID)}
	if err := s.Sign(req, how); err != nil {
		return nil, nil, "", err
	}
	copied := *e
	copied.Headers = req.Headers
	if !sameBytes(body, req.Body) {
		copied.Size, copied.SHA256 = int64(len(req.Body)), capture.Sum(req.Body)
	}
	return &copied, req.Body, as, nil
}

// signing are the secrets that can sign, the first of them alone: what others
// have is what the sender signs with while it rotates.
func signing(s *sign.Scheme, secrets []sign.Secret) []sign.Secret {
	for _, secret := range secrets {
		if s.Check(secret.Text) == nil && s.CanSign(secret.Text) {
			return []sign.Secret{secret}
		}
	}
	return nil
}

// seedOf is a number that an id always gives.
func seedOf(id capture.ID) (seed uint64) {
	for _, b := range id.Bytes() {
		seed = seed*0x100000001b3 + uint64(b)
	}
	return seed
}

// sameBytes reports whether a and b are the very same memory.
func sameBytes(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// CheckAs refuses to have an event sent as what it cannot be sent as, with a
// *capture.FieldError.
func (r *Registry) CheckAs(ctx context.Context, id capture.ID, as capture.As) error {
	switch as {
	case capture.AsOriginal:
		return nil
	case capture.AsRetry, capture.AsNew:
	default:
		return &capture.FieldError{Field: "as", Problem: fmt.Sprintf("%q: want %s, %s or %s", as, capture.AsOriginal, capture.AsRetry, capture.AsNew)}
	}
	row, err := r.store.Event(ctx, id)
	if err != nil || row.Refused != nil || row.Sealed {
		return err // Resend says the rest
	}
	body, err := r.store.Body(ctx, id)
	if err != nil {
		return err
	}
	if _, _, _, err := r.restamp(&row.Event, body, &capture.Attempt{ID: id, As: as, Started: time.Now()}); err != nil {
		return &capture.FieldError{Field: "as", Problem: err.Error()}
	}
	return nil
}
