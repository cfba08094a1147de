package match_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	. "code.hooktape.dev/hooktape/capture/match"
)

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		text string
		spot string // the part of the text that the error points at
		pos  int
		msg  string
		hint string
	}{
		{"a typ:x", "typ", 2, `unknown field "typ"`, "did you mean type:?"},
		{"stauts:5xx", "stauts", 0, `unknown field "stauts"`, "did you mean status:?"},
		{"prov:x", "prov", 0, `unknown field "prov"`, "did you mean provider:?"},
		{"event:x", "event", 0, `unknown field "event"`, "did you mean type:?"},
		{"code:200", "code", 0, `unknown field "code"`, "did you mean status:?"},
		{"headers.x:1", "headers.x", 0, `unknown field "headers.x"`, "did you mean header.x:?"},
		{"x-github-event:push", "x-github-event", 0, `unknown field "x-github-event"`, "did you mean header.x-github-event:?"},
		{"data.object.id:1", "data.object.id", 0, `unknown field "data.object.id"`, "did you mean body.data.object.id:?"},
		{"order.id:1", "order.id", 0, `unknown field "order.id"`, "did you mean body.order.id:?"},
		{"type.x:1", "type.x", 0, `unknown field "type.x"`, "did you mean type: or body.type.x:?"},
		{"query[a]:1", "query[a]", 0, `unknown field "query[a]"`, "did you mean query.a:?"},
		{"localhost:3000", "localhost", 0, `unknown field "localhost"`, `to search for the text, quote it: "localhost:3000"`},
		{":x", "", 0, `unknown field ""`, `to search for the text, quote it: ":x"`},
		{"-is:ok", "-is", 0, `unknown field "-is"`, "to negate, write !is:ok"},
		{"\x1b[2J\u202e:x", "\x1b[2J\u202e", 0, `unknown field "\x1b[2J\u202e"`, "to search for the text, quote it: \"\uFFFD[2J\uFFFD:x\""},
		{"a status>=400", "status>=400", 2, "a colon is missing", "did you mean status:>=400?"},
		{"body.amount>5", "body.amount>5", 0, "a colon is missing", "did you mean body.amount:>5?"},

		{"type:", "type:", 0, "type: needs a value right behind it", "such as type:invoice.*"},
		{"(type: x)", "type:", 1, "type: needs a value right behind it", "such as type:invoice.*"},
		{"type:a,", ",", 6, "a value is missing beside the comma", ""},
		{"type:a,,b", ",", 6, "a value is missing beside the comma", ""},
		{"type:!a", "!a", 5, "a value cannot begin with !", "to negate, write !type:a; to match a !, quote the value"},
		{"status:!=200", "!=200", 7, "a value cannot begin with !", "to negate, write !status:200; to match a !, quote the value"},
		{"status:5z", "5z", 7, `status does not know "5z"`, "did you mean status:5xx?"},
		{"status:ok", "ok", 7, `status does not know "ok"`, "such as status:5xx"},
		{"status:299..200", "299..200", 7, "the range is backwards", "did you mean status:200..299?"},
		{"status:200,6zz", "6zz", 11, `status does not know "6zz"`, "such as status:5xx"},
		{"dur:>500", ">500", 4, `dur does not know ">500"`, "did you mean dur:>500ms?"},
		{"size:>10q", ">10q", 5, `size does not know ">10q"`, "such as size:>10k"},
		{"try:\"1\"", "\"1\"", 4, `try does not know "1"`, "such as try:>1"},
		{"is:fialed", "fialed", 3, `is does not know "fialed"`, "did you mean is:failed?"},
		{"is:x", "x", 3, `is does not know "x"`, "one of failed, ok, pending, retry, captured, refused, pinned, replay"},
		{"sig:bad", "bad", 4, `sig does not know "bad"`, "one of valid, invalid, stale, unsigned, unchecked"},
		{"since:soon", "soon", 6, `since does not know "soon"`, "since:1h, since:14:00, since:2006-01-02 or RFC 3339"},
		{"since:1h,2h", "2h", 9, "since: takes one time", ""},
		{"header.:x", "header.", 0, "header needs a name", "such as header.x-github-event:push"},
		{"body:x", "body", 0, "body needs a name", "such as body.data.object.amount:>1000"},
		{"body.a..b:1", "..", 6, "a key is missing", "such as body.data.object.amount:>1000"},
		{"body.a.*.b:1", "*", 7, "there are no wildcards in keys", "name the key or index; quote a key that has a *"},
		{"body.a[x]:1", "[x]", 6, "brackets hold an index", "quote a key in brackets"},
		{"body.a[1:1", "[1", 6, "the bracket is not closed", `add "]"`},
		{"body.\"a b:1", "body.\"a b:1", 0, "the quote is not closed", `add "`},
		{"body.a:>b", ">b", 7, `">" compares with a number`, "to match the text, quote it"},
		{"body.a:2..1", "2..1", 7, "the range is backwards", ""},

		{"a or", "or", 2, `"or" needs a term after it`, `to search for the word, quote it: "or"`},
		{"or a", "or", 0, `"or" needs a term before it`, `to search for the word, quote it: "or"`},
		{"a AND or b", "AND", 2, `"AND" needs a term after it`, `to search for the word, quote it: "AND"`},
		{"not", "not", 0, `"not" needs a term after it`, `to search for the word, quote it: "not"`},
		{"(a !)", "!", 3, `"!" needs a term after it`, `to search for the word, quote it: "!"`},
		{"a ( )", "( )", 2, "nothing in the parentheses", ""},
		{"a (b", "(", 2, `"(" is not closed`, `add ")", or quote it to search for it`},
		{"(", "(", 0, `"(" is not closed`, `add ")", or quote it to search for it`},
		{"a)", ")", 1, `")" without a "("`, "remove it, or quote it to search for it"},
		{")", ")", 0, `")" without a "("`, "remove it, or quote it to search for it"},
		{`é "a b`, `"a b`, 3, "the quote is not closed", `add "`},
		{`"id":42`, `:42`, 4, "text right behind a quote", `put all of it in quotes, and \" for a quote within`},
		{"/a(b/", "a(b", 1, "regular expression: missing closing )", "to search for it as text, quote it"},
		{"type:/[z-a]/", "z-a", 7, "regular expression: invalid character class range", "to search for it as text, quote it"},
		{"/" + strings.Repeat(".{900}", 6) + "/", strings.Repeat(".{900}", 6), 1, "regular expressions too large", "repeat less often"},

		{strings.Repeat("(", 101), "(", 100, "more than 100 parentheses within one another", ""},
		{strings.Repeat("a ", 1001), "a", 2000, "more than 1000 terms", ""},
		{strings.Repeat(" ", 64<<10+1), " ", 64 << 10, "more than 64 KiB of text", ""},
		{"/" + strings.Repeat("a", 1025) + "/", "/" + strings.Repeat("a", 1025) + "/", 0, "pattern longer than 1024 bytes", ""},
	} {
		_, err := ParseAt(tt.text, now)
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("ParseAt(%.40q) gives error %v", tt.text, err)
			continue
		}
		if e.Text != tt.text || e.Pos != tt.pos || e.Text[e.Pos:e.Pos+e.Len] != tt.spot || e.Msg != tt.msg || e.Hint != tt.hint {
			t.Errorf("ParseAt(%.40q):\n got %d %.40q: %s: %s\nwant %d %.40q: %s: %s", tt.text,
				e.Pos, e.Text[e.Pos:e.Pos+e.Len], e.Msg, e.Hint, tt.pos, tt.spot, tt.msg, tt.hint)
		}
		if !utf8.ValidString(e.Error()) || strings.ContainsAny(e.Error(), "\n\x1b\u202e") {
			t.Errorf("Error() is not one harmless line: %q", e.Error())
		}
	}
}

func TestErrorIsOneLineWithTheColumn(t *testing.T) {
	_, err := ParseAt("größe typ:x", now)
	if got, want := err.Error(), `unknown field "typ" at column 7: did you mean type:?`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCaret(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"größe typ:x\ty", "größe typ:x\uFFFDy\n      ^~~"},
		{"a (b", "a (b\n  ^"},
		{strings.Repeat("a ", 99) + "typ:" + strings.Repeat("x", 99),
			"…" + strings.Repeat(" a", 19) + " typ:" + strings.Repeat("x", 18) + "…\n" + strings.Repeat(" ", 40) + "^~~"},
	} {
		_, err := ParseAt(tt.text, now)
		var e *SyntaxError
		if !errors.As(err, &e) || e.Caret() != tt.want {
			t.Errorf("got\n%s\nwant\n%s", e.Caret(), tt.want)
		}
	}
	if got := (&SyntaxError{Text: "ab", Pos: 9, Len: -1}).Caret(); got != "ab\n  ^" {
		t.Errorf("a spot outside of the text: %q", got)
	}
}
