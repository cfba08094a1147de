package safe

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// hostile is what a payload may try on whoever looks at it.
var hostile = []struct{ name, in, want string }{
	{"OSC 52 sets the clipboard", "a\x1b]52;c;cm0gLXJm\x07b", "a␛]52;c;cm0gLXJm␇b"},
	{"OSC 0 sets the title", "\x1b]0;pwn\x1b\\", "␛]0;pwn␛\\"},
	{"OSC 8 fakes a link", "\x1b]8;;http://evil\x1b\\bank\x1b]8;;\x1b\\", "␛]8;;http://evil␛\\bank␛]8;;␛\\"},
	{"CSI 2J clears the screen", "\x1b[2J\x1b[H", "␛[2J␛[H"},
	{"cursor report is a question", "\x1b[6n", "␛[6n"},
	{"DECRQSS is a question", "\x1bP$qm\x1b\\", "␛P$qm␛\\"},
	{"C1 CSI as a byte", "\x9b2J", "�2J"},
	{"C1 CSI as UTF-8", "\u009b2J", "�2J"},
	{"OSC whose text has the byte 0x9c", "\x1b]0;\x9cleak\x07", "␛]0;�leak␇"},
	{"bell", "\a", "␇"},
	{"carriage return overwrites", "evil\rgood", "evil␍good"},
	{"backspace overwrites", "rm\b\bls", "rm␈␈ls"},
	{"bidi override", "\u202egpj.exe\u202c", "�gpj.exe�"},
	{"zero-width space and joiner", "pay\u200bpal \u2060x\u200dy", "pay�pal �xy"},
	{"tag characters", "hi\U000e0069\U000e0067", "hi��"},

	{"NUL and DEL", "a\x00b\x7f", "a␀b␡"},
	{"line ends", "a\nb\u2028c\u2029d\u0085e", "a␊b�c�d�e"},
	{"bidi isolates and marks", "\u2066a\u2069\u200f\u061c", "�a���"},
	{"blanks that are letters", "a\u3164b\u115f\uffa0", "a�b��"},
	{"private use, unassigned, noncharacter", "\ue0b0\U0010fffd\u0378\ufffe", "����"},
	{"invalid UTF-8", "\xff\xc0\xafx\xed\xa0\x80\xe4\xb8", "���x�����"},
	{"marks with nothing to stand on", "\u0301\u0302", "�\u0302"},
	{"a tower of marks", "z" + strings.Repeat("\u0301", 500) + "y", "z" + strings.Repeat("\u0301", 6) + "y"},
	{"dropped ones do not hide a tower", "z" + strings.Repeat("\u0301\u200d", 50), "z" + strings.Repeat("\u0301", 6)},
	{"Hangul that takes no cell", "a" + strings.Repeat("\u1161", 50), "a" + strings.Repeat("\u1161", 6)},
	{"shaping characters", "👍🏽 ❤\ufe0f 👨\u200d👩 so\u00adft \ufeffx", "👍 ❤ 👨👩 soft x"},
	{"tab", "a\tb", "a  b"},
	{"ordinary text", "Ünï 日本語 العربية עברית 한국어 नमस्ते ภาษา é 🇩🇪", "Ünï 日本語 العربية עברית 한국어 नमस्ते ภาษา é 🇩🇪"},
}

func TestSafeToLookAt(t *testing.T) {
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			if got := Line(c.in); got != c.want {
				t.Errorf("Line(%+q)\n got %+q\nwant %+q", c.in, got, c.want)
			}
			check(t, []byte(c.in), 7)
		})
	}
}

// check is what holds for any input.
func check(t *testing.T, in []byte, width int) {
	t.Helper()
	line := Line(string(in))
	clean(t, "Line", line)
	if len(line) > 3*len(in) {
		t.Errorf("Line made %d bytes of %d", len(line), len(in))
	}
	if got := LineBytes(in); len(in) <= MaxBytes && got != line {
		t.Errorf("LineBytes %q, Line %q", got, line)
	}
	cut := Cut(string(in), width)
	clean(t, "Cut", cut)
	if got := Width(cut); got > max(width, 0) {
		t.Errorf("Cut(%+q, %d) = %+q, %d cells", in, width, cut, got)
	}
	if cut != line && width > 0 && !strings.HasSuffix(cut, "…") {
		t.Errorf("Cut(%+q, %d) = %+q does not say that it is cut", in, width, cut)
	}
	if whole := Cut(string(in), len(line)); whole != line && len(in) <= 32*len(line) {
		t.Errorf("Cut with room enough: %+q, want %+q", whole, line)
	}
	lines, bytes := Block(in), 0
	for _, l := range lines {
		clean(t, "Block", l)
		bytes += len(l)
	}
	if bytes > 8*len(in) {
		t.Errorf("Block made %d bytes of %d", bytes, len(in))
	}
	for _, l := range Hex(in, 0, 4) {
		clean(t, "Hex", l)
		if !printable(l) || len(l) > 78 {
			t.Errorf("Hex line %q", l)
		}
	}
}

func clean(t *testing.T, by, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("%s: not UTF-8: %+q", by, s)
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) || unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Variation_Selector) {
			t.Errorf("%s: %U in %+q", by, r, s)
		}
	}
	if again := Line(s); again != s {
		t.Errorf("%s: not idempotent: %+q, then %+q", by, s, again)
	}
}

func FuzzSafe(f *testing.F) {
	for _, c := range hostile {
		f.Add([]byte(c.in), 7)
	}
	f.Add([]byte("\ta\t\u0301\r\n\n\t日\tx"), 1)
	f.Fuzz(func(t *testing.T, in []byte, width int) { check(t, in, min(width, 300)) })
}

func TestLineReturnsPrintableASCIIAsItIs(t *testing.T) {
	s := strings.Repeat("GET /hooks?a=1 ~", 100)
	if n := testing.AllocsPerRun(100, func() { Line(s); Width(s); Cut(s, len(s)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLineBytesIsBounded(t *testing.T) {
	long := bytes.Repeat([]byte("日"), MaxBytes) // MaxBytes falls within a character
	want := strings.Repeat("日", MaxBytes/3) + "…"
	if got := LineBytes(long); got != want {
		t.Errorf("got %d bytes ending in %+q", len(got), got[len(got)-9:])
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"push", 4, "push"},
		{"push", 3, "pu…"},
		{"push", 1, "…"},
		{"push", 0, ""},
		{"push", -1, ""},
		{"", 0, ""},
		{"日本語", 6, "日本語"},
		{"日本語", 5, "日本…"},
		{"日本語", 4, "日…"},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
		{"क्क्क्क", 3, "क्क्…"},
		{"a\tb", 3, "a …"},
		{strings.Repeat("\u00ad", 5000) + "x", 4, "…"},
		{strings.Repeat("x", 1<<20), 4, "xxx…"},
	} {
		if got := Cut(c.in, c.width); got != c.want {
			t.Errorf("Cut(%.20q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
}

// The widths are those tmux 3.3a moved its cursor by.
func TestWidth(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "push": 4, "日本語": 6, "한국어": 6, "\u1112\u1161\u11ab": 2, "ᄀᄀᄀ": 6, "नमस्ते": 4, "क्क्क्क": 4, "தமிழ்": 4,
		"ภาษาไทย": 7, "العربية": 7, "é": 1, "🇩🇪": 2, "🇩🇪🇩": 3, "👨‍👩‍👧": 6, "👍🏽": 2, "❤️": 1, "1️⃣": 1, "🏳️‍🌈": 3,
		"\x1b[2J": 4, "\u202e": 1, "a\tb": 4, "\u3000": 2, "ｶﾞ": 2,
	} {
		if got := Width(s); got != want {
			t.Errorf("Width(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestBlock(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"one", "one"},
		{"one\n", "one"},
		{"one\n\n", "one|"},
		{"\n", ""},
		{"a\r\nb\rc", "a␍|b␍c"},
		{"\tx", "        x"},
		{"日\tx\t\ty", "日      x               y"},
		{"a\t\u0301b", "a       \u0301b"},
		{"{\n\t\"a\": \"\x1b[2J\"\n}", "{|        \"a\": \"␛[2J\"|}"},
	} {
		if got := strings.Join(Block([]byte(c.in)), "|"); got != c.want {
			t.Errorf("Block(%q)\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

func TestHex(t *testing.T) {
	b := []byte("{\"id\":1}\x00\x1b[2J\xff日本")
	want := []string{
		"00000000  7b 22 69 64 22 3a 31 7d  00 1b 5b 32 4a ff e6 97  |{\"id\":1}..[2J...|",
		"00000010  a5 e6 9c ac                                       |....|",
	}
	if got := Hex(b, 0, 10); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := Hex(b, 16, 1); len(got) != 1 || got[0] != want[1] {
		t.Errorf("from 16: %q", got)
	}
	for _, c := range [][2]int{{-1, 5}, {len(b), 5}, {0, 0}, {0, -1}} {
		if got := Hex(b, c[0], c[1]); got != nil {
			t.Errorf("Hex(b, %d, %d) = %q, want none", c[0], c[1], got)
		}
	}
}

var (
	ascii = strings.Repeat(`{"id":"evt_1","type":"invoice.paid"},`, 8<<10/37)
	mixed = strings.Repeat("{\"name\":\"日本 Ünï\",\x1b[2J\t}", 8<<10/30)
	sink  string
)

// BenchmarkCopy is the yardstick: what a copy of the same bytes costs.
func BenchmarkCopy(b *testing.B) {
	b.SetBytes(int64(len(ascii)))
	for b.Loop() {
		sink = strings.Clone(ascii)
	}
}

func BenchmarkLineASCII(b *testing.B) {
	b.SetBytes(int64(len(ascii)))
	b.ReportAllocs()
	for b.Loop() {
		sink = Line(ascii)
	}
}

func BenchmarkLineMixed(b *testing.B) {
	b.SetBytes(int64(len(mixed)))
	b.ReportAllocs()
	for b.Loop() {
		sink = Line(mixed)
	}
}

func BenchmarkBlockASCII(b *testing.B) {
	body := []byte(strings.ReplaceAll(ascii, "},", "},\n"))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		sink = Block(body)[0]
	}
}

func BenchmarkCutASCII(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sink = Cut(ascii, 40)
	}
}

func BenchmarkCutMixed(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sink = Cut(mixed, 40)
	}
}
