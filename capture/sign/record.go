package sign

import (
	"fmt"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// A record is all that is known of how one sender signs.
type record struct {
	name string // as capture/provider has it, where it has one
	doc  string // the sender's document
	ways []way  // the best first
	// shared says that others use its headers too, so that they do not tell
	// the scheme.
	shared bool
	// ids are the places whose ids a new webhook has of its own, separated by
	// blanks. "name=maker" is made where it is missing; see makers.
	ids string
	// made are the places of the time at which the event was made: a new
	// webhook has another, a retry has not.
	made string
	// secret begins those that NewSecret makes of text.
	secret string
}

// A way is one form of a sender's signatures. What it leaves out is what most
// do: the HMAC-SHA256 of the body in hexadecimal, the key being the secret's
// text, and no time.
type way struct {
	// as is where the signature stands, and how it is written: "Name: v1={s}"
	// is a header; "/a/b: {s}" a member of the JSON body by its pointer,
	// "form:a: {s}" a field of the form. {t} is the time, and "…" at the end
	// says that signatures may follow one another as the text before it does.
	as string
	// old ways are renewed where they are there, and not written anew.
	old bool
	// each is an array in the body of which every element is signed by itself.
	each capture.Pointer
	// when is a place that says whether the way applies: "/Version=2".
	when string
	// message is what is signed; see part. "": {body}.
	message string
	alg     algorithm
	enc     encoding
	key     *kind // nil: text
	// at is the place of the time where it is not part of as.
	at   string
	unit unit
	// past and future are how far the time may be from now; 0: not judged.
	past, future time.Duration
	// cert is the place of the URL of the certificate, and hosts says whose
	// URLs are the sender's.
	cert  string
	hosts func(host string) bool
	// with are headers that stand beside the signature, "Name=value", with blanks
	// between them.
	with string
	// twilio says that the URL counts with and without its port, and that of
	// a body that is no form it has the digest, bodySHA256.
	twilio bool

	// What compile makes of these:
	scheme    *Scheme
	place     place
	form      form
	parts     []part
	stamp     place
	condition place
	equals    string
	certPlace place
	usesURL   bool
	usesBody  bool
	usesStamp bool
}

// form is how signatures are written: elements between sep, of which those
// that begin with tag are signatures and one with stamp is the time. Without
// sep there is one.
type form struct {
	sep        string
	tag, stamp string
	several    bool
}

func compile(r *record) *Scheme {
	s := &Scheme{record: r, ways: make([]way, len(r.ways))}
	copy(s.ways, r.ways)
	for i := range s.ways {
		w := &s.ways[i]
		w.scheme = s
		if w.key == nil {
			w.key = text
		}
		at := strings.LastIndex(w.as, ": ")
		w.place, w.form = placeOf(w.as[:at]), formOf(w.as[at+2:])
		if w.message == "" {
			w.message = "{body}"
		}
		w.parts = partsOf(w.message)
		for _, p := range w.parts {
			w.usesURL = w.usesURL || p.kind == partURL || p.kind == partDecoded
			w.usesStamp = w.usesStamp || p.kind == partStamp
			w.usesBody = w.usesBody || p.kind == partBody || p.kind == partForm || p.kind == partCRC32
		}
		if w.at != "" {
			w.stamp = placeOf(w.at)
		}
		if w.when != "" {
			name, value, _ := strings.Cut(w.when, "=")
			w.condition, w.equals = placeOf(name), value
		}
		if w.cert != "" {
			w.certPlace = placeOf(w.cert)
		}
	}
	for name := range strings.FieldsSeq(r.ids) {
		name, maker, _ := strings.Cut(name, "=")
		s.ids = append(s.ids, id{placeOf(name), maker})
	}
	for name := range strings.FieldsSeq(r.made) {
		s.made = append(s.made, placeOf(name))
	}
	return s
}

func formOf(as string) (f form) {
	as, f.several = strings.CutSuffix(as, "…")
	before, after, ok := strings.Cut(as, "{s}")
	if !ok {
		panic(fmt.Sprintf("sign: no {s} in %q", as))
	}
	f.sep, f.tag = after, before
	if stamp, rest, ok := strings.Cut(before, "{t}"); ok {
		f.stamp = stamp
		n := strings.IndexFunc(rest, func(c rune) bool { return c != ',' && c != ';' && c != ' ' })
		if n < 0 {
			n = len(rest)
		}
		f.sep, f.tag = rest[:n], rest[n:]
	}
	return f
}

// part is a piece of a message: a text, or one of
//
//	{body} {method} {url} {t}   of the request
//	{decoded}                   the URL as HubSpot decodes it
//	{form}                      the form's fields, sorted by name
//	{crc32}                     of the body, in decimal
//	{sns}                       the lines that Amazon SNS signs
//	{key}                       the secret itself
//	{webhook}                   the webhook-id of the secret's bundle
//	{place}                     what stands there; {place?}: if it is there
type part struct {
	kind  partKind
	text  string
	place place
	maybe bool
}

type partKind uint8

const (
	partText partKind = iota
	partBody
	partMethod
	partURL
	partStamp
	partDecoded
	partForm
	partCRC32
	partSNS
	partKey
	partWebhook
	partPlace
)

var partNames = map[string]partKind{
	"body": partBody, "method": partMethod, "url": partURL, "t": partStamp, "decoded": partDecoded, "form": partForm,
	"crc32": partCRC32, "sns": partSNS, "key": partKey, "webhook": partWebhook,
}

func partsOf(message string) (parts []part) {
	for message != "" {
		before, rest, found := strings.Cut(message, "{")
		if before != "" {
			parts = append(parts, part{kind: partText, text: before})
		}
		if !found {
			break
		}
		var name string
		name, message, _ = strings.Cut(rest, "}")
		if k, ok := partNames[name]; ok {
			parts = append(parts, part{kind: k})
			continue
		}
		name, maybe := strings.CutSuffix(name, "?")
		parts = append(parts, part{kind: partPlace, place: placeOf(name), maybe: maybe})
	}
	return parts
}
