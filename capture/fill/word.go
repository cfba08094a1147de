package fill

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"code.hooktape.dev/hooktape/capture"
)

// words without arguments.
var words = map[string]maker{
	"uuid": uuid,
	"ulid": newULID,
	"n":    func(f *filling) value { return number(int64(f.N)) },
	"bool": func(f *filling) value { return value{raw, strconv.FormatBool(f.Rand.IntN(2) == 1)} },

	"name":     fake(func(f *filling) string { return f.one(firsts) + " " + f.one(lasts) }),
	"first":    fake(func(f *filling) string { return f.one(firsts) }),
	"last":     fake(func(f *filling) string { return f.one(lasts) }),
	"email":    fake(email),
	"phone":    fake(phone),
	"company":  fake(company),
	"city":     fake(func(f *filling) string { return f.one(cities) }),
	"country":  fake(func(f *filling) string { return f.one(countries) }),
	"currency": fake(func(f *filling) string { return f.one(currencies) }),
	"word":     fake(func(f *filling) string { return f.one(nouns) }),
	"sentence": fake(sentence),
	"url":      fake(func(f *filling) string { return "https://" + f.one(domains) + "/" + f.one(nouns) + "/" + f.one(nouns) }),
	"ip":       fake(ip),
	"date":     fake(func(f *filling) string { return f.Now.UTC().AddDate(0, 0, -f.Rand.IntN(365)).Format(time.DateOnly) }),

	"method":         ofEvent(func(f *filling) string { return f.Event.Method }),
	"path":           ofEvent(func(f *filling) string { return f.Event.Path() }),
	"body":           (*filling).all,
	"event.id":       ofEvent(func(f *filling) string { return string(f.Event.ID) }),
	"event.type":     ofEvent(func(f *filling) string { return f.Event.Type }),
	"event.app":      ofEvent(func(f *filling) string { return f.Event.App }),
	"event.source":   ofEvent(func(f *filling) string { return f.Event.Source }),
	"event.provider": ofEvent(func(f *filling) string { return f.Event.Provider }),
	"event.received": ofEvent(received),
	"rule.name":      ofRule(func(r *Rule) value { return textual(r.Name) }),
	"rule.hits":      ofRule(func(r *Rule) value { return number(r.Hits) }),
	"rule.state":     ofRule(func(r *Rule) value { return textual(r.State) }),
}

// callers are words with arguments.
var callers = map[string]func(*call) (maker, error){
	"now":    now,
	"int":    integer,
	"amount": amount,
	"hex":    of("0123456789abcdef"),
	"digits": of("0123456789"),
	"alnum":  of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
	"oneof":  oneOf,
}

// paths are words that go on with a dot.
var paths = map[string]func(*call, string) (maker, error){
	"query":  query,
	"header": header,
	"body":   body,
}

// maker compiles what stands first in an expression.
func (c *call) maker() (maker, error) {
	if c.word == "" {
		v := c.args[0].value
		return func(*filling) value { return v }, nil
	}
	if m := callers[c.word]; m != nil {
		return m(c)
	}
	m, err := words[c.word], error(nil)
	if at := strings.IndexAny(c.word, ".["); m == nil && at > 0 && paths[c.word[:at]] != nil {
		if m, err = paths[c.word[:at]](c, c.word[at:]); err != nil {
			return nil, err
		}
	}
	if m == nil {
		known := slices.Concat(slices.Sorted(maps.Keys(words)), slices.Sorted(maps.Keys(callers)))
		return nil, c.parser.fail(c.pos, didYouMean(c.word, append(known, "query.", "header.", "body.")), "unknown word %q", c.word)
	}
	return m, c.count(0, 0, c.word)
}

func fake(make func(*filling) string) maker {
	return func(f *filling) value { return textual(make(f)) }
}

// ofEvent is a word that is not there without an event, or where it is empty.
func ofEvent(read func(*filling) string) maker {
	return func(f *filling) value {
		if f.Event == nil {
			return value{}
		}
		if s := read(f); s != "" {
			return textual(s)
		}
		return value{}
	}
}

func received(f *filling) string {
	if f.Event.Received.IsZero() {
		return ""
	}
	return f.Event.Received.UTC().Format(time.RFC3339)
}

func ofRule(read func(*Rule) value) maker {
	return func(f *filling) value {
		if f.Rule == nil {
			return value{}
		}
		return read(f.Rule)
	}
}

func uuid(f *filling) value {
	const digits = "0123456789abcdef"
	b := []byte("xxxxxxxx-xxxx-4xxx-Vxxx-xxxxxxxxxxxx")
	for i, c := range b {
		switch c {
		case 'x':
			b[i] = digits[f.Rand.IntN(16)]
		case 'V':
			b[i] = digits[8+f.Rand.IntN(4)]
		}
	}
	return textual(string(b))
}

func newULID(f *filling) value {
	var u ulid.ULID
	u.SetTime(min(uint64(max(f.Now.UnixMilli(), 0)), ulid.MaxTime()))
	for i := 6; i < len(u); i++ {
		u[i] = byte(f.Rand.Uint32())
	}
	return textual(u.String())
}

// formats are the times that have a name.
var formats = map[string]func(time.Time) value{
	"":     func(t time.Time) value { return textual(t.Format(time.RFC3339)) },
	"unix": func(t time.Time) value { return number(t.Unix()) },
	"ms":   func(t time.Time) value { return number(t.UnixMilli()) },
	"http": func(t time.Time) value { return textual(t.Format("Mon, 02 Jan 2006 15:04:05 GMT")) },
}

func now(c *call) (maker, error) {
	if err := c.count(0, 2, `now "2006-01-02" "-3h"`); err != nil {
		return nil, err
	}
	var layout string
	var offset time.Duration
	for i, a := range c.args {
		d, isOffset := parseOffset(a.text)
		switch {
		case a.kind != text:
			return nil, c.fail(i, `such as "unix" or "-3h"`, "now wants text in quotes")
		case isOffset && i == len(c.args)-1:
			offset = d
		case i == 0:
			layout = a.text
		default:
			return nil, c.fail(i, `such as "-3h" or "+1d"`, "%q is no offset", a.text)
		}
	}
	format := formats[layout]
	if format == nil {
		// Two times that have nothing in common, but their millennium.
		a, b := time.Date(2001, 2, 3, 4, 5, 6, 7e6, time.UTC), time.Date(2012, 11, 20, 18, 30, 45, 8e8, time.UTC)
		if a.Format(layout) == b.Format(layout) {
			return nil, c.fail(0, `want "unix", "ms", "http" or a layout such as "2006-01-02 15:04"`, "%q has no part of a time", layout)
		}
		format = func(t time.Time) value { return textual(t.Format(layout)) }
	}
	return func(f *filling) value { return format(f.Now.UTC().Add(offset)) }, nil
}

// parseOffset reads a duration that has a sign.
func parseOffset(s string) (time.Duration, bool) {
	if s == "" || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	for unit, hours := range map[string]float64{"d": 24, "w": 7 * 24} {
		if digits, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseFloat(digits, 64)
			h := n * hours * float64(time.Hour)
			return time.Duration(h), err == nil && math.Abs(h) < math.MaxInt64
		}
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}

func integer(c *call) (maker, error) {
	if err := c.count(2, 2, "int 1 100"); err != nil {
		return nil, err
	}
	const most = 1e15
	lo, err := c.whole(0, -most, most)
	if err != nil {
		return nil, err
	}
	hi, err := c.whole(1, lo, most)
	if err != nil {
		return nil, err
	}
	return func(f *filling) value { return number(lo + f.Rand.Int64N(hi-lo+1)) }, nil
}

// whole is the nth argument, a whole number from least to most.
func (c *call) whole(n int, least, most int64) (int64, error) {
	i, err := strconv.ParseInt(c.args[n].text, 10, 64)
	if err != nil || c.args[n].kind != raw || i < least || i > most {
		return 0, c.fail(n, "", "%s wants a whole number from %d to %d", c.word, least, most)
	}
	return i, nil
}

func amount(c *call) (maker, error) {
	if err := c.count(2, 2, "amount 1 999"); err != nil {
		return nil, err
	}
	var cents [2]int64
	for i, a := range c.args {
		x, err := strconv.ParseFloat(a.text, 64)
		if err != nil || a.kind != raw || x < 0 || x > 1e9 {
			return nil, c.fail(i, "", "amount wants a number from 0 to 1000000000")
		}
		if cents[i] = int64(math.Round(x * 100)); cents[i] < cents[0] {
			return nil, c.fail(i, "", "the first is more than the second")
		}
	}
	return func(f *filling) value {
		n := cents[0] + f.Rand.Int64N(cents[1]-cents[0]+1)
		return value{raw, strconv.FormatFloat(float64(n)/100, 'f', 2, 64)}
	}, nil
}

// of is a word for so many characters of an alphabet.
func of(alphabet string) func(*call) (maker, error) {
	return func(c *call) (maker, error) {
		if err := c.count(1, 1, c.word+" 16"); err != nil {
			return nil, err
		}
		n, err := c.whole(0, 1, 4096)
		if err != nil {
			return nil, err
		}
		return fake(func(f *filling) string {
			b := make([]byte, n)
			for i := range b {
				b[i] = alphabet[f.Rand.IntN(len(alphabet))]
			}
			return string(b)
		}), nil
	}
}

func oneOf(c *call) (maker, error) {
	if err := c.count(1, math.MaxInt, `oneof "a" "b"`); err != nil {
		return nil, err
	}
	return func(f *filling) value { return c.args[f.Rand.IntN(len(c.args))].value }, nil
}

// didYouMean is a hint at the known word that is nearest to one.
func didYouMean(word string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if d := capture.Edits(strings.ToLower(word), k); d < min(least, max(len(word)-1, 1)) {
			best, least = k, d
		}
	}
	if best == "" {
		return cmp.Or(within(word, known), "text with {{ in it is written {{'{{'}}")
	}
	return "did you mean " + best + "?"
}

// within is a hint at a known word that begins as word does.
func within(word string, known []string) string {
	i := slices.IndexFunc(known, func(k string) bool { return len(word) > 1 && strings.HasPrefix(k, strings.ToLower(word)) })
	if i < 0 {
		return ""
	}
	return "did you mean " + known[i] + "?"
}
