package sign

import (
	"crypto/subtle"
	"fmt"
	"strconv"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// encoding looks whether the signature is right, and written otherwise.
func (t *trial) encoding() finding {
	w := t.w
	if w.alg == equality || !w.digested(t.m.Request) { // the body is another
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
			if t.w.key == text && t.w.alg != equality && !t.large() && t.by(t.w.key, s.Text+after) {
				return finding{s.Name, capture.CauseBlank, fmt.Sprintf("made with %s and %q behind it", s.Name, after)}
			}
		}
		if t.w.alg == equality && t.w.key == text {
			for _, value := range t.wk.values {
				if subtle.ConstantTimeCompare([]byte(strings.TrimSpace(value)), []byte(trimmed)) == 1 {
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
	if t.w.alg.asymmetric() || t.w.alg == equality || t.large() {
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

// body tries what the body may have been.
func (t *trial) body() finding {
	if !t.w.usesBody && !t.w.twilio || t.large() {
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

// url tries what the URL may be to the sender.
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

// quotedURL is a URL safe to print, without its query: those may let in.
func quotedURL(u string) string {
	u, _, queried := strings.Cut(u, "?")
	if queried {
		u += "?…"
	}
	return strconv.QuoteToASCII(u[:min(len(u), 200)])
}

// stamp tries other times, and the time written otherwise.
func (t *trial) stamp() finding {
	if !t.w.usesStamp {
		return finding{}
	}
	others := map[string]string{}
	for _, u := range []unit{seconds, millis, rfc3339} {
		for _, is := range []unit{seconds, millis, rfc3339} {
			if at, ok := is.read(t.m.stamp); ok {
				others[string(u.append(nil, at))] = "the time in " + u.String()
			}
		}
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
		if t.w.alg.asymmetric() || t.w.alg == equality || a == t.w.alg || t.large() {
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
	if t.w.alg == equality || t.w.alg == plainSHA256 || t.large() {
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
		return finding{"", capture.CauseUnproved, "not made by any secret that is known; the event is a test, and those often have a secret of their own"}
	}
	return finding{}
}
