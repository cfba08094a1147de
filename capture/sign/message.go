package sign

import (
	"bytes"
	"hash"
	"hash/crc32"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"code.hooktape.dev/hooktape/capture"
)

// A message is what a way reads of a request: the request itself, the JSON
// that its pointers are read in, which is one element where every element is
// signed, and the time.
type message struct {
	*Request
	doc   []byte
	stamp string
}

// work is the memory of one verification. It keeps the MAC of the last key,
// which most often is the next one too: to start it is half of what it takes
// to sign a short body.
type work struct {
	mac hash.Hash
	alg algorithm
	key []byte // of mac

	values []string // the signatures that were read
	buf    []byte   // of the message, between two writes
	sum    []byte
	text   []byte // what the signature should be
	given  []byte // what it is
	out    []byte // what is written
}

var works = sync.Pool{New: func() any { return new(work) }}

// done gives the memory back, without what belongs to the request.
func (wk *work) done() {
	clear(wk.values[:cap(wk.values)])
	if cap(wk.buf)+cap(wk.given) <= 64<<10 {
		works.Put(wk)
	}
}

// write writes what is signed. missing is the first part that is not there.
func (w *way) write(to io.Writer, wk *work, m *message, k *key) (missing string) {
	buf := wk.buf[:0]
	for i := range w.parts {
		p := &w.parts[i]
		switch p.kind {
		case partText:
			buf = append(buf, p.text...)
		case partBody:
			if len(buf) > 0 {
				to.Write(buf)
				buf = buf[:0]
			}
			to.Write(m.Body)
		case partMethod:
			buf = append(buf, m.Method...)
		case partURL:
			buf = append(buf, m.URL...)
		case partStamp:
			if m.stamp == "" {
				return w.stampName()
			}
			buf = append(buf, m.stamp...)
		case partDecoded:
			buf = append(buf, hubSpotURL.Replace(m.URL)...)
		case partForm:
			buf = appendForm(buf, m.Request)
		case partCRC32:
			buf = strconv.AppendUint(buf, uint64(crc32.ChecksumIEEE(m.Body)), 10)
		case partSNS:
			buf = appendSNS(buf, m.doc)
		case partKey:
			buf = append(buf, k.bytes...)
		case partWebhook:
			buf = append(buf, k.webhook...)
		case partPlace:
			value, _ := p.place.read(m.Request, m.doc)
			if value == "" && !p.maybe {
				return p.place.String()
			}
			if w.ambiguous(i, value) {
				return p.place.String() + " without " + w.parts[i+1].text
			}
			buf = append(buf, value...)
		}
	}
	to.Write(buf)
	wk.buf = buf
	return ""
}

// ambiguous reports whether a header's value holds what separates it from the
// next part: then the same signature would be that of several messages.
func (w *way) ambiguous(i int, value string) bool {
	return w.parts[i].place.kind == inHeader && i+1 < len(w.parts) && w.parts[i+1].kind == partText &&
		strings.Contains(value, w.parts[i+1].text)
}

// stampName is the place of the time, for people.
func (w *way) stampName() string {
	if w.stamp.kind == nowhere {
		return strings.TrimRight(w.form.stamp, "=") + " of " + w.place.String()
	}
	return w.stamp.String()
}

// digest is what is compared or verified: the text of a MAC as it stands in
// the request, or for who cannot sign, what the signature is over.
func (w *way) digest(wk *work, m *message, k *key) (sum []byte, missing string) {
	if w.alg == equality {
		wk.text = append(wk.text[:0], k.bytes...)
		return nil, ""
	}
	h := wk.hash(w.alg, k)
	if h == nil {
		var b bytes.Buffer
		missing = w.write(&b, wk, m, k)
		return b.Bytes(), missing
	}
	if missing = w.write(h, wk, m, k); missing != "" {
		return nil, missing
	}
	wk.sum = h.Sum(wk.sum[:0])
	if !w.alg.asymmetric() {
		wk.text = w.enc.append(wk.text[:0], wk.sum)
	}
	return wk.sum, ""
}

// hash is the algorithm's, to be written to.
func (wk *work) hash(a algorithm, k *key) hash.Hash {
	if !a.keyed() {
		return a.hash(k)
	}
	if wk.mac != nil && wk.alg == a && bytes.Equal(wk.key, k.bytes) {
		wk.mac.Reset()
		return wk.mac
	}
	wk.mac, wk.alg, wk.key = a.hash(k), a, append(wk.key[:0], k.bytes...)
	return wk.mac
}

// hubSpotURL decodes what HubSpot does before it signs, and nothing else.
var hubSpotURL = strings.NewReplacer("%3A", ":", "%2F", "/", "%3F", "?", "%40", "@", "%21", "!", "%24", "$", "%27", "'",
	"%28", "(", "%29", ")", "%2A", "*", "%2C", ",", "%3B", ";",
	"%3a", ":", "%2f", "/", "%3f", "?", "%2a", "*", "%2c", ",", "%3b", ";")

// appendForm appends names and values of the form's fields by name. Values of
// one name are in order and once each, as Twilio's libraries have them.
func appendForm(buf []byte, r *Request) []byte {
	if !isForm(r) {
		return buf
	}
	var all [][2]string
	for name, value := range fields(r.Body) {
		all = append(all, [2]string{name, value})
	}
	slices.SortFunc(all, func(a, b [2]string) int {
		if c := strings.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return strings.Compare(a[1], b[1])
	})
	for _, f := range slices.Compact(all) {
		buf = append(append(buf, f[0]...), f[1]...)
	}
	return buf
}

// appendSNS appends the lines that Amazon SNS signs.
func appendSNS(buf, doc []byte) []byte {
	kind, _ := placeOf("/Type").read(nil, doc)
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if kind != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	for _, name := range names {
		value, there := place{kind: inJSON, at: capture.Pointer("/" + name)}.read(nil, doc)
		if there {
			buf = append(append(append(append(buf, name...), '\n'), value...), '\n')
		}
	}
	return buf
}
