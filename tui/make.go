package tui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// mode is how a body is shown.
type mode uint8

const (
	pretty mode = iota
	raw
	hexadecimal
	modes
)

func (m mode) String() string { return [...]string{"pretty", "raw", "hex"}[m] }

// Bodies larger than this are shown as they are until asked for otherwise;
// and text larger than that only as bytes.
const (
	prettyMost = 16 << 20
	textMost   = 64 << 20
)

// making is a question for the text of a tab. Bodies of megabytes are taken
// apart in it, so that nobody waits.
type making struct {
	number  int
	tab     tab
	mode    mode
	row     capture.Row
	body    []byte
	bodyErr error
	have    has
	attempt *capture.Attempt
	rules   map[capture.ID]string
	secrets bool
	w       int // fold lines to this; 0: do not
}

// madeText is its answer.
type madeText struct {
	number int
	text   *text
}

func (m making) run() tea.Msg {
	t := &text{}
	switch m.tab {
	case bodyTab:
		m.bodyText(t)
	case headersTab:
		m.headText(t)
	case sentTab:
		m.sentText(t)
	default:
		m.responseText(t)
	}
	if m.w > 0 {
		w := m.w - 1
		if t.number && m.w >= 24 {
			w = m.w - numberWidth
		}
		t.fold(w)
	}
	return madeText{m.number, t}
}

func (m making) bodyText(t *text) {
	switch {
	case m.row.Refused != nil:
		r := m.row.Refused
		t.add(wrong, fmt.Sprintf("refused with %d: %s is %s, the limit is %s", r.Status, safe.Line(r.Limit), comma(r.Got), comma(r.Max)))
		t.add(faint, "the body was not kept, and the event will not be delivered")
	case m.bodyErr != nil:
		t.add(wrong, safe.Line(m.bodyErr.Error()))
	case m.have != all:
		t.add(faint, "reading…")
	case len(m.body) == 0:
		t.add(faint, "no body")
	default:
		t.number = true
		addBody(t, m.mode, m.row.Headers.First("Content-Type"), m.body)
	}
}

// addBody adds a body: JSON indented, a form decoded, what is not text as
// bytes.
func addBody(t *text, m mode, contentType string, body []byte) {
	if m == hexadecimal || len(body) > textMost || binary(body) {
		t.hex = body
		return
	}
	if m == pretty && len(body) <= prettyMost {
		var out bytes.Buffer
		if indents(body, textMost) && json.Indent(&out, body, "", "  ") == nil {
			t.add(asJSON, safe.Block(out.Bytes())...)
			return
		}
		if kind, _, _ := mime.ParseMediaType(contentType); kind == "application/x-www-form-urlencoded" && addPairs(t, string(body)) {
			return
		}
	}
	t.add(words, safe.Block(body)...)
}

// indents reports whether JSON takes up most bytes or less once it is indented.
// What is nested deep grows with the square of its depth.
func indents(body []byte, most int) bool {
	size, depth, quoted := len(body), 0, false
	for i := 0; i < len(body) && size <= most; i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			size += 1 + 2*depth
		case c == '}' || c == ']':
			depth = max(0, depth-1)
			size += 1 + 2*depth
		case c == ',':
			size += 1 + 2*depth
		}
	}
	return size <= most
}

// addPairs adds the pairs of a form or a query in their order, decoded, and
// reports whether it is one.
func addPairs(t *text, form string) bool {
	var lines []string
	for pair := range strings.SplitSeq(form, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return false
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return false
		}
		lines = append(lines, safe.Line(name)+": "+safe.Line(value))
	}
	t.add(header, lines...)
	return true
}

// binary reports whether a body is better looked at as bytes.
func binary(body []byte) bool {
	head := body[:min(len(body), 8<<10)]
	if bytes.IndexByte(head, 0) >= 0 {
		return true
	}
	bad := 0
	for b := head; len(b) > 0; {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			bad++
		}
		b = b[n:]
	}
	return bad > len(head)/10
}

func (m making) headText(t *text) {
	r := &m.row
	t.add(words, safe.Line(r.Method+" "+string(r.Target)+" "+r.Proto))
	m.addHeaders(t, r.Headers)
	if q := r.RawQuery(); q != "" {
		t.add(faint, "", "query, decoded")
		if !addPairs(t, q) {
			t.add(words, safe.Line(q))
		}
	}
	if len(r.Trailers) > 0 {
		t.add(faint, "", "trailers")
		m.addHeaders(t, r.Trailers)
	}
	t.add(faint, "", "event")
	if r.Parsed {
		t.add(faint, "received over HTTP/2: case and order of the names above are not the sender's")
	}
	about := [][2]string{{"id", string(r.ID)}, {"app", r.App}, {"type", r.Type}, {"source", r.Source}, {"origin", string(r.Origin)},
		{"copy of", string(r.Parent)}, {"claimed by", string(r.Claimed)}, {"received", r.Received.Local().Format(time.RFC3339Nano)}, {"from", r.Remote}, {"provider", r.Provider},
		{"provider's id", r.ProviderID}, {"signature", strings.TrimSpace(string(r.Signature.Verdict) + " " + r.Signature.Scheme)},
		{"signature's cause", strings.Trim(string(r.Signature.Cause)+": "+r.Signature.Detail, ": ")}, {"secret", r.Signature.Secret},
		{"schema", conformity(r.Conforms)},
		{"size", comma(r.Size) + " B"}, {"sha256", fmt.Sprintf("%x", r.SHA256[:])}}
	for _, a := range about {
		if a[1] != "" {
			t.add(header, a[0]+": "+safe.Line(a[1]))
		}
	}
	for _, k := range sorted(r.Metadata) {
		t.add(header, "metadata "+safe.Line(k)+": "+safe.Line(r.Metadata[k]))
	}
}

// conformity is how an event compares with the event types of its app, in a
// line.
func conformity(c *capture.Conformity) string {
	if c == nil {
		return ""
	}
	return strings.TrimSpace(strings.Join(append([]string{string(c.Verdict) + " " + c.Type}, c.Problems...), "; "))
}

func (m making) addHeaders(t *text, hs capture.Headers) {
	for _, h := range hs {
		value := h[1]
		if !m.secrets {
			value = h.Masked()
		}
		t.add(header, safe.Line(h[0])+": "+safe.Line(value))
	}
}

// sentText is what went over the wire to the endpoint. The body is the
// event's own unless it says otherwise.
func (m making) sentText(t *text) {
	a := m.attempt
	if a == nil {
		t.add(faint, "nothing has been sent")
		return
	}
	t.add(header, "sent to: "+safe.Line(a.URL))
	switch r := a.Request; {
	case a.Status == capture.AttemptPending:
		t.add(faint, "waiting "+due(a))
	case r == nil:
		t.add(faint, "", "nothing went over the wire")
	default:
		t.add(words, "", safe.Line(r.Method+" "+string(r.Target)+" HTTP/1.1"))
		m.addHeaders(t, r.Headers)
		t.add(words, "")
		if len(r.Made) == 0 {
			t.add(faint, fmt.Sprintf("the event's body, %s", size(m.row.Size)))
			return
		}
		addWhole(t, min(m.mode, raw), r.Headers.First("Content-Type"), []byte(r.Made))
	}
}

// addWhole adds a body below other lines: what is not text as its beginning
// in bytes.
func addWhole(t *text, m mode, contentType string, body []byte) {
	below := &text{}
	addBody(below, m, contentType, body)
	if below.hex != nil {
		below.add(words, safe.Hex(below.hex, 0, 4096)...)
	}
	t.lines = append(t.lines, below.lines...)
}

func (m making) responseText(t *text) {
	a := m.attempt
	if a == nil {
		t.add(faint, "nothing has been sent")
		return
	}
	t.add(header, "sent to: "+safe.Line(a.URL))
	if a.Status == capture.AttemptPending {
		t.add(faint, "waiting "+due(a))
		return
	}
	t.add(header, "took: "+timing(a))
	t.add(header, "asked by: "+safe.Line(cause(a)))
	if a.As != "" {
		t.add(header, "sent as: "+safe.Line(string(a.As))+", "+meaning[a.As])
	}
	if a.Rule != "" {
		t.add(header, "answered by: rule "+safe.Line(strings.TrimSpace(m.rules[a.Rule]+" "+string(a.Rule))))
	}
	if a.Answers {
		t.add(header, "answered the sender: who sent the webhook waited for this response, and got it")
	}
	if a.Error != nil {
		t.add(wrong, safe.Line(a.Error.Class+": "+a.Error.Message))
	}
	r := a.Response
	if r == nil {
		t.add(faint, "", "no response came")
		return
	}
	t.add(words, "", safe.Line(fmt.Sprintf("%s %d", r.Proto, r.Status)))
	m.addHeaders(t, r.Headers)
	t.add(words, "")
	if len(r.Body) == 0 {
		t.add(faint, "no body")
	} else {
		addWhole(t, min(m.mode, raw), r.Headers.First("Content-Type"), r.Body)
	}
	if r.Truncated {
		t.add(wrong, fmt.Sprintf("… cut off: the first %s were kept", size(int64(len(r.Body)))))
	}
}
