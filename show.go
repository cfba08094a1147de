package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

// lineWidth is how long the lines of lists are made when no terminal says.
const lineWidth = 100

// show writes one thing: as JSON, or as text for people.
func show(e *env, o *common, v any, text func(io.Writer)) error {
	w := bufio.NewWriter(e.stdout)
	if o.json {
		return errors.Join(json.NewEncoder(w).Encode(v), w.Flush())
	}
	text(w)
	return w.Flush()
}

// list writes many: each as JSON on a line of its own, or as the line for
// people.
func list[T any](e *env, o *common, all []T, shown func(T) any, line func(*T) string) error {
	w := bufio.NewWriter(e.stdout)
	for i := range all {
		var err error
		if o.json {
			err = json.NewEncoder(w).Encode(shown(all[i]))
		} else {
			_, err = fmt.Fprintln(w, line(&all[i]))
		}
		if err != nil {
			return err
		}
	}
	return w.Flush()
}

// members writes names and values in two columns, without those that are
// empty.
func members(w io.Writer, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(w, "  %-12s %s\n", pairs[i], safe.Line(pairs[i+1]))
		}
	}
}

// stamp is a time for people; "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateTime)
}

// by says who did something, if that is known.
func by(t time.Time, who string) string {
	if s := stamp(t); s == "" || who == "" {
		return s
	}
	return stamp(t) + " by " + who
}

// column is a part of a line, with the gap behind it. In a terminal that is
// too narrow the columns with the greatest drop go first; 0 stays.
type column struct {
	text string
	drop int
}

// fit joins columns to a line that is at most width wide; 0: as wide as it
// gets. The last column is cut, but other columns go before it has fewer than
// 16 cells.
func fit(width int, columns ...column) string {
	if width == 0 {
		width = 1 << 20
	}
	for {
		sum, most := 0, 0
		for i, c := range columns {
			w := safe.Width(c.text)
			if i == len(columns)-1 {
				w = min(w, 16)
			}
			sum += w
			if c.drop > columns[most].drop {
				most = i
			}
		}
		if sum <= width || columns[most].drop == 0 {
			break
		}
		columns = append(columns[:most:most], columns[most+1:]...)
	}
	var line strings.Builder
	for _, c := range columns {
		line.WriteString(c.text)
	}
	return strings.TrimRight(safe.Cut(line.String(), width), " ")
}

// width of the terminal that w is; 0 when it is none.
func width(w any) int {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || !terminal(w) {
		return 0
	}
	columns, _, err := term.GetSize(f.Fd())
	if err != nil {
		return 0
	}
	return columns
}

// narrow is how wide lines may be that are never wider than lineWidth.
func narrow(w any) int {
	if n := width(w); n > 0 {
		return min(n, lineWidth)
	}
	return lineWidth
}

// hinted is an error with a hint of its own.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// unknown adds to the error about something that is not there what may have
// been meant: the one of names that is most like it.
func unknown(err error, given, list string, names func() ([]string, error)) error {
	if !errors.Is(err, capture.ErrNotFound) {
		return err
	}
	hint := list + " shows what is there."
	if all, failed := names(); failed == nil {
		for _, name := range all {
			if name != given && mistyped(given, name) {
				hint = fmt.Sprintf("Did you mean %s? ", name) + hint
				break
			}
		}
	}
	return hinted{err, hint}
}

// mistyped reports whether a is b but for one place: a letter or two that are
// wrong, missing, too many or swapped.
func mistyped(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	same := 0
	for same < len(a) && same < len(b) && a[same] == b[same] {
		same++
	}
	head, tail := same, 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head+tail > 0 && max(len(a), len(b))-head-tail <= 2
}

// about is the action of a command about one thing: its only argument names it,
// or the flag called as the argument is.
func about(e *env, o *common, want string, do func(context.Context, *api.Client, string) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		subject := c.Args().First()
		if c.NArg() == 0 {
			subject = c.String(strings.ToLower(want))
		}
		if c.NArg() > 1 || subject == "" {
			return usage("%s: want one %s", strings.TrimPrefix(c.Command.HelpName, c.App.Name+" "), want)
		}
		return withClient(c.Context, e, o, func(client *api.Client) error {
			return do(c.Context, client, subject)
		})
	}
}

// subject is the flag by which a command that makes something may be told what,
// instead of by its argument.
func subject(name, usage string) cli.Flag { return &cli.StringFlag{Name: name, Usage: usage} }

// sure asks before something that cannot be undone.
func sure(e *env, yes bool, format string, a ...any) error {
	if yes {
		return nil
	}
	return confirm(e, fmt.Sprintf(format, a...))
}

// rotation is how long a replaced secret still counts.
type rotation struct{ span spanFlag }

func (r *rotation) flag() cli.Flag {
	r.span = spanFlag(24 * time.Hour)
	return &cli.GenericFlag{Name: "overlap", Usage: "let the old one count for `TIME` more; 0s: not at all", Value: &r.span}
}

// overlap is the same as the API takes it.
func (r *rotation) overlap() time.Duration {
	if r.span == 0 {
		return -1
	}
	return time.Duration(r.span)
}

// sentence says what becomes of the old one.
func (r *rotation) sentence() string {
	if r.span == 0 {
		return "The old one counts no longer."
	}
	return "The old one counts for " + r.span.String() + " more."
}
