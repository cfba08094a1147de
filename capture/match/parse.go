package match

import (
	"fmt"
	"strings"
	"time"
)

const (
	maxText    = 64 << 10
	maxTerms   = 1000
	maxDepth   = 100
	maxPattern = 1 << 10 // bytes of an expression, or of a pattern with wildcards
	maxCost    = 5000    // instructions of all expressions
)

// parser reads a text from left to right.
type parser struct {
	text  string
	now   time.Time
	paths *paths // that terms look for in a body
	pos   int
	depth int // parentheses open here
	terms int
	cost  int
	op    span // the operator or parenthesis that waits for a term; zero at the start
}

// span is a place in the text.
type span struct{ pos, end int }

func (p *parser) fail(at span, hint, format string, args ...any) error {
	msg := fmt.Sprintf(format, args...)
	return &SyntaxError{p.text, at.pos, at.end - at.pos, strings.Map(printable, msg), strings.Map(printable, hint)}
}

func (p *parser) parse() (node, error) {
	if len(p.text) > maxText {
		return nil, p.fail(span{maxText, len(p.text)}, "", "more than %d KiB of text", maxText>>10)
	}
	if p.skipSpace(); p.done() {
		return nil, nil
	}
	n, err := p.parseOr()
	if err == nil && !p.done() { // only a parenthesis stops parseOr
		return nil, p.fail(span{p.pos, p.pos + 1}, `remove it, or quote it to search for it`, `")" without a "("`)
	}
	return n, err
}

// parseOr reads alternatives up to the end or a closing parenthesis.
func (p *parser) parseOr() (node, error) {
	n, err := p.parseAnd()
	for err == nil && p.operator("or", "||") {
		var next node
		if next, err = p.parseAnd(); err != nil {
			break
		}
		n = join[or](n, next)
	}
	return n, err
}

func (p *parser) parseAnd() (node, error) {
	n, err := p.parseNot()
	for err == nil {
		explicit := p.operator("and", "&&")
		if !explicit && (p.done() || p.text[p.pos] == ')' || p.peek("or", "||") > 0) {
			break
		}
		var next node
		if next, err = p.parseNot(); err != nil {
			break
		}
		n = join[and](n, next)
	}
	return n, err
}

// join makes one list of a and b, whichever of them are lists of that kind.
func join[L interface {
	~[]node
	node
}](a, b node) node {
	var all L
	for _, n := range []node{a, b} {
		if kids, ok := n.(L); ok {
			all = append(all, kids...)
		} else {
			all = append(all, n)
		}
	}
	return all
}

// parseNot reads a term or group and what negates it.
func (p *parser) parseNot() (node, error) {
	negated := false
	for p.operator("!", "not") {
		negated = !negated
	}
	n, err := p.parseOne()
	if err != nil || !negated {
		return n, err
	}
	if inner, ok := n.(not); ok {
		return inner.node, nil
	}
	return not{n}, nil
}

func (p *parser) parseOne() (node, error) {
	if p.done() || p.text[p.pos] == ')' || p.peek("or", "||", "and", "&&") > 0 {
		return nil, p.missing()
	}
	if p.text[p.pos] == '(' {
		return p.parseGroup()
	}
	at := p.pos
	if p.terms++; p.terms > maxTerms {
		return nil, p.fail(span{at, p.wordEnd(at)}, "", "more than %d terms", maxTerms)
	}
	t, err := p.term()
	if err != nil {
		return nil, err
	}
	t.hints.terms = 1
	p.skipSpace()
	return t, nil
}

func (p *parser) parseGroup() (node, error) {
	at := span{p.pos, p.pos + 1}
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(at, "", "more than %d parentheses within one another", maxDepth)
	}
	p.op = at
	p.pos++
	p.skipSpace()
	n, err := p.parseOr()
	if err != nil {
		return nil, err
	}
	if p.done() {
		return nil, p.fail(at, `add ")", or quote it to search for it`, `"(" is not closed`)
	}
	p.depth--
	p.pos++
	p.skipSpace()
	return n, nil
}

// missing is the error of no term where one must be.
func (p *parser) missing() error {
	const quote = `to search for the word, quote it: "%s"`
	if n := p.peek("or", "||", "and", "&&"); n > 0 && (p.op.end == 0 || p.text[p.op.pos] == '(') {
		word := p.text[p.pos : p.pos+n]
		return p.fail(span{p.pos, p.pos + n}, fmt.Sprintf(quote, word), "%q needs a term before it", word)
	}
	op := p.text[p.op.pos:p.op.end]
	switch op {
	case "": // the text begins with ")"
		return p.fail(span{p.pos, p.pos + 1}, `remove it, or quote it to search for it`, `")" without a "("`)
	case "(":
		if p.done() {
			return p.fail(p.op, `add ")", or quote it to search for it`, `"(" is not closed`)
		}
		return p.fail(span{p.op.pos, p.pos + 1}, "", "nothing in the parentheses")
	}
	return p.fail(p.op, fmt.Sprintf(quote, op), "%q needs a term after it", op)
}

// operator takes one of the words if it is next.
func (p *parser) operator(words ...string) bool {
	n := p.peek(words...)
	if n == 0 {
		return false
	}
	p.op = span{p.pos, p.pos + n}
	p.pos += n
	p.skipSpace()
	return true
}

// peek is the length of that of the words which is next, 0 if none is. All
// but "!" must stand alone.
func (p *parser) peek(words ...string) int {
	for _, w := range words {
		end := p.pos + len(w)
		if end <= len(p.text) && strings.EqualFold(p.text[p.pos:end], w) && (w == "!" || p.ends(end, false)) {
			return len(w)
		}
	}
	return 0
}
