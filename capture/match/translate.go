package match

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// translator makes an expression of JavaScript's, without flags, one of RE2's
// that means the same. What only one of them knows is refused, not guessed.
// Other than in JavaScript, a character beyond the basic plane is one, not two.
type translator struct {
	in  string
	out strings.Builder
}

type untranslatable string

func (u untranslatable) Error() string { return string(u) }

// In classes: what JavaScript has for white space, and all else.
const (
	spaces    = `\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`
	notSpaces = `\x00-\x08\x0e-\x1f!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}` +
		`\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}`
)

func translate(expr string) (string, error) {
	t := translator{in: expr}
	for t.in != "" {
		if err := t.next(); err != nil {
			return "", err
		}
	}
	return t.out.String(), nil
}

func (t *translator) next() error {
	r, size := utf8.DecodeRuneInString(t.in)
	switch r {
	case '\\':
		return t.escape()
	case '[':
		return t.class()
	case '(':
		return t.group()
	case '{':
		return t.brace()
	case '.':
		t.out.WriteString(`[^\n\r\x{2028}\x{2029}]`)
	case '^', '$':
		t.in = t.in[1:]
		return t.assertion(string(r))
	case '*', '+', '?', '|', ')':
		t.out.WriteByte(byte(r))
	default:
		t.out.WriteString(regexp.QuoteMeta(string(r)))
	}
	t.in = t.in[size:]
	return nil
}

var count = regexp.MustCompile(`^\{(\d+)(?:,(\d*))?\}`)

// assertion writes what matches no character and so cannot be repeated.
func (t *translator) assertion(s string) error {
	if t.in != "" && strings.IndexByte("*+?", t.in[0]) >= 0 || count.MatchString(t.in) {
		return untranslatable("there is nothing to repeat behind " + s)
	}
	t.out.WriteString(s)
	return nil
}

func (t *translator) brace() error {
	m := count.FindStringSubmatch(t.in)
	if m == nil {
		t.out.WriteString(`\{`)
		t.in = t.in[1:]
		return nil
	}
	for _, n := range m[1:] {
		if len(n) > 1 && n[0] == '0' {
			return untranslatable("write the counts in " + clip(m[0], 20) + " without leading zeros")
		}
	}
	t.out.WriteString(m[0])
	t.in = t.in[len(m[0]):]
	return nil
}

var named = regexp.MustCompile(`^\(\?<[A-Za-z_]\w*>`)

func (t *translator) group() error {
	begin := "("
	if strings.HasPrefix(t.in, "(?") {
		begin = named.FindString(t.in)
		switch {
		case strings.HasPrefix(t.in, "(?:"):
			begin = "(?:"
		case begin != "":
		case len(t.in) > 2 && strings.IndexByte("=!<", t.in[2]) >= 0:
			return untranslatable("it cannot look ahead or behind: write what must be there without " + clip(t.in, 8))
		default:
			return untranslatable("JavaScript does not know " + clip(t.in, 8) + ": to match in either case write classes such as [Aa]")
		}
	}
	t.out.WriteString(begin)
	t.in = t.in[len(begin):]
	return nil
}

func (t *translator) escape() error {
	if strings.HasPrefix(t.in, `\b`) || strings.HasPrefix(t.in, `\B`) {
		s := t.in[:2]
		t.in = t.in[2:]
		return t.assertion(s)
	}
	r, set, err := t.escaped()
	switch {
	case err != nil:
		return err
	case set != "":
		t.out.WriteString("[" + set + "]")
	default:
		t.out.WriteString(regexp.QuoteMeta(string(r)))
	}
	return nil
}

// escaped reads what a backslash begins: a character, or some as in a class.
func (t *translator) escaped() (r rune, set string, err error) {
	t.in = t.in[1:]
	if t.in == "" {
		return 0, "", untranslatable("it ends in a backslash: write two for one")
	}
	r, size := utf8.DecodeRuneInString(t.in)
	t.in = t.in[size:]
	switch r {
	case 'd', 'D', 'w', 'W':
		return 0, `\` + string(r), nil
	case 's':
		return 0, spaces, nil
	case 'S':
		return 0, notSpaces, nil
	case 'x':
		return t.hex(r, 2), "", nil
	case 'u':
		r = t.hex(r, 4)
		if utf16.IsSurrogate(r) && strings.HasPrefix(t.in, `\u`) {
			t.in = t.in[2:]
			r = utf16.DecodeRune(r, t.hex(0, 4))
		}
		if utf16.IsSurrogate(r) {
			return 0, "", untranslatable("half of a surrogate pair matches nothing: write the character")
		}
		return r, "", nil
	case 'c':
		if t.in == "" || !isLetter(t.in[0]) {
			return 0, "", untranslatable(`\c needs a letter: write \\ for a backslash`)
		}
		r, t.in = rune(t.in[0]%32), t.in[1:]
		return r, "", nil
	case 'k', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return 0, "", untranslatable(fmt.Sprintf(`it cannot refer back: write what \%c stands for`, r))
	case '0':
		if t.in != "" && '0' <= t.in[0] && t.in[0] <= '9' {
			return 0, "", untranslatable(`it has a character in octal: write it as \x00`)
		}
	}
	if plain, ok := map[rune]rune{'0': 0, 't': '\t', 'n': '\n', 'v': '\v', 'f': '\f', 'r': '\r'}[r]; ok {
		r = plain
	}
	return r, "", nil
}

func isLetter(c byte) bool { return 'a' <= c|' ' && c|' ' <= 'z' }

// hex reads so many digits; without them the letter stands for itself.
func (t *translator) hex(letter rune, digits int) rune {
	if len(t.in) < digits {
		return letter
	}
	n, err := strconv.ParseUint(t.in[:digits], 16, 16)
	if err != nil {
		return letter
	}
	t.in = t.in[digits:]
	return rune(n)
}

func (t *translator) class() error {
	for begin, class := range emptyClasses {
		if strings.HasPrefix(t.in, begin) {
			t.out.WriteString(class)
			t.in = t.in[len(begin):]
			return nil
		}
	}
	begin := t.in[:1]
	if strings.HasPrefix(t.in, "[^") {
		begin = t.in[:2]
	}
	t.out.WriteString(begin)
	t.in = t.in[len(begin):]
	for !strings.HasPrefix(t.in, "]") {
		if err := t.classRange(); err != nil {
			return err
		}
	}
	t.in = t.in[1:]
	t.out.WriteByte(']')
	return nil
}

// emptyClasses are no character, and any.
var emptyClasses = map[string]string{"[]": `[^\x00-\x{10ffff}]`, "[^]": `[\x00-\x{10ffff}]`}

// classRange reads a character or set in a class, or a range of characters.
func (t *translator) classRange() error {
	lo, low, err := t.classAtom()
	if err != nil {
		return err
	}
	if len(t.in) < 2 || t.in[0] != '-' || t.in[1] == ']' {
		t.classed(lo, low)
		return nil
	}
	t.in = t.in[1:]
	hi, high, err := t.classAtom()
	switch {
	case err != nil:
		return err
	case low != "" || high != "": // a set bounds no range
		t.classed(lo, low)
		t.classed('-', "")
		t.classed(hi, high)
	case lo > hi:
		return untranslatable(fmt.Sprintf("the range %c-%c is backwards", lo, hi))
	default:
		fmt.Fprintf(&t.out, `\x{%x}-\x{%x}`, lo, hi)
	}
	return nil
}

func (t *translator) classed(r rune, set string) {
	if set != "" {
		t.out.WriteString(set)
		return
	}
	fmt.Fprintf(&t.out, `\x{%x}`, r)
}

func (t *translator) classAtom() (r rune, set string, err error) {
	if t.in == "" {
		return 0, "", untranslatable(`a "[" is not closed: write \[ to match one`)
	}
	if strings.HasPrefix(t.in, `\b`) {
		t.in = t.in[2:]
		return '\b', "", nil
	}
	if t.in[0] == '\\' {
		return t.escaped()
	}
	r, size := utf8.DecodeRuneInString(t.in)
	t.in = t.in[size:]
	return r, "", nil
}
