package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// patch is what the flags of a command say about a thing: a JSON merge patch
// (RFC 7396) of its spec. It holds what was given and nothing else.
type patch map[string]any

// set puts a value at a path of members. nil clears what is there.
func (p patch) set(v any, path ...string) {
	at := p
	for _, name := range path[:len(path)-1] {
		below, ok := at[name].(patch)
		if !ok {
			below = patch{}
			at[name] = below
		}
		at = below
	}
	at[path[len(path)-1]] = v
}

// json is the patch as the API takes it.
func (p patch) json() (json.RawMessage, error) { return json.Marshal(p) }

// into makes a new thing of the patch.
func (p patch) into(spec any) error {
	b, err := p.json()
	if err != nil {
		return err
	}
	return capture.Decode(b, spec)
}

// flag is one that sets the member at path to what read makes of its value.
// An empty value clears the member.
func (p patch) flag(name, use string, read func(string) (any, error), path ...string) cli.Flag {
	return setter(name, use, func(text string) error {
		if text == "" {
			p.set(nil, path...)
			return nil
		}
		v, err := read(text)
		if err == nil {
			p.set(v, path...)
		}
		return err
	})
}

// header is a flag 'K: V' that sets one member of the object at path; K with
// nothing behind its colon clears that member, and an empty value all of them.
func (p patch) header(name, alias, use string, path ...string) cli.Flag {
	f := setter(name, use, func(text string) error {
		if text == "" {
			p.set(nil, path...)
			return nil
		}
		var h headersFlag
		if err := h.Set(text); err != nil {
			return err
		}
		var value any
		if h[0][1] != "" {
			value = h[0][1]
		}
		p.set(value, append(path[:len(path):len(path)], h[0][0])...)
		return nil
	})
	if alias != "" {
		f.Aliases = []string{alias}
	}
	return f
}

// whole is a flag that sets all members of a JSON object.
func (p patch) whole(e *env, use string) cli.Flag {
	return setter("data", use, func(v string) error {
		b, err := e.text(v)
		if err == nil {
			err = checkJSON(b)
		}
		if err != nil {
			return err
		}
		var all map[string]any
		if err := json.Unmarshal(b, &all); err != nil {
			return err
		}
		for name, v := range all {
			p.set(v, name)
		}
		return nil
	})
}

// setter is a flag that hands each of its values to set.
func setter(name, use string, set func(string) error) *cli.GenericFlag {
	return &cli.GenericFlag{Name: name, Usage: use, Value: setFunc(set)}
}

type setFunc func(string) error

func (f setFunc) Set(v string) error {
	if v == aliased {
		return nil
	}
	return f(v)
}

func (f setFunc) String() string    { return "" }
func (f setFunc) Serialize() string { return aliased }

// What a flag's text may be read as.

func asText(v string) (any, error) { return v, nil }

func asNumber(v string) (any, error) {
	n, err := strconv.Atoi(v)
	if err != nil {
		return nil, fmt.Errorf("%q: want a whole number", v)
	}
	return n, nil
}

func asSpan(v string) (any, error) {
	var s spanFlag
	err := s.Set(v)
	return capture.Duration(s), err
}

// oneOf reads a word that is one of these.
func oneOf[T ~string](words ...T) func(string) (any, error) {
	return func(v string) (any, error) {
		var names []string
		for _, w := range words {
			if string(w) == v {
				return w, nil
			}
			names = append(names, string(w))
		}
		like := capture.Meant("did you mean %q? ", v, names)
		return nil, fmt.Errorf("%q: %swant %s", v, like, strings.Join(names, ", "))
	}
}

// asJSON reads JSON, or a file of it.
func (e *env) asJSON(v string) (any, error) {
	b, err := e.text(v)
	if err != nil {
		return nil, err
	}
	return json.RawMessage(b), checkJSON(b)
}

// text is what a value stands for: @file for that file, - for standard input,
// and everything else for itself.
func (e *env) text(v string) ([]byte, error) {
	if v == "-" {
		return io.ReadAll(e.stdin)
	}
	if path, ok := strings.CutPrefix(v, "@"); ok {
		return os.ReadFile(path)
	}
	return []byte(v), nil
}

// checkJSON says where b breaks, if it is not JSON.
func checkJSON(b []byte) error {
	var v json.RawMessage
	err := json.Unmarshal(b, &v)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	before := b[:max(0, min(int(syntax.Offset)-1, len(b)))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := 1 + len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:])))
	return fmt.Errorf("not JSON: line %d, column %d: %w", line, column, err)
}

// fillCommon fills the flags that every command has, and none of those that
// say what a thing is to be: a file that gives listen its --timeout says
// nothing about an endpoint.
func fillCommon(c *cli.Context) error { return fill(c, c.App, new(common).flags()) }

// when reads a moment: so long before now, or a time. "" is none.
func when(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, ok := match.ParseTime(text, now)
	if !ok {
		return t, usage("--%s %q: want a time ago such as 2h or 7d, or an RFC 3339 time", flag, text)
	}
	return t, nil
}
