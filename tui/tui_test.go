package tui

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	time.Local = time.UTC
	if os.Getenv("HOOKTAPE_TUI_CHILD") != "" {
		child()
		return
	}
	flag.Parse()
	os.Exit(m.Run())
}

// child is this test binary as the program: an interface on a store of fifty
// events. Its exit code is 0 when Run returned nil.
func child() {
	s, err := store.Open("", store.Options{Memory: true})
	if err == nil {
		var changes []*capture.Change
		for n := range 50 {
			changes = append(changes, numbered(n))
		}
		err = s.Keep(context.Background(), changes...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	o := Options{Source: s, Counts: s.Counts, Watch: s.Watch, Pin: func(context.Context, capture.ID, bool) error { panic("asked to") }}
	if err := Run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// driver is the interface without a terminal: messages go in, commands run
// until none is left, frames come out.
type driver struct {
	*root
	t     testing.TB
	store *store.Store
	sent  []capture.Resend
}

// memory opens an empty store.
func memory(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open("", store.Options{Memory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// start begins on a store, in a window of w by h.
func start(t testing.TB, s *store.Store, w, h int, with ...func(*Options)) *driver {
	t.Helper()
	var d *driver
	o := Options{Source: s, Counts: s.Counts, Pin: s.Pin, Remove: s.Remove,
		Ready: capture.Ready{Ingest: "http://127.0.0.1:4080", Targets: []string{"http://localhost:3000"}},
		Log:   func() []string { return []string{"one", "two \x1b[31m"} },
		Resend: func(ctx context.Context, id capture.ID, r capture.Resend) error {
			d.sent = append(d.sent, r)
			return s.Keep(ctx, &capture.Change{Attempts: []*capture.Attempt{pendingReplay(id, len(d.sent), r.To)}})
		},
	}
	for _, f := range with {
		f(&o)
	}
	d = begin(t, o, w, h)
	d.store = s
	return d
}

// begin begins with options.
func begin(t testing.TB, o Options, w, h int) *driver {
	t.Helper()
	k := newKit(t.Context(), o, &terminal{out: &output{}, getenv: func(string) string { return "" }, profile: termenv.ANSI256})
	k.tick = func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { return nil }
	d := &driver{t: t, root: newRoot(k)}
	d.size(w, h)
	return d
}

func (d *driver) size(w, h int) { d.send(tea.WindowSizeMsg{Width: w, Height: h}) }

// changed is what the feed sends after the store has.
func (d *driver) changed() { d.send(changedMsg{}) }

// send sends a message and what follows from it.
func (d *driver) send(msg tea.Msg) {
	d.t.Helper()
	for queue := []tea.Msg{msg}; len(queue) > 0; queue = queue[1:] {
		if _, quits := queue[0].(tea.QuitMsg); quits {
			d.note, d.dirty = noteMsg{text: "QUIT"}, true
			continue
		}
		_, cmd := d.Update(queue[0])
		queue = append(queue, results(cmd)...)
		d.View()
	}
}

// results runs a command, and those it is made of.
func results(cmd tea.Cmd) []tea.Msg {
	if cmd == nil {
		return nil
	}
	msg := cmd()
	if v := reflect.ValueOf(msg); v.IsValid() && v.Kind() == reflect.Slice && v.Type().Elem() == reflect.TypeFor[tea.Cmd]() {
		var out []tea.Msg
		for i := range v.Len() {
			out = append(out, results(v.Index(i).Interface().(tea.Cmd))...)
		}
		return out
	}
	if msg == nil {
		return nil
	}
	return []tea.Msg{msg}
}

var named = map[string]tea.KeyType{"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "end": tea.KeyEnd,
	"home": tea.KeyHome, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "ctrl+c": tea.KeyCtrlC, "ctrl+u": tea.KeyCtrlU, "ctrl+d": tea.KeyCtrlD, "space": tea.KeySpace,
	"left": tea.KeyLeft, "right": tea.KeyRight}

// press presses keys, named ones or characters.
func (d *driver) press(keys ...string) {
	d.t.Helper()
	for _, k := range keys {
		msg := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
		if typ, ok := named[k]; ok {
			msg = tea.KeyMsg{Type: typ}
			if typ == tea.KeySpace {
				msg.Runes = []rune{' '}
			}
		}
		d.send(msg)
	}
}

// frame is what is on the screen, without colours, after checking that it
// fits it exactly.
func (d *driver) frame() string {
	d.t.Helper()
	if err := fits(d.View(), d.w, d.h); err != nil {
		d.t.Fatal(err)
	}
	lines := strings.Split(ansi.Strip(d.View()), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func (d *driver) want(texts ...string) {
	d.t.Helper()
	for _, text := range texts {
		if !strings.Contains(d.frame(), text) {
			d.t.Errorf("%q is not on the screen:\n%s", text, d.frame())
		}
	}
}

func (d *driver) wantNot(texts ...string) {
	d.t.Helper()
	for _, text := range texts {
		if strings.Contains(d.frame(), text) {
			d.t.Errorf("%q is on the screen:\n%s", text, d.frame())
		}
	}
}

// fits reports what is wrong with a frame for a window of w by h.
func fits(frame string, w, h int) error {
	lines := strings.Split(frame, "\n")
	if len(lines) != h {
		return fmt.Errorf("%d lines in a window of %d:\n%s", len(lines), h, frame)
	}
	for i, l := range lines {
		if n := ansi.StringWidth(l); n > w {
			return fmt.Errorf("line %d is %d wide in a window of %d: %q", i, n, w, l)
		}
		for j := 0; j < len(l); j++ {
			if c := l[j]; c < 0x20 && c != 0x1b || c == 0x7f {
				return fmt.Errorf("line %d has a byte %#x: %q", i, c, l)
			}
		}
		if rest := ansi.Strip(l); strings.ContainsRune(rest, 0x1b) || sgr(l) != l {
			return fmt.Errorf("line %d has a sequence that is no colour: %q", i, l)
		}
	}
	return nil
}

// sgr is s without sequences that are not ESC [ digits and ; m.
func sgr(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != 0x1b {
			b.WriteByte(s[i])
			continue
		}
		j := i + 1
		for j < len(s) && strings.IndexByte("[0123456789;", s[j]) >= 0 {
			j++
		}
		if j < len(s) && s[j] == 'm' {
			b.WriteString(s[i : j+1])
			i = j
		}
	}
	return b.String()
}

// golden compares the screen with a file.
func (d *driver) golden(name string) {
	d.t.Helper()
	file := filepath.Join("testdata", name+".golden")
	got := d.frame() + "\n"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			d.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			d.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		d.t.Fatal(err)
	}
	if got != string(want) {
		d.t.Errorf("%s: got\n%swant\n%s", name, got, want)
	}
}

// The events of the tests.

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func number(prefix string, n int) capture.ID {
	return capture.IDFrom(prefix, [16]byte{1, 0x9b, 7: 1, 14: byte(n >> 8), 15: byte(n)})
}

// numbered is event n with its attempt, differing as real ones do.
func numbered(n int) *capture.Change {
	types := []string{"charge.succeeded", "invoice.paid", "customer.subscription.updated", "支付.成功", "ping 🚀", ""}
	body := fmt.Appendf(nil, `{"id":"evt_%d","amount":%d,"note":"tab\t esc\u001b","data":{"object":{"currency":"eur","live":false,"none":null}}}`, n, n*7)
	e := &capture.Event{ID: number(capture.EventID, n), App: "default", Type: types[n%len(types)], Origin: capture.Ingress,
		Received: noon.Add(time.Duration(n) * time.Second), Method: "POST", Target: "/in/stripe?x=1&y=hello%20there", Proto: "HTTP/1.1", Remote: "127.0.0.1:5555",
		Headers:  capture.Headers{{"content-type", "application/json"}, {"X-Multi", "a"}, {"Authorization", "Bearer sk_live_1"}, {"x-multi", "b"}, {"Stripe-Signature", "t=1,v1=abc"}, {"Evil", "a\x1b[31mred"}},
		Provider: []string{"stripe", "github", "", "shopify"}[n%4], Signature: capture.Signature{Verdict: []capture.Verdict{capture.Valid, capture.Unsigned, capture.Invalid, capture.Unchecked}[n%4]}}
	c := withBody(e, body)
	if n%5 == 4 {
		return c
	}
	a := &capture.Attempt{ID: number(capture.AttemptID, n), Event: e.ID, Endpoint: number(capture.EndpointID, 1), Delivery: number(capture.DeliveryID, n), Number: 1,
		Status: capture.AttemptSucceeded, URL: "http://localhost:3000/in/stripe?x=1", TriggeredBy: capture.BySystem, TriggeredFrom: capture.FromAutomation,
		Started: e.Received.Add(time.Millisecond), Duration: capture.Duration(43 * time.Millisecond), Timing: capture.Timing{Connect: capture.Duration(time.Millisecond), FirstByte: capture.Duration(41 * time.Millisecond)}, Code: 200,
		Response: &capture.Response{Status: 200, Proto: "HTTP/1.1", Headers: capture.Headers{{"Content-Type", "application/json"}, {"Set-Cookie", "s=1"}}, Body: []byte(`{"received":true}`)}}
	if n%7 == 2 {
		a.Status, a.Code, a.Error = capture.AttemptFailed, 503, &capture.Failure{Class: capture.FailStatus, Message: "503 Service Unavailable"}
		a.Response = &capture.Response{Status: 503, Proto: "HTTP/1.1", Body: []byte("upstream warming up"), Truncated: true}
	}
	c.Attempts = []*capture.Attempt{a}
	return c
}

func withBody(e *capture.Event, body []byte) *capture.Change {
	e.Size, e.SHA256 = int64(len(body)), capture.Sum(body)
	return &capture.Change{Event: e, Body: body}
}

// keep keeps numbered events from..to-1.
func keep(t testing.TB, s *store.Store, from, to int) {
	t.Helper()
	for from < to {
		var changes []*capture.Change
		for ; from < to && len(changes) < 500; from++ {
			changes = append(changes, numbered(from))
		}
		if err := s.Keep(t.Context(), changes...); err != nil {
			t.Fatal(err)
		}
	}
}

// pendingReplay is what a replay keeps first.
func pendingReplay(event capture.ID, n int, to string) *capture.Attempt {
	return &capture.Attempt{ID: number(capture.AttemptID, 0x7000+n), Event: event, Endpoint: number(capture.EndpointID, 2), Delivery: number(capture.DeliveryID, 0x7000+n), Number: 1,
		Status: capture.AttemptPending, URL: or(to, "http://localhost:3000"), TriggeredBy: capture.ByUser, TriggeredFrom: capture.FromManual, NotBefore: noon}
}

// finish ends a replay as refused.
func (d *driver) finish(event capture.ID, n int) {
	d.t.Helper()
	a := pendingReplay(event, n, "")
	a.Status, a.Started, a.Duration = capture.AttemptFailed, noon.Add(time.Hour), capture.Duration(2*time.Millisecond)
	a.Error = &capture.Failure{Class: capture.FailRefused, Message: "connection refused"}
	if err := d.store.Keep(d.t.Context(), &capture.Change{Attempts: []*capture.Attempt{a}}); err != nil {
		d.t.Fatal(err)
	}
	d.changed()
}
