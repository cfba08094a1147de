package tui

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/store"
)

// one opens the inspector on a single event.
func one(t *testing.T, c *capture.Change, w, h int) (*driver, *store.Store) {
	t.Helper()
	s := memory(t)
	if err := s.Keep(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	d := start(t, s, w, h)
	d.press("enter")
	return d, s
}

func event(contentType string) *capture.Event {
	e := numbered(1).Event
	e.Headers = capture.Headers{{"Content-Type", contentType}}
	return e
}

func TestBodies(t *testing.T) {
	for _, c := range []struct {
		name, kind, body string
		want             []string
	}{
		{"json", "text/plain", `{"a":[1,true,null],"b":"c"}`, []string{`    2   "a": [`, `    4     true,`}},
		{"form", "application/x-www-form-urlencoded; charset=utf-8", "a=1&payload=%7B%22b%22%7D&b+c=d+e", []string{"    1 a: 1", `payload: {"b"}`, "b c: d e"}},
		{"no form", "application/x-www-form-urlencoded", "a=%zz", []string{"    1 a=%zz"}},
		{"text", "text/plain", "one\r\n\ttwo\x1b[2Jthree\u202e", []string{"    1 one␍", "        two␛[2Jthree�"}},
		{"binary", "", "\x00\x01\x02hello", []string{"00000000  00 01 02 68 65 6c 6c 6f", "|...hello|"}},
		{"empty", "", "", []string{"no body"}},
		{"json nested so deep that it would take up gigabytes indented", "", strings.Repeat("[", 9000) + strings.Repeat("1,", 90_000) + "1" + strings.Repeat("]", 9000), []string{"    1 [[[[[["}},
		{"json whose strings look nested deep", "", `["\"` + strings.Repeat("[", 9000) + `",["\\",1]]`, []string{`    2   "\"[[[`}},
		{"long", "text/plain", strings.Repeat("0123456789", 30), []string{"    1 0123456789", "      4567890123456789"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := one(t, withBody(event(c.kind), []byte(c.body)), 80, 24)
			d.want(c.want...)
		})
	}
}

func TestHeadersAsReceived(t *testing.T) {
	e := event("application/json")
	e.Headers = capture.Headers{{"x-b", "1"}, {"X-A", "2"}, {"X-B", "3"}, {"Authorization", "Bearer sk_1"}, {"Cookie", "s=1"}, {"X-Gitlab-Token", "t1"}, {"X-Hub-Signature-256", "sha256=1"}}
	d, _ := one(t, withBody(e, nil), 80, 24)
	d.press("]")
	d.want("x-b: 1\n X-A: 2\n X-B: 3\n Authorization: Bearer ••••••••\n Cookie: ••••••••\n X-Gitlab-Token: ••••••••\n X-Hub-Signature-256: sha256=1")
	d.want("query, decoded\n x: 1\n y: hello there")
	d.press("S")
	d.want("Bearer sk_1", "s=1", "t1")
	d.press("S")
	d.wantNot("sk_1")
}

func TestAttemptAppears(t *testing.T) {
	c := numbered(1)
	d, s := one(t, c, 80, 24)
	d.press("[")
	d.want("[Attempts 1]", "✓ ok", `"received": true`, "Set-Cookie: ••••••••")
	if err := s.Keep(t.Context(), &capture.Change{Attempts: []*capture.Attempt{pendingReplay(c.Event.ID, 1, "")}}); err != nil {
		t.Fatal(err)
	}
	d.changed()
	d.want("[Attempts 2]", "… pending")
	d.finish(c.Event.ID, 1)
	d.want("✗ refused", "connection refused", "no response came")
	d.press("k")
	d.want("response to attempt 1", `"received": true`)
	d.changed()
	d.want(`"received": true`) // the one chosen stays chosen
	d.press("j")
	d.want("no response came")
}

func TestTruncatedResponse(t *testing.T) {
	d, _ := one(t, numbered(2), 80, 24)
	d.press("]", "]")
	d.want("HTTP/1.1 503", "upstream warming up", "… cut off: the first 19 B were kept")
}

func TestRefusedStub(t *testing.T) {
	e := event("text/plain")
	e.Refused = &capture.Refusal{Status: 413, Limit: "body", Max: 1000, Got: 5000}
	s := memory(t)
	if err := s.Keep(t.Context(), &capture.Change{Event: e}); err != nil {
		t.Fatal(err)
	}
	d := start(t, s, 80, 24)
	d.want("! REFUSED  413")
	d.press("enter")
	d.want("refused with 413: body is 5,000, the limit is 1,000")
}

func TestSearchInBody(t *testing.T) {
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "line %d needle%d\n", i, i%50)
	}
	d, _ := one(t, withBody(event("text/plain"), []byte(b.String())), 80, 24)
	d.press("/", "NEEDLE49")
	d.want("no match") // an upper case letter means it
	d.press("ctrl+u", "needle49")
	d.want("match 1/4", "line 49 needle49")
	d.press("enter", "n")
	d.want("match 2/4", "line 99 needle49")
	d.press("N", "N")
	d.want("match 4/4", "line 199 needle49")
	d.press("esc")
	d.want("line 199")
	d.wantNot("match")
	d.press("g")
	d.want("    1 line 0")
}

func TestSearchInBytes(t *testing.T) {
	d, _ := one(t, withBody(event(""), append(make([]byte, 4000), "needle"...)), 80, 24)
	d.press("/needle") // no key of it may be taken for a command
	d.want("match 1/1", "|needle|")
}

func TestNextEventKeepsTheTab(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 20)
	d := start(t, s, 80, 24)
	d.press("g", "enter", "]", "J")
	d.want(string(number(capture.EventID, 1)), "[Headers 6]")
	d.press("K")
	d.want(string(number(capture.EventID, 0)), "[Headers 6]")
}

// TestLateAnswers: what is read for an event that is no longer shown is not
// shown for the next one.
func TestLateAnswers(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 20)
	d := start(t, s, 160, 45)
	e := d.views[0].stack[0].(*events)
	d.press("k")
	late := e.inspect.fetch()
	d.press("k")
	for _, m := range results(late) {
		d.send(m)
	}
	d.want(`"id": "evt_17"`)
	d.wantNot(`"id": "evt_18"`)

	text := e.inspect.remake() // is made while the next event is read
	_, next := d.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("k")})
	for _, m := range results(text) {
		d.send(m)
	}
	d.wantNot(`"id": "evt_17"`)
	for _, m := range results(next) {
		d.send(m)
	}
	d.want(`"id": "evt_16"`)
	d.send(answer{99, looked{}})
}

func TestLargeBody(t *testing.T) {
	body := []byte(`{"text":"` + strings.Repeat("0123456789", 200_000) + `","list":[` + strings.Repeat("1,", 500_000) + `2]}`)
	s := memory(t)
	if err := s.Keep(t.Context(), withBody(event("application/json"), body)); err != nil {
		t.Fatal(err)
	}
	d := start(t, s, 160, 45)
	d.press("enter")
	d.want(`    2   "text": "0123456789`, "line ")
	for _, w := range []string{"w", "w"} { // folded and not
		d.press(w, "g", "k")
		began := time.Now()
		d.press("G", "k", "k", "pgup")
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("four keys took %v", took)
		}
	}
	d.press("G")
	d.want("500002")
}

func TestCopy(t *testing.T) {
	for _, c := range []struct {
		key, said string
		want      string
	}{
		{"y", "sent body, 112 B to the terminal (OSC 52)", string(numbered(1).Body)},
		{"i", "sent id, 30 B to the terminal (OSC 52)", string(number(capture.EventID, 1))},
		{"u", "sent url", "http://localhost:3000/in/stripe?x=1"},
		{"h", "1 secret header hidden", "content-type: application/json\nX-Multi: a\nAuthorization: Bearer ••••••••\nx-multi: b\nStripe-Signature: t=1,v1=abc\nEvil: a\x1b[31mred\n"},
		{"c", "1 secret header left out", ""},
	} {
		t.Run(c.key, func(t *testing.T) {
			file, err := os.CreateTemp(t.TempDir(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			d, _ := one(t, numbered(1), 120, 24)
			d.term.out.File = file
			d.press("y", c.key)
			d.want(c.said)
			sent, err := os.ReadFile(file.Name())
			if err != nil {
				t.Fatal(err)
			}
			sequence, ok := bytes.CutPrefix(bytes.TrimSuffix(sent, []byte("\a")), []byte("\x1b]52;c;"))
			text, err := base64.StdEncoding.DecodeString(string(sequence))
			if !ok || err != nil {
				t.Fatalf("%v: sent %q", err, sent)
			}
			if c.want != "" && string(text) != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
			if strings.Contains(string(text), "sk_live") {
				t.Errorf("a secret in %q", text)
			}
		})
	}
}

func TestCopyTooBig(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	body := bytes.Repeat([]byte("x"), 60_000)
	d, _ := one(t, withBody(event("text/plain"), body), 160, 24)
	d.press("y", "b")
	d.want("too big to copy: body, 58.6 KiB, saved to ")
	_, name, _ := strings.Cut(d.note.text, "saved to ")
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes, %v in %s", len(got), err, name)
	}
}

// damaged is a source whose bodies are.
type damaged struct{ Source }

func (damaged) Body(context.Context, capture.ID) ([]byte, error) {
	return nil, fmt.Errorf("store: body of evt_1: %w", capture.ErrDamaged)
}

func TestDamagedBody(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 3)
	d := start(t, s, 80, 24, func(o *Options) { o.Source = damaged{s} })
	d.want("body damaged on disk")
	d.press("enter")
	d.want("store: body of evt_1: body damaged on disk", "[Body]")
	d.press("esc", "y", "b")
	d.want("body damaged on disk")
}

// The attempt that answered the sender is told from the others, and who an
// event is for, and that it was a provider's question.
func TestAnsweredIsShown(t *testing.T) {
	s := memory(t)
	c := numbered(0)
	c.Event.Claimed, c.Event.Metadata = number(capture.ListenerID, 3), map[string]string{"challenge": "slack"}
	c.Attempts[0].Answers = true
	failed := numbered(2)
	failed.Attempts[0].Answers = true
	if err := s.Keep(t.Context(), c, failed); err != nil {
		t.Fatal(err)
	}
	for _, size := range [][2]int{{80, 24}, {160, 45}} {
		name := fmt.Sprintf("answered_%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			d := start(t, s, size[0], size[1])
			d.press("k", "enter", "[")
			d.want("✓ answered", "answered the sender: ", "claimed", "challenge: slack")
			d.golden(name)
			d.press("[", "[", "[", "G")
			d.want("claimed by: lsn_", "metadata challenge: slack")
			d.press("J", "]", "]", "]")
			d.want("✗ answered")
		})
	}
}
