// Package catalog has samples of the webhooks that providers send, and makes
// requests of samples and samples of requests.
//
// The built-in ones are ours: written by what providers document and checked
// against their published types where there are any (testdata/real/samples.sh),
// with invented names, ids and addresses. Nothing in them is a live key.
package catalog

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"code.hooktape.dev/hooktape/capture"
)

// types holds a file for each first half of a tag: an array of event types,
// whose provider is that half where they name none.
//
//go:embed types/*.json
var types embed.FS

// Builtin are the event types that came with hooktape, sorted by tag. They are
// parsed when first asked for. All callers share them, and change nothing.
func Builtin() []capture.EventType { return builtin() }

// Lookup is the built-in event type of that tag, in any case: no two differ in
// that alone.
func Lookup(tag string) (t capture.EventType, ok bool) {
	all := builtin()
	i, ok := slices.BinarySearchFunc(all, tag, func(t capture.EventType, tag string) int { return strings.Compare(t.Tag, tag) })
	if !ok {
		i = slices.IndexFunc(all, func(t capture.EventType) bool { return strings.EqualFold(t.Tag, tag) })
	}
	if i < 0 {
		return capture.EventType{}, false
	}
	return all[i], true
}

var builtin = sync.OnceValue(func() []capture.EventType {
	all, err := load()
	if err != nil {
		panic(err) // the files are compiled in, and a test reads them
	}
	return all
})

// load reads the files side by side, for somebody waits.
func load() ([]capture.EventType, error) {
	files, err := types.ReadDir("types")
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	all, errs := make([][]capture.EventType, len(files)), make([]error, len(files))
	for i, f := range files {
		wg.Go(func() { all[i], errs[i] = read(f.Name()) })
	}
	wg.Wait()
	sorted := slices.Concat(all...)
	slices.SortFunc(sorted, func(a, b capture.EventType) int { return strings.Compare(a.Tag, b.Tag) })
	return sorted, errors.Join(errs...)
}

func read(name string) (all []capture.EventType, err error) {
	text, err := types.ReadFile("types/" + name)
	if err != nil {
		return nil, err
	}
	// Senders do not indent.
	if err := json.Unmarshal(squeeze(text), &all); err != nil {
		return nil, fmt.Errorf("catalog: %s: %w", name, err)
	}
	for i := range all {
		all[i].Builtin, all[i].Sample = true, all[i].Sample.Whole()
		if all[i].Provider == "" {
			all[i].Provider = strings.TrimSuffix(name, ".json")
		}
	}
	return all, nil
}

// squeeze is a JSON document without the blanks between its tokens. Whether
// it is JSON is for others to say.
func squeeze(doc []byte) []byte {
	out := make([]byte, 0, len(doc))
	for i := 0; i < len(doc); i++ {
		switch doc[i] {
		case ' ', '\t', '\r', '\n':
		case '"':
			end := i + quoted(doc[i:])
			out = append(out, doc[i:end]...)
			i = end - 1
		default:
			out = append(out, doc[i])
		}
	}
	return out
}

// quoted is where the string that doc begins with has ended.
func quoted(doc []byte) int {
	for i := 1; i < len(doc); i++ {
		switch doc[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(doc)
}
