package sign

import (
	"errors"
	"fmt"
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
	was := *r
	r.Headers = append(make(capture.Headers, 0, len(r.Headers)+4), r.Headers...)
	if err := s.sign(r, how); err != nil {
		*r = was
		return fmt.Errorf("sign: %s: %w", s.name, err)
	}
	return nil
}

// A task is a way to sign a request, and the keys that do.
type task struct {
	*way
	keys []key
}

func (s *Scheme) sign(r *Request, how How) error {
	tasks, err := s.tasks(r, how.Secrets)
	if err != nil {
		return err
	}
	unsigned := len(how.Secrets) == 0
	if err := s.clear(r, tasks, unsigned); err != nil {
		return err
	}
	if err := s.renew(r, tasks, how); err != nil || unsigned {
		return err
	}
	wk := works.Get().(*work)
	defer wk.done()
	for i := range tasks {
		if err := tasks[i].sign(wk, r, how, renews(tasks[:i], tasks[i].place)); err != nil {
			return err
		}
	}
	return nil
}

// tasks are the ways to sign a request with the secrets: those that are there,
// else those that the sender writes today.
func (s *Scheme) tasks(r *Request, secrets []Secret) ([]task, error) {
	var there, anew []task
	applies := false
	for i := range s.ways {
		w := &s.ways[i]
		if !w.applies(r) {
			continue
		}
		applies = true
		is := w.there(r)
		if !is && (w.old || len(there) > 0) {
			continue
		}
		keys := w.keys(secrets)
		switch {
		case len(keys) == 0 && len(secrets) > 0:
		case is:
			there = append(there, task{w, keys})
		default:
			anew = append(anew, task{w, keys})
		}
	}
	switch {
	case len(there) > 0:
		return there, nil
	case len(anew) > 0 || len(secrets) == 0:
		return anew, nil
	case !applies:
		return nil, errors.New("the request is not of its kind")
	}
	for i := range secrets {
		if _, ok := s.ways[0].key.parse(secrets[i].Text); ok {
			return nil, fmt.Errorf("%s verifies and cannot sign: %w", secrets[i].Name, ErrSecret)
		}
	}
	return nil, fmt.Errorf("want %s: %w", s.wants(), ErrSecret)
}

// keys are those of the secrets that sign.
func (w *way) keys(secrets []Secret) (keys []key) {
	if !w.form.several {
		secrets = secrets[:min(len(secrets), 1)]
	}
	for i := range secrets {
		if k, ok := w.key.parse(secrets[i].Text); ok && w.alg.signs(&k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// renews reports whether one of the tasks writes there.
func renews(tasks []task, there place) bool {
	for i := range tasks {
		if tasks[i].place == there {
			return true
		}
	}
	return false
}

// clear takes out the signatures that are not renewed, or all.
func (s *Scheme) clear(r *Request, tasks []task, all bool) error {
	for i := range s.ways {
		w := &s.ways[i]
		if !w.place.fits(r) || !all && renews(tasks, w.place) {
			continue
		}
		var one [1]base
		for _, b := range w.bases(r, one[:0]) {
			if err := w.place.clear(r, b.at); err != nil {
				return err
			}
		}
	}
	return nil
}

// base is where a way's own pointers are read: an element, where each is
// signed, or the body.
type base struct {
	at  capture.Pointer
	doc []byte
}

func (w *way) bases(r *Request, all []base) []base {
	if w.each == "" {
		return append(all, base{"", r.Body})
	}
	for i, item := range w.items(r) {
		all = append(all, base{capture.Pointer(fmt.Sprintf("%s/%d", w.each, i)), item})
	}
	return all
}

// sign writes the signatures of one way; beside: behind those that another
// way has written in the same place.
func (w *task) sign(wk *work, r *Request, how How, beside bool) error {
	if w.usesURL && r.URL == "" {
		return ErrURL
	}
	if !w.digested(r) {
		return errors.New("the URL needs a bodySHA256 of this body")
	}
	for beside := range strings.FieldsSeq(w.with) {
		if name, value, _ := strings.Cut(beside, "="); !r.Headers.Has(name) {
			r.Headers = setHeader(r.Headers, name, value)
		}
	}
	if at := w.keys[0].certURL; at != "" && w.cert != "" {
		if err := w.certPlace.set(r, "", at); err != nil {
			return err
		}
	}
	var one [1]base
	bases := w.bases(r, one[:0])
	if len(bases) == 0 || len(bases) > mostSignatures {
		return fmt.Errorf("want an array %s of 1 to %d", w.each, mostSignatures)
	}
	for _, b := range bases {
		value, err := w.value(wk, &message{r, b.doc, w.now(r, b.doc, how.At)}, w.keys)
		if err != nil {
			return err
		}
		if old, there := w.place.read(r, b.doc); beside && there {
			value = old + w.form.sep + value
		}
		if err := w.place.set(r, b.at, value); err != nil {
			return err
		}
	}
	return nil
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
	out := wk.out[:0]
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
	wk.out = out
	return string(out), nil
}
