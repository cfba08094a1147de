package catalog_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
)

func TestParseSelector(t *testing.T) {
	for text, want := range map[string]catalog.Selector{
		"":                                 nil,
		"  ":                               nil,
		"event":                            {"/event"},
		"$Event{event}":                    {"/event"},
		"$Event{event}}":                   {"/event"},
		"$Event{data}{status}":             {"/data/status"},
		"data.status":                      {"/data/status"},
		"type,data.status":                 {"/type", "/data/status"},
		" type , $Event{data}{a.b}}, c ":   {"/type", "/data/a.b", "/c"},
		"$Event{a,b}{c d},e":               {"/a,b/c d", "/e"},
		"$Event{a/b}{c~d}":                 {"/a~1b/c~0d"},
		"items.0.kind":                     {"/items/0/kind"},
		strings.Repeat("a,", 15) + "a":     slices.Repeat(catalog.Selector{"/a"}, 16),
		"$Event{ä}{ \"quoted\" }, ünïcode": {"/ä/ \"quoted\" ", "/ünïcode"},
	} {
		got, err := catalog.ParseSelector(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{",", "a,", "a,,b", "a..b", ".a", "$Event", "$Event{}", "$Event{a", "$Event{a}b", "$Event{a{b}}", "a{b}", "$Data{a}",
		strings.Repeat("a,", 16) + "a", strings.Repeat("a", 4<<10+1)} {
		got, err := catalog.ParseSelector(text)
		var wrong *capture.FieldError
		if !errors.As(err, &wrong) || wrong.Field != "selector" {
			t.Errorf("%.80q: got %q, %v, want an error about the selector", text, got, err)
		}
	}
}

func TestSelectorValues(t *testing.T) {
	const body = `{"event":"paid","n":5,"ok":true,"none":null,"in":{"a":["x"]}}`
	for text, want := range map[string][]string{
		"event": {"paid"}, "n": {"5"}, "ok": {"true"}, "event,n": {"paid", "5"}, "in.a.0": {"x"},
		"none": nil, "in": nil, "in.a": nil, "event,missing": nil, "event.deeper": nil, "": nil,
	} {
		s, err := catalog.ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := s.Values([]byte(body)); ok != (want != nil) || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v, want %q", text, got, ok, want)
		}
	}
}

func TestSelectorWanted(t *testing.T) {
	for _, tt := range []struct {
		selector, value string
		want            []string // nil: refused
	}{
		{"a", `"x"`, []string{"x"}},
		{"a", `"x,y"`, []string{"x,y"}},
		{"a", `5`, []string{"5"}},
		{"a", `[true]`, []string{"true"}},
		{"a,b", `"x, y"`, []string{"x", "y"}},
		{"a,b", `["x,1",2]`, []string{"x,1", "2"}},
		{"a,b", `"x"`, nil},
		{"a", `["x","y"]`, nil},
		{"a", `null`, nil},
		{"a", `{}`, nil},
		{"a", `[{}]`, nil},
	} {
		s, err := catalog.ParseSelector(tt.selector)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Wanted(json.RawMessage(tt.value))
		if !slices.Equal(got, tt.want) || (err == nil) != (tt.want != nil) {
			t.Errorf("%s = %s: got %q, %v, want %q", tt.selector, tt.value, got, err, tt.want)
		}
	}
}

func FuzzParseSelector(f *testing.F) {
	f.Add("$Event{a}{b}},c.d", `{"a":{"b":1},"c":{"d":true}}`)
	f.Fuzz(func(t *testing.T, text, body string) {
		s, err := catalog.ParseSelector(text)
		if err != nil {
			return
		}
		if values, ok := s.Values([]byte(body)); ok && len(values) != len(s) {
			t.Errorf("%q finds %q at %q", text, values, s)
		}
	})
}
