package fill

import (
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

const (
	maxText   = 64 << 10 // of a template
	maxExprs  = 1000
	maxPipes  = 10
	maxOutput = 1 << 20
	maxSpent  = 16 << 20 // of all values together, those between pipes too
)

// ErrTooLong is returned, wrapped, where what is filled would go over a limit.
var ErrTooLong = errors.New("over the limit")

// Source is where values come from. The zero Source makes random ones, and
// has no event.
type Source struct {
	Event *capture.Event // nil: there is none
	Body  []byte         // of Event
	Now   time.Time      // zero: the present
	Rand  *rand.Rand     // nil: others each time. It is used by one Fill at a time.
	N     int            // which of several this is, from 0
	Rule  *Rule          // nil: there is none
}

// Rule is what a rule that is applied knows of itself.
type Rule struct {
	Name  string
	Hits  int64  // this one included
	State string // of its scenario
}

// Template is a compiled text. It is never changed and safe for concurrent
// use. The zero Template is empty.
type Template struct{ parts []part }

// part is text, or else an expression.
type part struct {
	text string
	expr *expr
}

type expr struct {
	make  maker
	pipes []pipe
}

// maker makes the value that a word stands for.
type maker func(*filling) value

type pipe func(value) value

// Fill is the text with values in place of its expressions. The error is
// ErrTooLong, wrapped. A nil Source is a zero one.
func (t *Template) Fill(s *Source) (string, error) { return newFilling(s).text(t) }

// Escape is a template that gives text back.
func Escape(text string) string { return strings.ReplaceAll(text, "{{", "{{'{{'}}") }

// Literal is the text that Escape made a template of; what it did not make is
// returned as it is.
func Literal(template string) string {
	if text := strings.ReplaceAll(template, "{{'{{'}}", "{{"); Escape(text) == template {
		return text
	}
	return template
}

// filling is what is known while something is filled.
type filling struct {
	Source
	spent int   // bytes of values
	form  form  // nil until it is asked for
	body  *node // nil until it is asked for
}

func newFilling(s *Source) *filling {
	f := new(filling)
	if s != nil {
		f.Source = *s
	}
	if f.Now.IsZero() {
		f.Now = time.Now()
	}
	if f.Rand == nil {
		f.Rand = rand.New(random{})
	}
	return f
}

// random is the source of the functions of package rand, which is seeded by
// the system.
type random struct{}

func (random) Uint64() uint64 { return rand.Uint64() }

func (f *filling) text(t *Template) (string, error) {
	var b strings.Builder
	for _, p := range t.parts {
		text := p.text
		if p.expr != nil {
			v, err := f.value(p.expr)
			if err != nil {
				return "", err
			}
			text = v.String()
		}
		if b.Len()+len(text) > maxOutput {
			return "", tooLong("the filled text", maxOutput)
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

func (f *filling) value(e *expr) (value, error) {
	v := e.make(f)
	for _, p := range e.pipes {
		if f.spent += len(v.text); f.spent > maxSpent {
			break
		}
		v = p(v)
	}
	if f.spent += len(v.text); f.spent > maxSpent {
		return v, tooLong("the values of all expressions", maxSpent)
	}
	return v, nil
}
