package sign

import (
	"crypto/subtle"
	"encoding/json"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Verify judges the request's signature by any of the secrets. It never
// fails: what cannot be verified has a verdict that says so, with the first
// cause that can be proved. Secrets of another kind are passed over.
func (s *Scheme) Verify(r *Request, now time.Time, secrets ...Secret) capture.Signature {
	v := capture.Signature{Scheme: s.name, Checked: now.UTC()}
	wk := works.Get().(*work)
	defer wk.done()
	w := s.pick(wk, r, secrets)
	if w == nil {
		v.Verdict, v.Cause, v.Detail = capture.Unsigned, capture.CauseMissing, s.lacks(r)
		return v
	}
	if len(secrets) == 0 {
		v.Verdict, v.Scheme = capture.Unchecked, w.place.String()
		return v
	}
	if w.usesURL && r.URL == "" {
		v.Verdict, v.Detail = capture.Unchecked, "the URL that it was sent to is signed too, and not known"
		return v
	}
	by, stamp := w.verify(wk, r, secrets)
	if by == nil {
		v.Verdict = capture.Invalid
		f := w.why(wk, r, secrets)
		v.Secret, v.Cause, v.Detail = f.secret, f.cause, f.detail
		return v
	}
	v.Verdict, v.Secret = capture.Valid, by.Name
	if w.usesStamp || w.stamp.kind != nowhere {
		w.judge(&v, stamp, now)
	}
	return v
}

// pick is the way by which the request is signed: of those that are there the
// first that one of the secrets is for, and in its place the one that is
// written as it should be. nil: none is there.
func (s *Scheme) pick(wk *work, r *Request, secrets []Secret) (best *way) {
	if len(s.ways) == 1 {
		if w := &s.ways[0]; w.there(r) {
			return w
		}
		return nil
	}
	taken, written := false, false
	for i := range s.ways {
		w := &s.ways[i]
		if best != nil && taken && (written || w.place != best.place) || !w.there(r) {
			continue
		}
		takes, reads := w.takes(secrets), w.each != ""
		if !reads {
			w.read(wk, r, r.Body)
			reads = len(wk.values) > 0
		}
		if best == nil || takes && !taken || takes == taken && reads && !written && w.place == best.place {
			best, taken, written = w, takes, reads
		}
		if taken && written {
			return best
		}
	}
	return best
}

func (w *way) takes(secrets []Secret) bool {
	for i := range secrets {
		if w.key == text && secrets[i].Text != "" || w.key == whsec && strings.HasPrefix(secrets[i].Text, "whsec_") {
			return true // as good as parsed, which takes longer
		}
		if _, ok := w.key.parse(secrets[i].Text); ok {
			return true
		}
	}
	return false
}

// applies reports whether a request can be signed this way.
func (w *way) applies(r *Request) bool {
	if !w.place.fits(r) {
		return false
	}
	if w.condition.kind == nowhere {
		return true
	}
	value, there := w.condition.read(r, r.Body)
	return there && (w.equals == "" || value == w.equals)
}

// there reports whether something stands where the signature should.
func (w *way) there(r *Request) bool {
	if !w.applies(r) {
		return false
	}
	if w.each == "" {
		value, there := w.place.read(r, r.Body)
		return there && value != ""
	}
	for _, item := range w.items(r) {
		if value, _ := w.place.read(r, item); value != "" {
			return true
		}
	}
	return false
}

// items are the elements that are signed by themselves; one more than
// mostSignatures tells that there are too many.
func (w *way) items(r *Request) []json.RawMessage {
	raw, ok := w.each.Read(r.Body)
	if !ok || raw[0] != '[' {
		return nil
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil
	}
	return items[:min(len(items), mostSignatures+1)]
}

// read reads the signatures into wk and returns the time that belongs to them.
func (w *way) read(wk *work, r *Request, doc []byte) (stamp string) {
	wk.values = wk.values[:0]
	if w.place.kind == inHeader {
		for i := range r.Headers {
			if strings.EqualFold(r.Headers[i][0], w.place.name) {
				w.form.read(wk, r.Headers[i][1], &stamp)
			}
		}
	} else if value, ok := w.place.read(r, doc); ok {
		w.form.read(wk, value, &stamp)
	}
	if w.stamp.kind != nowhere {
		stamp, _ = w.stamp.read(r, doc)
	}
	return stamp
}

// read adds the signatures of one value, and takes its time if it has one.
func (f *form) read(wk *work, value string, stamp *string) {
	if f.sep == "" {
		f.one(wk, value, stamp)
		return
	}
	for value != "" {
		one := value
		if i := strings.IndexByte(value, f.sep[0]); i >= 0 {
			one, value = value[:i], value[i+1:]
		} else {
			value = ""
		}
		f.one(wk, strings.Trim(one, " \t"), stamp)
	}
}

func (f *form) one(wk *work, text string, stamp *string) {
	if f.stamp != "" && strings.HasPrefix(text, f.stamp) {
		*stamp = text[len(f.stamp):]
		return
	}
	if len(text) > len(f.tag) && strings.HasPrefix(text, f.tag) && len(wk.values) < mostSignatures {
		wk.values = append(wk.values, text[len(f.tag):])
	}
}

// verify is the first secret that made a signature of the request, and the
// time that was signed; nil: none. Where elements are signed by themselves,
// each is to be.
func (w *way) verify(wk *work, r *Request, secrets []Secret) (by *Secret, stamp string) {
	if w.each != "" {
		return w.verifyItems(wk, r, secrets), ""
	}
	stamp = w.read(wk, r, r.Body)
	if by = w.verifyOne(wk, &message{r, r.Body, stamp}, secrets); by != nil || !w.usesURL {
		return by, stamp
	}
	for u := range w.ownURLs(r) {
		at := *r
		at.URL = u
		if by = w.verifyOne(wk, &message{&at, r.Body, stamp}, secrets); by != nil {
			return by, stamp
		}
	}
	return nil, stamp
}

func (w *way) verifyItems(wk *work, r *Request, secrets []Secret) (by *Secret) {
	items := w.items(r)
	if len(items) > mostSignatures {
		return nil
	}
	for _, item := range items {
		w.read(wk, r, item)
		if by = w.verifyOne(wk, &message{r, item, ""}, secrets); by == nil {
			return nil
		}
	}
	return by
}

func (w *way) verifyOne(wk *work, m *message, secrets []Secret) *Secret {
	for i := range secrets {
		k, ok := w.key.parse(secrets[i].Text)
		if ok && w.holds(wk, m, &k) {
			return &secrets[i]
		}
	}
	return nil
}

// holds reports whether one of the signatures that were read is the key's.
func (w *way) holds(wk *work, m *message, k *key) bool {
	if len(wk.values) == 0 {
		return false
	}
	if _, foreign := w.foreign(m.Request, m.doc, k); foreign || !w.digested(m.Request) {
		return false
	}
	sum, missing := w.digest(wk, m, k)
	if missing != "" {
		return false
	}
	found := false
	for _, value := range wk.values {
		if !w.alg.asymmetric() {
			found = same(wk, value) || found
			continue
		}
		if signature, ok := w.enc.decode(value); ok && w.alg.verify(k, sum, signature) {
			return true
		}
	}
	return found
}

// same compares a signature with the right one.
func same(wk *work, value string) bool {
	if len(value) != len(wk.text) {
		return false
	}
	wk.given = append(wk.given[:0], value...)
	return subtle.ConstantTimeCompare(wk.given, wk.text) == 1
}
