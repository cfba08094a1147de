package tui

import (
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/muesli/termenv"
)

// terminal is what is known of the terminal, from the environment: it is
// never asked, for it might not answer.
type terminal struct {
	out     *output
	getenv  func(string) string
	profile termenv.Profile
	ascii   bool // draw no character beyond ASCII
	ssh     bool
}

// Color says whether to use colour.
type Color string

// The values of Color; "" is ColorAuto.
const (
	ColorAuto Color = "auto" // unless NO_COLOR is set or the terminal has none
	ColorOn   Color = "on"   // at least the sixteen of every terminal
	ColorOff  Color = "off"
)

func newTerminal(out *os.File, c Color, ascii bool) *terminal {
	t := &terminal{out: &output{File: out}, getenv: os.Getenv, profile: termenv.NewOutput(out).EnvColorProfile()}
	t.ascii = ascii || !unicodeLocale(t.getenv)
	t.ssh = t.getenv("SSH_TTY") != "" || t.getenv("SSH_CONNECTION") != ""
	switch {
	case c == ColorOff:
		t.profile = termenv.Ascii
	case c == ColorOn && t.profile == termenv.Ascii:
		t.profile = termenv.ANSI
	}
	return t
}

// unicodeLocale reports whether the terminal's locale has more than ASCII.
// One that is not set at all says nothing, and is taken to.
func unicodeLocale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return true
}

// dark reports whether the background is dark: COLORFGBG, which some
// terminals set, ends in its number among the sixteen colours.
func (t *terminal) dark() bool {
	v := t.getenv("COLORFGBG")
	n, err := strconv.Atoi(v[strings.LastIndexByte(v, ';')+1:])
	return err != nil || n < 7 || n == 8
}

// can reports whether the terminal has the colours of a theme.
func (t *terminal) can(th *theme) bool {
	switch t.profile {
	case termenv.Ascii:
		return th.name == "mono"
	case termenv.ANSI:
		return th.name == "ansi" || th.name == "mono"
	}
	return true
}

// theme is the named theme if the terminal can show it, auto being dark or
// light as the background is. Else it is the terminal's own colours, and mono
// where it has none.
func (t *terminal) theme(name string) *theme {
	if name == "auto" {
		name = map[bool]string{true: "dark", false: "light"}[t.dark()]
	}
	if th := themeNamed(name); t.can(th) {
		return th
	}
	if t.profile == termenv.Ascii {
		return themeNamed("mono")
	}
	return themeNamed("ansi")
}

// after is the theme T goes to.
func (t *terminal) after(th *theme) *theme {
	for i := range themes {
		if themes[i].name != th.name {
			continue
		}
		for n := 1; n <= len(themes); n++ {
			if next := &themes[(i+n)%len(themes)]; t.can(next) {
				return next
			}
		}
	}
	return th
}

// output is the terminal's file with its writes one after another, so that
// what is sent between frames does not end up inside one.
type output struct {
	*os.File
	mu sync.Mutex // held during a write
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.File.Write(b)
}

// WriteString is there because os.File's would go round Write.
func (o *output) WriteString(s string) (int, error) { return o.Write([]byte(s)) }
