package sign

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

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
		if len(sum) > 0 && bytes.Equal(g, sum) { // what is compared here is told to who has the secret, and accepts nothing
			return true
		}
	}
	return false
}

func (t *trial) encoding() finding {
	w := t.w
	if w.alg == equality || !w.digested(t.m.Request) {
		return finding{}
	}
	for name, k := range t.keys() {
		if w.alg.asymmetric() {
			sum, _ := w.digest(t.wk, &t.m, &k)
			for _, g := range t.given[:min(len(t.given), mostPublic)] {
				if w.alg.verify(&k, sum, g) {
					return finding{name, capture.CauseEncoding, "right, but not written in " + w.enc.String()}
				}
			}
			continue
		}
		if sum, _ := w.digest(t.wk, &t.m, &k); t.made(sum) {
			detail := "right, but not written in " + w.enc.String()
			if w.enc == inHex && len(t.wk.values[0]) == 2*len(sum) {
				detail = "right, but in upper case, and libraries compare it with lower case"
			}
			return finding{name, capture.CauseEncoding, detail}
		}
	}
	return finding{}
}

// blank tries secrets that were copied with blanks or a line end, and those
// that came here so.
func (t *trial) blank() finding {
	for _, s := range t.secrets {
		trimmed := strings.TrimSpace(s.Text)
		if trimmed != s.Text && t.by(t.w.key, trimmed) {
			return finding{s.Name, capture.CauseBlank, "made without the blanks or line ends around " + s.Name}
		}
		for _, after := range []string{"\n", "\r\n", " "} {
			if t.w.key == text && t.w.alg != equality && t.by(t.w.key, s.Text+after) {
				return finding{s.Name, capture.CauseBlank, fmt.Sprintf("made with %s and %q behind it", s.Name, after)}
			}
		}
		if t.w.alg == equality && t.w.key == text {
			for _, value := range t.wk.values {
				if strings.TrimSpace(value) == trimmed {
					return finding{s.Name, capture.CauseBlank, s.Name + " came with blanks around it"}
				}
			}
		}
	}
	return finding{}
}

// by reports whether the secret, read as that kind, made the signature.
func (t *trial) by(how *kind, secret string) bool {
	k, ok := how.parse(secret)
	return ok && t.w.holds(t.wk, &t.m, &k)
}

// keyEncoding tries the secret as text where it is encoded, and the reverse.
func (t *trial) keyEncoding() finding {
	if t.w.alg.asymmetric() || t.w.alg == equality {
		return finding{}
	}
	for _, s := range t.secrets {
		bare := strings.TrimPrefix(s.Text, "whsec_")
		for _, v := range []struct {
			how    *kind
			secret string
			says   string
		}{
			{text, s.Text, "taken as text"},
			{text, bare, "taken as the text behind whsec_"},
			{whsec, "whsec_" + bare, "decoded from base64"},
			{hexKey, s.Text, "decoded from hexadecimal digits"},
		} {
			if (v.how != t.w.key || v.secret != s.Text) && t.by(v.how, v.secret) {
				return finding{s.Name, capture.CauseKey, fmt.Sprintf("made with %s %s, and the scheme's keys are %s", s.Name, v.says, t.w.key.want)}
			}
		}
	}
	if t.w.key == text && t.by(anyText, "") {
		return finding{"", capture.CauseSecret, "made with an empty secret, so the sender has none set"}
	}
	return finding{}
}

// anyText is text that may be empty.
var anyText = &kind{parse: func(s string) (key, bool) { return key{bytes: []byte(s)}, true }}

// as reports whether one of the secrets made the signature of another message.
func (t *trial) as(m *message) (string, bool) {
	for name, k := range t.keys() {
		if t.w.holds(t.wk, m, &k) {
			return name, true
		}
	}
	return "", false
}

func (t *trial) body() finding {
	if !t.w.usesBody && !t.w.twilio || len(t.m.Body) > mostTried {
		return finding{}
	}
	for body, v := range otherBodies(t.m.Request) {
		r := *t.m.Request
		r.Body = body
		if name, ok := t.as(&message{&r, body, t.m.stamp}); ok {
			return finding{name, v.cause, "right but for the body: what was signed is " + v.detail}
		}
	}
	return finding{}
}

func (t *trial) url() finding {
	if !t.w.usesURL {
		return finding{}
	}
	for _, other := range otherURLs(t.m.URL) {
		r := *t.m.Request
		r.URL = other[0]
		if name, ok := t.as(&message{&r, t.m.doc, t.m.stamp}); ok {
			return finding{name, capture.CauseURL, "right but for the URL: what was signed is that " + other[1] + ", " + quotedURL(other[0])}
		}
	}
	return finding{}
}

func quotedURL(u string) string {
	u, _, queried := strings.Cut(u, "?")
	if queried {
		u += "?…" // queries may let in
	}
	return strconv.QuoteToASCII(u[:min(len(u), 200)])
}

func (t *trial) stamp() finding {
	if !t.w.usesStamp {
		return finding{}
	}
	at, _ := t.w.unit.read(t.m.stamp)
	others := map[string]string{}
	for _, u := range []unit{seconds, millis, rfc3339} {
		others[string(u.append(nil, at))] = "the time in " + u.String()
		if date, err := time.Parse(time.RFC1123, t.m.Headers.First("Date")); err == nil {
			others[string(u.append(nil, date))] = "the time of the Date header"
		}
	}
	for _, h := range t.m.Headers {
		if n := strings.ToLower(h[0]); strings.Contains(n, "timestamp") && len(others) < 20 {
			others[h[1]] = "the time in " + quoted(h[0])
		}
	}
	for other, says := range others {
		if other == t.m.stamp {
			continue
		}
		m := t.m
		m.stamp = other
		if name, ok := t.as(&m); ok {
			return finding{name, capture.CauseStamp, "right but for the time: what was signed is " + says + ", and " + t.w.stampName() + " is another"}
		}
	}
	return finding{}
}

// algorithm tries the MACs of other hashes.
func (t *trial) algorithm() finding {
	for _, a := range []algorithm{macSHA256, macSHA1, macSHA512, plainSHA256} {
		if t.w.alg.asymmetric() || t.w.alg == equality || a == t.w.alg || len(t.m.Body) > mostTried {
			continue
		}
		other := *t.w
		other.alg = a
		for name, k := range t.keys() {
			if sum, missing := other.digest(t.wk, &t.m, &k); missing == "" && t.made(sum) {
				return finding{name, capture.CauseScheme, "made by " + a.String() + ", and the scheme has " + t.w.alg.String()}
			}
		}
	}
	return finding{}
}

// layout tries what other schemes sign.
func (t *trial) layout() finding {
	if t.w.alg == equality || t.w.alg == plainSHA256 || len(t.m.Body) > mostTried {
		return finding{}
	}
	for _, layout := range layouts() {
		other := *t.w
		other.parts = layout.parts
		if layout.message == t.w.message || layout.usesURL && t.m.URL == "" || layout.usesStamp && t.m.stamp == "" {
			continue
		}
		for name, k := range t.keys() {
			if other.holds(t.wk, &t.m, &k) {
				return finding{name, capture.CauseScheme, fmt.Sprintf("made over %s as %s does, and %s signs %s", layout.message, title(layout.scheme.name), title(t.w.scheme.name), t.w.message)}
			}
		}
	}
	return finding{}
}

// layouts are the ways of all schemes that sign different things, of those
// that every request has.
func layouts() (all []*way) {
	seen := map[string]bool{}
	for i := range table {
		s := schemes()[table[i].name]
		for j := range s.ways {
			w := &s.ways[j]
			plain := !strings.Contains(w.message, "/") && !strings.Contains(w.message, "-") && !strings.Contains(w.message, "{form") && w.alg != plainSHA256 && w.key != payPalBundle && w.message != "{sns}"
			if plain && !seen[w.message] {
				all = append(all, w)
			}
			seen[w.message] = true
		}
	}
	return all
}

// otherWay looks at the scheme's other signatures in the request.
func (t *trial) otherWay() finding {
	s := t.w.scheme
	for i := range s.ways {
		w := &s.ways[i]
		if w == t.w || w.place == t.w.place || !w.there(t.m.Request) {
			continue
		}
		wk := works.Get().(*work)
		by, _ := w.verify(wk, t.m.Request, t.secrets)
		wk.done()
		if by != nil {
			return finding{by.Name, capture.CauseScheme, w.place.String() + " is right, and " + t.w.place.String() + ", which counts, is not"}
		}
	}
	return finding{}
}

// mode tells that a live event cannot be verified by what is known, or the
// reverse, and that no secret is one at all.
func (t *trial) mode() finding {
	usable, test := 0, 0
	for name := range t.keys() {
		usable++
		if strings.HasSuffix(name, "/test") {
			test++
		}
	}
	if usable == 0 {
		return finding{t.secrets[0].Name, capture.CauseUnproved, t.secrets[0].Name + " is not a secret of this scheme: want " + t.w.key.want}
	}
	live, _ := placeOf("/livemode").read(t.m.Request, t.m.Body)
	if live == "true" && test == usable {
		return finding{"", capture.CauseMode, "the event is live, and only the secret of test events is known"}
	}
	if live == "false" && test == 0 {
		return finding{"", capture.CauseUnproved, "not made by any secret that is known: the event is a test, whose secret is another than that of live events"}
	}
	return finding{}
}
