package fill

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError says what is wrong with a template, where, and what to try.
type SyntaxError struct {
	Text string // all of it
	Pos  int    // in bytes
	Msg  string
	Hint string // what to try; may be empty
}

// Error is one line: where, what, and the hint.
func (e *SyntaxError) Error() string {
	before := e.Text[:min(e.Pos, len(e.Text))]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	s := fmt.Sprintf("line %d, column %d: %s", line, column, e.Msg)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Parse compiles a text; the error is a *SyntaxError.
func Parse(text string) (*Template, error) {
	p := parser{text: text}
	if len(text) > maxText {
		return nil, p.fail(maxText, "", "the text is over 64 KiB")
	}
	t, exprs := new(Template), 0
	for {
		open := strings.Index(p.text[p.pos:], "{{")
		if open < 0 {
			break
		}
		if open > 0 {
			t.parts = append(t.parts, part{text: p.text[p.pos : p.pos+open]})
		}
		begin := p.pos + open
		if exprs++; exprs > maxExprs {
			return nil, p.fail(begin, "", "there are over %d expressions", maxExprs)
		}
		p.pos = begin + len("{{")
		e, err := p.expr(begin)
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part{expr: e})
	}
	if p.pos < len(text) {
		t.parts = append(t.parts, part{text: text[p.pos:]})
	}
	return t, nil
}

// exprs is how many expressions the template has.
func (t *Template) exprs() (n int) {
	for _, p := range t.parts {
		if p.expr != nil {
			n++
		}
	}
	return n
}

type parser struct {
	text string
	pos  int
}

func (p *parser) fail(pos int, hint, msg string, args ...any) error {
	return &SyntaxError{p.text, pos, fmt.Sprintf(msg, args...), hint}
}

// call is a word as it is written, with its arguments.
type call struct {
	*parser
	pos  int
	word string
	args []argument
}

// argument is a literal as it is written.
type argument struct {
	pos int
	value
}

// fail is an error at the nth argument.
func (c *call) fail(n int, hint, msg string, args ...any) error {
	return c.parser.fail(c.args[n].pos, hint, msg, args...)
}

// count refuses another number of arguments.
func (c *call) count(least, most int, example string) error {
	if len(c.args) < least {
		return c.parser.fail(c.pos, "such as {{"+example+"}}", "%s wants an argument more", c.word)
	}
	if len(c.args) > most {
		return c.fail(most, "such as {{"+example+"}}", "%s wants no such argument", c.word)
	}
	return nil
}

// expr reads what follows {{, up to and with }}.
func (p *parser) expr(begin int) (*expr, error) {
	var e expr
	for first := true; ; first = false {
		c, err := p.call()
		if err != nil {
			return nil, err
		}
		if first {
			e.make, err = c.maker()
		} else {
			var pipe pipe
			pipe, err = c.pipe()
			e.pipes = append(e.pipes, pipe)
		}
		if err != nil {
			return nil, err
		}
		if len(e.pipes) > maxPipes {
			return nil, p.fail(c.pos, "", "there are over %d pipes", maxPipes)
		}
		switch {
		case strings.HasPrefix(p.text[p.pos:], "}}"):
			p.pos += len("}}")
			return &e, nil
		case strings.HasPrefix(p.text[p.pos:], "|"):
			p.pos++
		case p.pos == len(p.text):
			return nil, p.fail(begin, "add }}", "the expression is not closed")
		default:
			return nil, p.fail(p.pos, "put text in quotes, and {{ outside of an expression as {{'{{'}}", "%q is in the way", p.text[p.pos:][:1])
		}
	}
}

// call reads a word and its arguments. A literal in a word's place is the only
// argument of the word "".
func (p *parser) call() (*call, error) {
	p.skipSpace()
	c := &call{parser: p, pos: p.pos}
	a, ok, err := p.literal()
	if err != nil {
		return nil, err
	}
	if ok {
		c.args = append(c.args, a)
		p.skipSpace()
		return c, nil
	}
	if c.word, err = p.word(); err != nil {
		return nil, err
	}
	for {
		p.skipSpace()
		a, ok, err := p.literal()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		c.args = append(c.args, a)
	}
	if begin := p.pos; begin < len(p.text) && !ends(p.text[begin]) {
		word, err := p.word()
		if err != nil {
			return nil, err
		}
		return nil, p.fail(begin, "put it in quotes, or | before it if it is a pipe", "%q is no number and not in quotes", word)
	}
	return c, nil
}

func (p *parser) skipSpace() {
	p.pos += len(p.text[p.pos:]) - len(strings.TrimLeft(p.text[p.pos:], " \t\r\n"))
}

// ends reports whether a word ends before c.
func ends(c byte) bool { return strings.IndexByte(" \t\r\n|{}", c) >= 0 }

// word reads a word up to its end. Keys in it may be quoted or escaped.
func (p *parser) word() (string, error) {
	begin := p.pos
	for p.pos < len(p.text) && !ends(p.text[p.pos]) {
		switch c := p.text[p.pos]; {
		case c == '\\' && p.pos+1 < len(p.text):
			p.pos++
		case isQuote(c) && p.pos > begin && strings.IndexByte(".[", p.text[p.pos-1]) >= 0:
			_, end, ok := unquote(p.text, p.pos)
			if !ok {
				return "", p.fail(p.pos, "add "+string(c), "the quote is not closed")
			}
			p.pos = end - 1
		}
		p.pos++
	}
	if p.pos == begin {
		return "", p.fail(begin, "such as {{uuid}} or {{body.id}}; {{'{{'}} stands for {{", "a word is missing")
	}
	return p.text[begin:p.pos], nil
}

// literal reads a quoted text, a number, true, false or null, if one is next.
func (p *parser) literal() (a argument, ok bool, err error) {
	begin := p.pos
	if begin == len(p.text) {
		return a, false, nil
	}
	if isQuote(p.text[begin]) {
		s, end, ok := unquote(p.text, begin)
		if !ok {
			return a, false, p.fail(begin, "add "+p.text[begin:begin+1], "the quote is not closed")
		}
		p.pos = end
		return argument{begin, textual(s)}, true, nil
	}
	end := begin
	for end < len(p.text) && !ends(p.text[end]) {
		end++
	}
	word := p.text[begin:end]
	switch {
	case word == "true", word == "false", word == "null":
	case word == "" || strings.IndexByte("-0123456789", word[0]) < 0:
		return a, false, nil
	case !json.Valid([]byte(word)):
		return a, false, p.fail(begin, "write it as JSON does, or put it in quotes", "%q is no number", word)
	}
	p.pos = end
	return argument{begin, jsonValue([]byte(word))}, true, nil
}

func isQuote(c byte) bool { return c == '"' || c == '\'' }

// unquote reads the quoted text that begins at i.
func unquote(s string, i int) (text string, end int, ok bool) {
	var b strings.Builder
	quote := s[i]
	for i++; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return b.String(), i + 1, true
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == quote || s[i+1] == '\\'):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", i, false
}
