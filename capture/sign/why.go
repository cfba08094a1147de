package sign

import (
	"crypto/subtle"
	"fmt"
	"strconv"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

const (
	mostSecrets = 8 // with which mistakes are tried
	mostPublic  = 4 // signatures of public keys that are, which take long
)

// A finding is a cause and a sentence about it.
type finding struct {
	secret string
	cause  capture.Cause
	detail string
}

// A trial looks for the mistake without which a signature would verify.
type trial struct {
	w       *way
	wk      *work
	m       message
	secrets []Secret
	given   [][]byte // the bytes that the signatures may stand for
}

// lacks says what an unsigned request lacks.
func (s *Scheme) lacks(r *Request) string {
	for i := range s.ways {
		if w := &s.ways[i]; w.applies(r) {
			return "there is no " + w.place.String()
		}
	}
	return "there is no " + s.ways[0].place.String()
}

func (w *way) badStamp(stamp string) string {
	return w.stampName() + " is " + quoted(stamp) + ", which is not in " + w.unit.String()
}

// quoted is the beginning of a stranger's text, safe to print.
func quoted(s string) string {
	if len(s) > 40 {
		return strconv.QuoteToASCII(s[:40]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

// why is the first cause that can be proved of a signature that does not
// verify, likely ones first.
func (w *way) why(wk *work, r *Request, secrets []Secret) finding {
	t := &trial{w: w, wk: wk, m: message{Request: r, doc: r.Body}, secrets: secrets[:min(len(secrets), mostSecrets)]}
	if w.each != "" {
		items := w.items(r)
		if len(items) > mostSignatures {
			return finding{"", capture.CauseFormat, fmt.Sprintf("there are more than %d in %s", mostSignatures, w.each)}
		}
		for _, item := range items {
			w.read(wk, r, item)
			if t.m.doc = item; w.verifyOne(wk, &t.m, secrets) == nil {
				break
			}
		}
	}
	t.m.stamp = w.read(wk, r, t.m.doc)
	for _, look := range []func() finding{t.head, t.encoding, t.blank, t.keyEncoding, t.body, t.url, t.stamp, t.algorithm, t.layout, t.otherWay, t.mode} {
		if f := look(); f.cause != "" {
			return f
		}
	}
	names := make([]string, 0, len(t.secrets))
	for _, s := range t.secrets {
		names = append(names, s.Name)
	}
	one := names[0]
	if len(names) > 1 {
		one = ""
	}
	return finding{one, capture.CauseUnproved, "not made by " + strings.Join(names, " or ") + ", nor by any mistake that is known: it is another secret's, or the body is another"}
}

// head is what is wrong before anything is computed.
func (t *trial) head() finding {
	w := t.w
	if len(t.wk.values) == 0 {
		return finding{"", capture.CauseFormat, fmt.Sprintf("in %s there is no signature that begins with %q", w.place, w.form.tag)}
	}
	if w.usesStamp || w.stamp.kind != nowhere {
		if t.m.stamp == "" {
			return finding{"", capture.CauseMissing, "there is no " + w.stampName()}
		}
		if _, ok := w.unit.read(t.m.stamp); !ok {
			return finding{"", capture.CauseFormat, w.badStamp(t.m.stamp)}
		}
	}
	for i, p := range w.parts {
		if p.kind != partPlace || p.maybe {
			continue
		}
		value, _ := p.place.read(t.m.Request, t.m.doc)
		if value == "" {
			return finding{"", capture.CauseMissing, "there is no " + p.place.String()}
		}
		if w.ambiguous(i, value) {
			return finding{"", capture.CauseFormat, fmt.Sprintf("%s is %s, and may not have %q in it", p.place, quoted(value), w.parts[i+1].text)}
		}
	}
	if w.twilio && !strings.Contains(t.m.URL, "bodySHA256=") && !w.digested(t.m.Request) {
		return finding{"", capture.CauseMissing, "the body is no form, and there is no bodySHA256 in the URL"}
	}
	for name, k := range t.keys() {
		if at, foreign := w.foreign(t.m.Request, t.m.doc, &k); foreign {
			return finding{name, capture.CauseFormat, "the certificate is said to be at " + quoted(at) + ", which is not " + title(w.scheme.name) + "'s"}
		}
	}
	for _, value := range t.wk.values {
		t.given = append(t.given, decodings(value)...)
	}
	if w.alg.asymmetric() {
		t.wk.values = t.wk.values[:min(len(t.wk.values), mostPublic)]
	}
	return finding{}
}

// large reports whether the body is one with which nothing is tried that needs
// many a signature computed.
func (t *trial) large() bool { return len(t.m.Body) > mostTried }

// keys yields the secrets that are of the way's kind.
func (t *trial) keys() func(yield func(string, key) bool) {
	return func(yield func(string, key) bool) {
		for _, s := range t.secrets {
			if k, ok := t.w.key.parse(s.Text); ok && !yield(s.Name, k) {
				return
			}
		}
	}
}

// made reports whether the bytes of a MAC are among those that came.
func (t *trial) made(sum []byte) bool {
	for _, g := range t.given {
		if len(sum) > 0 && subtle.ConstantTimeCompare(g, sum) == 1 {
			return true
		}
	}
	return false
}
