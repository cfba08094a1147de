package sign

import (
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Explain judges as Verify does, and says what was looked at, in order.
func (s *Scheme) Explain(r *Request, now time.Time, secrets ...Secret) Explanation {
	e := Explanation{Signature: s.Verify(r, now, secrets...)}
	wk := works.Get().(*work)
	defer wk.done()
	w := s.pick(wk, r, secrets)
	if w == nil {
		e.add(false, "%s", s.lacks(r))
		return e
	}
	e.add(true, "there is a signature in %s", w.place)
	e.add(true, "what is signed: %s, by %s%s", w.message, w.alg, w.written())
	if w.usesURL {
		e.add(r.URL != "", "the URL: %s", quotedURL(r.URL))
	}
	if len(secrets) == 0 {
		e.add(false, "no secret is known")
		return e
	}
	if w.each != "" {
		e.items(w, wk, r, secrets)
	} else {
		e.one(w, wk, &message{r, r.Body, w.read(wk, r, r.Body)}, now, secrets)
	}
	if e.Detail != "" {
		e.add(false, "%s", e.Detail)
	}
	return e
}

func (w *way) written() string {
	if w.alg == equality {
		return ""
	}
	return " in " + w.enc.String()
}

func (e *Explanation) add(ok bool, format string, args ...any) {
	e.Steps = append(e.Steps, Step{ok, fmt.Sprintf(format, args...)})
}

// one tells of the signatures of one message, each secret by itself.
func (e *Explanation) one(w *way, wk *work, m *message, now time.Time, secrets []Secret) {
	n := len(wk.values)
	if n == mostSignatures {
		e.add(true, "of the signatures the first %d are looked at", n)
	} else {
		e.add(n > 0, "signatures that are written as they should be (%s): %d", w.as, n)
	}
	if w.usesStamp || w.stamp.kind != nowhere {
		e.time(w, m.stamp, now)
	}
	for _, secret := range secrets[:min(len(secrets), mostSecrets)] {
		k, ok := w.key.parse(secret.Text)
		if !ok {
			e.add(false, "%s is not a secret of this scheme: want %s", secret.Name, w.key.want)
			continue
		}
		if w.holds(wk, m, &k) || w.usesURL && e.Verdict != capture.Invalid && e.Secret == secret.Name {
			e.add(true, "%s made it", secret.Name)
		} else {
			e.add(false, "%s did not make it", secret.Name)
		}
	}
}

func (e *Explanation) time(w *way, stamp string, now time.Time) {
	at, ok := w.unit.read(stamp)
	if !ok {
		e.add(false, "%s", w.badStamp(stamp))
		return
	}
	age := now.Sub(at)
	text := "made " + span(age.Abs()) + " ago"
	if age < 0 {
		text = "made " + span(age.Abs()) + " from now"
	}
	if w.past == 0 && w.future == 0 {
		e.add(true, "%s, which nobody limits", text)
		return
	}
	e.add((w.past == 0 || age <= w.past) && (w.future == 0 || age >= -w.future), "%s, of %s that are allowed", text, span(max(w.past, w.future)))
}

// items tells of elements that are signed by themselves.
func (e *Explanation) items(w *way, wk *work, r *Request, secrets []Secret) {
	for i, item := range w.items(r) {
		if i == mostSignatures {
			return
		}
		w.read(wk, r, item)
		by := w.verifyOne(wk, &message{r, item, ""}, secrets)
		if by == nil {
			e.add(false, "%s/%d: no secret that is known made it", w.each, i)
			continue
		}
		e.add(true, "%s/%d: %s made it", w.each, i, by.Name)
	}
}
