package sign

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Sign makes a request one that its sender has just sent: stamps are renewed,
// ids too where how.New is set, and it is signed. Of several kinds of
// signatures those that are there are renewed; where none is there, it gets
// those that the sender writes today. Headers and Body are changed by
// replacing them. On an error the request is as it was: a secret that cannot
// sign (which wraps ErrSecret), a body that lacks what is signed, a URL that
// is not known and would have to be.
func (s *Scheme) Sign(r *Request, how How) error {
	signed := *r
	if err := s.sign(&signed, how); err != nil {
		return fmt.Errorf("sign: %s: %w", s.name, err)
	}
	*r = signed
	return nil
}

func (s *Scheme) sign(r *Request, how How) error {
	ways, err := s.writes(r, how.Secrets)
	if err != nil {
		return err
	}
	if err := s.clear(r, ways, len(how.Secrets) == 0); err != nil {
		return err
	}
	if err := s.renew(r, ways, how); err != nil {
		return err
	}
	wk := works.Get().(*work)
	defer wk.done()
	for i, w := range ways {
		if len(how.Secrets) == 0 {
			break
		}
		beside := slices.ContainsFunc(ways[:i], func(o *way) bool { return o.place == w.place })
		if err := w.sign(wk, r, how, beside); err != nil {
			return err
		}
	}
	return nil
}

// writes are the ways to sign a request with the secrets.
func (s *Scheme) writes(r *Request, secrets []Secret) (ways []*way, err error) {
	var there, anew []*way
	err = fmt.Errorf("the body is not of its webhooks")
	for i := range s.ways {
		w := &s.ways[i]
		if !w.applies(r) {
			continue
		}
		if len(secrets) > 0 && !w.canSign(secrets) {
			if err = s.Check(secrets[0].Text); err == nil {
				err = fmt.Errorf("it verifies and cannot sign: %w", ErrSecret)
			}
			err = errors.Unwrap(err)
			continue
		}
		if w.there(r) {
			there = append(there, w)
		}
		if !w.old {
			anew = append(anew, w)
		}
	}
	if len(there) > 0 {
		return there, nil
	}
	if len(anew) == 0 && len(secrets) > 0 {
		return nil, err
	}
	return anew, nil
}

func (w *way) canSign(secrets []Secret) bool {
	if !w.form.several {
		secrets = secrets[:1]
	}
	return slices.ContainsFunc(secrets, func(s Secret) bool {
		k, ok := w.key.parse(s.Text)
		return ok && w.alg.signs(&k)
	})
}

// clear takes out the signatures that are not renewed, or all.
func (s *Scheme) clear(r *Request, ways []*way, all bool) error {
	for i := range s.ways {
		w := &s.ways[i]
		renewed := slices.ContainsFunc(ways, func(o *way) bool { return o.place == w.place })
		if !w.place.fits(r) || renewed && !all {
			continue
		}
		for base := range w.bases(r) {
			if err := w.place.clear(r, base); err != nil {
				return err
			}
		}
	}
	return nil
}

// bases are the pointers in which a way's own are read: of all elements where
// each is signed, else that of the body.
func (w *way) bases(r *Request) map[capture.Pointer][]byte {
	if w.each == "" {
		return map[capture.Pointer][]byte{"": r.Body}
	}
	all := map[capture.Pointer][]byte{}
	for i, item := range w.items(r) {
		all[capture.Pointer(fmt.Sprintf("%s/%d", w.each, i))] = item
	}
	return all
}

// sign writes the signatures of one way; beside: behind those that another
// way has written in the same place.
func (w *way) sign(wk *work, r *Request, how How, beside bool) error {
	if w.usesURL && r.URL == "" {
		return errors.New("the URL is signed too, and is not known")
	}
	if !w.digested(r) {
		return errors.New("the URL needs a bodySHA256 of this body")
	}
	keys := w.keys(how.Secrets)
	for _, h := range strings.Fields(w.with) {
		name, value, _ := strings.Cut(h, "=")
		if !r.Headers.Has(name) {
			r.Headers = setHeader(r.Headers, name, value)
		}
	}
	if at := keys[0].certURL; at != "" && w.cert != "" {
		if err := w.certPlace.set(r, "", at); err != nil {
			return err
		}
	}
	for base, doc := range w.bases(r) {
		value, err := w.value(wk, &message{r, doc, w.now(r, doc, how.At)}, keys)
		if err != nil {
			return err
		}
		if old, there := w.place.read(r, doc); beside && there {
			value = old + w.form.sep + value
		}
		if err := w.place.set(r, base, value); err != nil {
			return err
		}
	}
	return nil
}

// keys are those that sign.
func (w *way) keys(secrets []Secret) (keys []key) {
	for _, s := range secrets {
		if k, ok := w.key.parse(s.Text); ok && w.alg.signs(&k) {
			keys = append(keys, k)
		}
	}
	if !w.form.several {
		keys = keys[:1]
	}
	return keys
}

// now is the time as it is signed: what stands in its place, which was
// renewed, or what will stand in the signature's.
func (w *way) now(r *Request, doc []byte, at time.Time) string {
	if w.stamp.kind != nowhere {
		stamp, _ := w.stamp.read(r, doc)
		return stamp
	}
	return string(w.unit.append(nil, at))
}

// value is what stands in the signature's place.
func (w *way) value(wk *work, m *message, keys []key) (string, error) {
	var out []byte
	if w.form.stamp != "" {
		out = append(append(out, w.form.stamp...), m.stamp...)
	}
	for i := range keys {
		sum, missing := w.digest(wk, m, &keys[i])
		if missing != "" {
			return "", fmt.Errorf("there is no %s", missing)
		}
		if len(out) > 0 {
			out = append(out, w.form.sep...)
		}
		out = append(out, w.form.tag...)
		if !w.alg.asymmetric() {
			out = append(out, wk.text...)
			continue
		}
		signature, err := w.alg.sign(&keys[i], sum)
		if err != nil {
			return "", err
		}
		out = w.enc.append(out, signature)
	}
	return string(out), nil
}
