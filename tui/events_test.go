package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
)

// rows are the lines of the list, from its titles to its preview.
func (d *driver) rows() string {
	lines := strings.Split(d.frame(), "\n")
	return strings.ReplaceAll(strings.Join(lines[3:18], "\n"), ">", " ")
}

func TestFollow(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 100)
	d := start(t, s, 80, 24)
	d.want("FOLLOW ●", ">   12:01:39")

	keep(t, s, 100, 105)
	d.changed()
	d.want("FOLLOW ●", ">   12:01:44", "105 events")

	d.press("k")
	d.want("PAUSED ‖", ">   12:01:43")
	before := d.rows()
	keep(t, s, 105, 125)
	d.changed()
	d.want("PAUSED ‖ 20 new")
	if after := d.rows(); after != before {
		t.Errorf("rows moved while paused: got\n%s\nwant\n%s", after, before)
	}

	d.press("G")
	d.want("FOLLOW ●", ">   12:02:04")
	for _, pauses := range []string{"k", "up", "g", "pgup", "ctrl+u", "enter", "F"} {
		d.press("G", pauses, "esc")
		d.want("PAUSED ‖")
	}
	d.press("F")
	d.want("FOLLOW ●")
	d.press("k", "j")
	d.want("PAUSED ‖")
	d.press("j") // past the newest
	d.want("FOLLOW ●")
}

func TestWindowReachesEveryEvent(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 1000)
	d := start(t, s, 80, 24)
	d.press("g")
	d.want(">   12:00:00")
	for i := 1; i < 1000; i++ {
		d.press("j")
		if e := d.views[0].stack[0].(*events); e.list.cursor != e.list.selected().Seq || e.list.selected().ID != number(capture.EventID, i) {
			t.Fatalf("after %d times down: event %s, want %s", i, e.list.selected().ID, number(capture.EventID, i))
		}
	}
	for i := 998; i >= 0; i-- {
		d.press("k")
		if e := d.views[0].stack[0].(*events); e.list.selected().ID != number(capture.EventID, i) {
			t.Fatalf("back at %d: event %s", i, e.list.selected().ID)
		}
	}
	if n := len(d.views[0].stack[0].(*events).list.rows); n > 100 {
		t.Errorf("%d rows are held, want a few screens", n)
	}
}

// TestOwedMoves: keys that come faster than rows can be read are not lost.
func TestOwedMoves(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 1000)
	d := start(t, s, 80, 24)
	d.press("g" + strings.Repeat("j", 200)) // one read
	d.want(">   12:03:20")
	d.press(strings.Repeat("k", 150))
	d.want(">   12:00:50")
}

func TestSelectedIsDeletedElsewhere(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 50)
	d := start(t, s, 80, 24)
	d.press("k", "k")
	d.want(">   12:00:47")
	if err := s.Remove(t.Context(), number(capture.EventID, 47), number(capture.EventID, 46)); err != nil {
		t.Fatal(err)
	}
	d.changed()
	d.want(">   12:00:47 shopify    POST  (deleted)")
	d.wantNot("12:00:46")
	d.press("k")
	d.want(">   12:00:45")
	d.wantNot("12:00:47")
}

func TestFilter(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 100)
	d := start(t, s, 80, 24)
	d.press("/", "type:ping*")
	d.want("/ type:ping*", "ok: 1 term", "PAUSED", "ping 🚀")
	d.wantNot("invoice.paid", "charge")

	d.press(" (")
	d.want("bad: ", "ping 🚀")
	d.wantNot("invoice.paid")
	d.press("ctrl+u", "status:5z")
	d.want("bad: status:5z — did you mean status:5xx?")
	d.press("ctrl+u", "type:ping*", "enter")
	d.want("/ type:ping*", "ok: 1 term")

	keep(t, s, 100, 112) // 100 and 106 are pings
	d.changed()
	d.want("PAUSED ‖ 2 new")
	d.press("esc")
	d.want("invoice.paid")
	d.wantNot("/ type:ping*")

	d.press("/", "q q?")
	d.want("/ q q?", "no event matches")
	d.press("ctrl+c")
	d.wantNot("QUIT", "no event matches")
}

// slow is a source that finds nothing for a filter but by looking at all.
type slow struct{ Source }

func (s slow) Events(ctx context.Context, q capture.Query) (capture.Page, error) {
	if q.Filter == "" {
		return s.Source.Events(ctx, q)
	}
	if q.Scan == 0 {
		return capture.Page{}, errors.New("a search without a bound")
	}
	from := or(q.Cursor, 501)
	if from <= 200 { // never comes
		<-ctx.Done()
		return capture.Page{}, ctx.Err()
	}
	return capture.Page{Next: from - 100}, ctx.Err()
}

func TestSearchTellsAndStops(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 300)
	d := start(t, s, 80, 24, func(o *Options) { o.Source = slow{s} })
	d.press("/")
	_, cmd := d.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("z")})
	for d.views[0].stack[0].(*events).list.older != 201 {
		msgs := results(cmd)
		var next []tea.Cmd
		for _, m := range msgs {
			_, c := d.Update(m)
			next = append(next, c)
		}
		cmd = tea.Batch(next...)
	}
	d.want("no match so far", "searched back to 12:", "(esc stops)")
	late := make(chan []tea.Msg)
	go func() { late <- results(cmd) }()
	d.press("enter")
	d.Update(tea.KeyMsg{Type: tea.KeyEsc})
	for _, m := range <-late {
		d.send(m)
	}
	d.want("stopped, searched back to 12:")
	d.wantNot("esc stops")
}

func TestNextFailed(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 500)
	d := start(t, s, 80, 24)
	d.press("g", "}")
	d.want(">   12:00:02")
	d.press("}")
	d.want(">   12:00:16")
	d.press("{", "{")
	d.want("no older event failed", ">   12:00:02")
	d.press("G", "{")
	d.want(">   12:08:12")
}

func TestKeysTypedAtOnce(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 50)
	d := start(t, s, 80, 24)
	d.press("g", "jjjjj")
	d.want(">   12:00:05")
	d.press("/invoice")
	d.want("/ invoice")
	d.press("esc", "Rrrx") // no letter of a URL may be taken for a command
	d.want("replay to http://localhost:3000rrx")
	d.press("esc", "yi")
	d.want("id not copied")
	if len(d.sent) != 0 {
		t.Errorf("sent %v", d.sent)
	}
}

func TestPasteIsText(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 50)
	d := start(t, s, 80, 24)
	before := d.frame()
	paste := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("qqq\rx"), Paste: true}
	d.send(paste)
	if after := d.frame(); after != before {
		t.Errorf("a paste changed the list:\n%s", after)
	}
	d.press("x")
	d.send(paste)
	d.want("delete evt_")
	d.press("n", "/")
	d.send(paste)
	d.want("/ qqq x")
}

func TestReplay(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 50)
	d := start(t, s, 80, 24)
	d.press("r")
	id := number(capture.EventID, 49)
	d.want("replaying " + string(id) + " → http://localhost:3000")
	if len(d.sent) != 1 || d.sent[0].To != "" {
		t.Errorf("sent %+v, want one without a target", d.sent)
	}
	d.changed()
	d.want("… PEND")
	d.finish(id, 1)
	d.want("✗ refused: connection refused (2.0ms, "+string(id), "✗ FAIL")

	d.press("R")
	d.want("replay to http://localhost:3000")
	d.press("/other", "enter")
	if len(d.sent) != 2 || d.sent[1].To != "http://localhost:3000/other" {
		t.Errorf("sent %+v, want the second to /other", d.sent)
	}
	d.press("R", "ctrl+u", "ftp://x", "enter")
	d.want("not sent")

	d.press(" ", "k", " ", "k", " ", "r")
	d.want("replay 3 events → http://localhost:3000? y yes  n no")
	d.press("n")
	d.want("nothing done")
	if len(d.sent) != 2 {
		t.Errorf("n sent %d", len(d.sent)-2)
	}
	d.press("r", "enter") // enter alone is no yes
	d.press("r", "y")
	if len(d.sent) != 5 {
		t.Errorf("y sent %d, want 3", len(d.sent)-2)
	}
}

func TestWhyNot(t *testing.T) {
	s := memory(t)
	d := start(t, s, 80, 24)
	d.press("r")
	d.want("no event is selected")
	keep(t, s, 0, 5)
	d = start(t, s, 80, 24, func(o *Options) { o.Resend, o.Remove, o.Pin = nil, nil, nil })
	d.wantNot("replay")
	d.press("r")
	d.want("cannot replay here")
	d.press("x")
	d.want("cannot delete here")
	d.press("?", "replay")
	d.want("not now: cannot replay here")
}

func TestDelete(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 50)
	d := start(t, s, 80, 24)
	d.press("k", "x")
	d.want("delete " + string(number(capture.EventID, 48)))
	d.press("n")
	d.want("12:00:48", "nothing done")
	d.press("x", "y")
	d.want("deleted 1 event", ">   12:00:49", "49 events")
	d.wantNot("12:00:48")
	if _, err := s.Event(t.Context(), number(capture.EventID, 48)); !errors.Is(err, capture.ErrNotFound) {
		t.Errorf("deleted event: %v", err)
	}
	d.press("m")
	d.want(">m  12:00:49")
	d.press("x", "y")
	d.want("not deleted", "12:00:49")
}

func TestSourceIsDown(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 50)
	var broken error
	d := start(t, s, 120, 24, func(o *Options) { o.Source = breaks{s, &broken} })
	broken = errors.New("dial tcp: connection refused")
	d.changed()
	d.want("DOWN ✗ dial tcp: connection refused")
	d.press("k", "k")
	d.want(">   12:00:47")
	broken = nil
	d.changed()
	d.wantNot("DOWN")
}

type breaks struct {
	Source
	err *error
}

func (b breaks) Events(ctx context.Context, q capture.Query) (capture.Page, error) {
	if *b.err != nil {
		return capture.Page{}, *b.err
	}
	return b.Source.Events(ctx, q)
}

func TestState(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 500)
	name := filepath.Join(t.TempDir(), "state.json")
	d := start(t, s, 80, 24)
	d.press("/", "type:ping*", "enter", "g", "j", "j", "T")
	selected := d.views[0].stack[0].(*events).list.selected().ID
	if err := d.save(name); err != nil {
		t.Fatal(err)
	}
	d = start(t, s, 80, 24)
	if err := d.restore(name); err != nil {
		t.Fatal(err)
	}
	d.changed()
	d.want("/ type:ping*", "PAUSED")
	if got := d.views[0].stack[0].(*events).list.selected().ID; got != selected || d.theme.name != "dark" {
		t.Errorf("restored %s in theme %s, want %s in dark", got, d.theme.name, selected)
	}
}

func TestEverySize(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 120)
	d := start(t, s, 1, 1)
	scenes := [][]string{{}, {"enter"}, {"]"}, {"]"}, {"]"}, {"?"}, {"esc", "2"}, {"1", "/", "ping"}, {"esc", "x"}}
	for _, keys := range scenes {
		d.size(80, 24)
		d.press(keys...)
		for w := 1; w <= 200; w += 13 {
			for h := 1; h <= 60; h += 7 {
				d.Update(tea.WindowSizeMsg{Width: w, Height: h})
				if err := fits(d.View(), w, h); err != nil {
					t.Fatalf("%v at %dx%d: %v", keys, w, h, err)
				}
			}
		}
	}
	d.size(30, 5)
	d.want("window too small")
	d.size(39, 7)
	d.want("window too small: 39x7, need 40x8")
}

func TestNoColor(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 20)
	d := start(t, s, 120, 30)
	d.term.profile = 3 // termenv.Ascii
	d.theme = d.term.theme("")
	d.press("k", "enter", "T")
	for _, part := range strings.Split(d.View(), "\x1b[")[1:] {
		code, _, _ := strings.Cut(part, "m")
		for _, p := range strings.Split(code, ";") {
			if len(p) > 1 {
				t.Errorf("SGR %q without colours", code)
			}
		}
	}
}

func TestASCII(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 20)
	d := start(t, s, 120, 30)
	d.term.ascii = true
	d.press("k")
	for i := 0; i < len(d.View()); i++ {
		if d.View()[i] >= 0x80 {
			t.Fatalf("a byte beyond ASCII in %q", d.View())
		}
	}
	d.want("+ OK", "x FAIL", "PAUSED =")
}

func TestThemesAreComplete(t *testing.T) {
	d := start(t, memory(t), 80, 24)
	seen := map[string]bool{}
	for range themes {
		d.press("T")
		seen[d.theme.name] = true
	}
	if len(seen) != len(themes) {
		t.Errorf("T came by %d themes of %d", len(seen), len(themes))
	}
}

// TestKeyTable: every key does one thing in a place, and says what.
func TestKeyTable(t *testing.T) {
	for i := range len(places) - 1 {
		at := place(1 << i)
		does := map[string]action{}
		for _, c := range reachable(keyTable(), at) {
			if c.Help().Desc == "" || c.Help().Key == "" {
				t.Errorf("%s says nothing", c.action)
			}
			for _, k := range c.Keys() {
				if other := does[k]; other != "" && other != c.action {
					t.Errorf("%s is %s and %s in place %d", k, other, c.action, at)
				}
				does[k] = c.action
			}
		}
	}
	table := keyTable()
	rebind(table, map[string][]string{"replay": {"ctrl+r"}})
	if c, ok := press(table, tea.KeyMsg{Type: tea.KeyCtrlR}, inList); !ok || c.action != replay || c.Help().Key != "ctrl+r" {
		t.Errorf("ctrl+r is %v", c)
	}
	if _, ok := press(table, tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("r")}, inList); ok {
		t.Error("r is still bound")
	}
}

// TestKeysDocument keeps docs/keys.md what the key table says.
func TestKeysDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Keys\n\nMade from the key table of the interface, which `?` shows for where you are.\n\n| where | key | does |\n|---|---|---|\n")
	for _, k := range Keys() {
		keys := "`" + strings.Join(k.Keys, "` `") + "`"
		fmt.Fprintf(&b, "| %s | %s | %s |\n", strings.Join(k.Where, ", "), keys, k.Does)
	}
	const name = "../docs/keys.md"
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil || string(got) != b.String() {
		t.Errorf("%s is not what the key table says, go test ./tui -run KeysDocument -update writes it anew: %v", name, err)
	}
}

func TestHelpRuns(t *testing.T) {
	s := memory(t)
	keep(t, s, 0, 50)
	d := start(t, s, 80, 24)
	d.press("?", "oldest", "enter")
	d.want(">   12:00:00")
	d.press(":", "theme", "enter")
	d.want("theme dark")
	d.press("?", "qx", "esc")
	d.wantNot("QUIT", "Help")
	d.press("q")
	d.want("QUIT")
}

// single is a source of one event.
type single struct {
	row     capture.Row
	body    []byte
	attempt capture.Attempt
}

func (s single) Events(_ context.Context, q capture.Query) (capture.Page, error) {
	if q.Cursor != 0 {
		return capture.Page{}, nil
	}
	return capture.Page{Rows: []capture.Row{s.row}}, nil
}
func (s single) Event(context.Context, capture.ID) (capture.Row, error) { return s.row, nil }
func (s single) Body(context.Context, capture.ID) ([]byte, error)       { return s.body, nil }
func (s single) Attempts(context.Context, capture.AttemptQuery) ([]capture.Attempt, error) {
	return []capture.Attempt{s.attempt}, nil
}
func (s single) Attempt(context.Context, capture.ID) (capture.Attempt, error) { return s.attempt, nil }

// FuzzFrame: whatever is sent, the frame fits and holds nothing but text and
// colours.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("{\"a\":\"\x1b[2J\x07\"}"), "X-Evil\x1b]0;pwn\x07", "type\u202e\u0301", uint8(80), uint8(24), uint8(0))
	f.Add([]byte("\x00\x9b支付 👍🏽 ❤️\r\n\t"), "a\nb", "नमस्ते", uint8(160), uint8(45), uint8(3))
	f.Add([]byte("a=%zz&b=1"), "", "", uint8(1), uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, body []byte, head, typ string, w, h, keys uint8) {
		s := single{body: body}
		s.row.Event = capture.Event{ID: capture.ID(head), Seq: 1, App: typ, Type: typ, Origin: capture.Ingress, Received: noon, Method: head, Target: capture.Raw("/" + head + "?" + string(body)),
			Headers: capture.Headers{{head, string(body)}, {"Content-Type", typ}}, Provider: typ, Remote: head, Metadata: map[string]string{head: typ},
			Size: int64(len(body)), Signature: capture.Signature{Verdict: capture.Verdict(typ), Scheme: head}}
		s.row.Outcome = capture.Outcome{State: capture.State(typ), Error: head, Tries: int(w)}
		s.attempt = *pendingReplay(s.row.ID, 1, head)
		s.attempt.Status, s.attempt.Error = capture.AttemptFailed, &capture.Failure{Class: head, Message: string(body)}
		s.attempt.Response = &capture.Response{Status: 200, Proto: head, Headers: capture.Headers{{head, typ}}, Body: body}
		d := begin(t, Options{Source: s, Ready: capture.Ready{Ingest: head, Targets: []string{typ}}, Log: func() []string { return []string{head, typ} }}, int(w)%200+1, int(h)%60+1)
		scenes := [][]string{{}, {"enter"}, {"enter", "]"}, {"enter", "]", "]"}, {"enter", "["}, {"enter", "v", "w", "l"}, {"enter", "v", "v"}, {"/", typ}, {"enter", "/", head}, {"x"}, {"r"}, {"2"}, {"y"}, {"?", typ}}
		for _, k := range scenes[int(keys)%len(scenes)] {
			d.press(k)
			if err := fits(d.View(), d.w, d.h); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkKeyToView(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := memory(b)
			keep(b, s, 0, n)
			d := start(b, s, 160, 45)
			d.press("k")
			keys := []string{"k", "k", "pgup", "pgup", "j", "pgdown"}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				d.press(keys[i%len(keys)])
				i++
			}
		})
	}
}

func BenchmarkView(b *testing.B) {
	s := memory(b)
	keep(b, s, 0, 1000)
	d := start(b, s, 160, 45)
	b.ReportAllocs()
	for b.Loop() {
		d.dirty = true
		d.View()
	}
}
