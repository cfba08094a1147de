package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// sheet is a spec as a person edits it: every member it can have, in order,
// with what it is for and an example.
type sheet []struct{ name, about, example string }

var appSheet = sheet{
	{"name", "A name for people.", "Shop"},
	{"description", "", "Orders and payments"},
	{"inactive", "true: catch events and deliver none to its endpoints.", "false"},
	{"answer", "What senders are told once their webhook is kept: a status from 200 to 599,\nheaders and a body. mode sync: what the handler of who listens answers, and this\nif none does within timeout_ms (10000).",
		"{mode: ack, timeout_ms: 10000, status: 200, headers: {Content-Type: text/plain}, body: thanks}"},
	{"challenges", "Answer providers who ask whether a receiver is there. Secrets are not shown; one that is\nleft as it is stays.",
		"{enabled: true, secrets: {zoom: the app's secret token}}"},
	{"seal_to", "To whom a relay encrypts what it takes, as hooktape keygen shows them; then only\nlisteners read it, and endpoints get none of it.",
		"[age1…]"},
	{"secrets", "What providers sign with, by name: to verify what they send and to sign in their name.\nOne that is left as it is stays.", "{stripe: whsec_…, stripe/test: whsec_…}"},
	{"check", "lenient or strict: hold its events against its event types; members that those do not\nknow are warnings, or errors.", "lenient"},
	{"metadata", "An object of your own.", "{team: logistics}"},
	{"catalog", "The catalog of what it sends; endpoints made by Wacht's API subscribe to nothing else.", "billing"},
	{"notify", "Mail addresses that Wacht's clients ask for. hooktape sends no mail.", "[ada@example.com]"},
}

var endpointSheet = sheet{
	{"url", "Where events go: an http or https address.", "https://example.com/hooks"},
	{"description", "", "Orders for the warehouse"},
	{"filter", "A predicate that every event must match, whatever the subscriptions say.", "type:order.* body.data.total:>100"},
	{"subscriptions", "Which events it gets: one subscription that matches is enough; none: every event.\n" +
		"All that is set in one must hold: type and source (* stands for any text, unless exact),\n" +
		"filter (a predicate), conditions (one is enough), filter_rules (an object).",
		"[{type: order.*, conditions: [{key: amount, condition: gt, value: 100}]}]"},
	{"headers", "Sent with every attempt. Values are not shown; one that is left as it is stays.", "{X-Warehouse: north}"},
	{"metadata", "An object of your own.", "{team: logistics}"},
	{"format", "How an event is put into a request: " + listed(capture.Formats) + ".\nNone: raw for what was caught, standard for what was made.", "standard"},
	{"timeout_ms", "When an attempt is given up, in milliseconds; none: 15000.", "15000"},
	{"concurrency", "Attempts under way at a time; 1 keeps events in order.", "1"},
	{"rate_limit", "At most so many attempts begin in any so many milliseconds.", "{max: 10, per_ms: 1000}"},
	{"retry", "When failed attempts are made again: a preset (" + strings.Join(presets(), ", ") + ")\n" +
		"or waits of your own, in milliseconds.", "{preset: standard, attempts: 5}"},
}

// edit opens an editor on spec and saves what was changed, as a JSON merge
// patch. It reports whether anything was.
//
// What is refused may be edited again, and stays in its file if that is not
// wanted.
func edit(e *env, title string, s sheet, spec any, save func(json.RawMessage) error) (changed bool, err error) {
	before, err := s.write(title, spec)
	if err != nil {
		return false, err
	}
	path, err := editFile(before)
	if err != nil {
		return false, err
	}
	for {
		if err := openEditor(e, path); err != nil {
			return false, kept(e, path, before, fmt.Errorf("nothing was changed: %w", err))
		}
		after, err := os.ReadFile(path)
		if err != nil {
			return false, err
		}
		changes, err := s.changes(before, after)
		if err == nil && len(changes) == 0 {
			fmt.Fprintln(e.stderr, "nothing was changed")
			return false, os.Remove(path)
		}
		if err == nil {
			err = save(changes)
		}
		if err == nil {
			return true, os.Remove(path)
		}
		if !terminal(e.stdin) {
			return false, kept(e, path, before, err)
		}
		fmt.Fprintf(e.stderr, "hooktape: %s\n", safe.Line(err.Error()))
		if again := confirm(e, "Edit again?"); again != nil {
			return false, kept(e, path, before, again)
		}
	}
}

// kept says where the text is that was not saved, unless it is as it was
// before.
func kept(e *env, path string, before []byte, err error) error {
	if after, unread := os.ReadFile(path); unread == nil && bytes.Equal(before, after) {
		return errors.Join(err, os.Remove(path))
	}
	fmt.Fprintf(e.stderr, "What you wrote is in %s\n", path)
	return err
}

func editFile(text []byte) (path string, err error) {
	f, err := os.CreateTemp("", "hooktape-*.yaml") // readable by this user only
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	return f.Name(), errors.Join(err, f.Close())
}

// openEditor runs the user's editor on a file and waits for it. Like git's,
// its name is a shell's: it may have arguments and quotes.
func openEditor(e *env, path string) error {
	editor := or(or(os.Getenv("VISUAL"), os.Getenv("EDITOR")), "vi")
	cmd := exec.Command("sh", "-c", editor+` "$1"`, editor, path)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = e.stdin, e.stderr, e.stderr // what commands write is for programs
	if terminal(e.stdout) {
		cmd.Stdout = e.stdout
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the editor (%s): %w", editor, err)
	}
	return nil
}

// write is spec as YAML, with a comment for each member it has or could have.
func (s sheet) write(title string, spec any) ([]byte, error) {
	b, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	var has map[string]yaml.Node
	if err := yaml.Unmarshal(b, &has); err != nil { // JSON is YAML
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# %s\n#\n# Save and quit to change it; quit to leave it as it is. A member that is taken out is cleared.\n", title)
	for _, m := range s {
		out.WriteByte('\n')
		if m.about != "" {
			out.WriteString("# " + strings.ReplaceAll(m.about, "\n", "\n# ") + "\n")
		}
		value, there := has[m.name]
		if !there || value.Kind == yaml.ScalarNode && value.Value == "" || value.Kind != yaml.ScalarNode && len(value.Content) == 0 {
			fmt.Fprintf(&out, "# %s: %s\n", m.name, m.example)
			continue
		}
		plain(&value)
		enc := yaml.NewEncoder(&out)
		enc.SetIndent(2)
		if err := errors.Join(enc.Encode(map[string]*yaml.Node{m.name: &value}), enc.Close()); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// plain takes the brackets and quotes of JSON away.
func plain(n *yaml.Node) {
	n.Style = 0
	for _, below := range n.Content {
		plain(below)
	}
}

// changes is the merge patch (RFC 7396) that makes what is written after of
// what was before; nil when that is the same.
func (s sheet) changes(before, after []byte) (json.RawMessage, error) {
	old, err := s.read(before)
	if err != nil {
		return nil, err
	}
	now, err := s.read(after)
	if err != nil {
		return nil, err
	}
	d := difference(old, now)
	if len(d) == 0 {
		return nil, nil
	}
	return json.Marshal(d)
}

func (s sheet) read(text []byte) (map[string]any, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, exitError{exitUsage, err}
	}
	dates(&doc)
	var spec map[string]any
	if err := doc.Decode(&spec); err != nil {
		return nil, exitError{exitUsage, err}
	}
	var names []string
	for _, m := range s {
		names = append(names, m.name)
	}
	for name := range spec {
		if !slices.Contains(names, name) {
			return nil, usage("no member %q; did you mean %q?", name, nearest(name, names))
		}
	}
	return spec, nil
}

// dates makes text of what YAML takes for a time: JSON has none.
func dates(n *yaml.Node) {
	if n.ShortTag() == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, below := range n.Content {
		dates(below)
	}
}

func difference(old, now map[string]any) map[string]any {
	d := make(map[string]any)
	for name, v := range now {
		was, had := old[name]
		inOld, a := was.(map[string]any)
		inNow, b := v.(map[string]any)
		switch {
		case a && b:
			if below := difference(inOld, inNow); len(below) > 0 {
				d[name] = below
			}
		case !had && v == nil:
		case !reflect.DeepEqual(was, v):
			d[name] = v
		}
	}
	for name := range old {
		if _, stays := now[name]; !stays {
			d[name] = nil
		}
	}
	return d
}
