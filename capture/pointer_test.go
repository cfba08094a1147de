package capture_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

const pointed = ` { "a" : {"b~/c": [1, {"d":"x\"}]"} , null]}, "e":{ },"f":[ ], "twice":1,"twice":2, "\u0067":true } `

func TestPointer(t *testing.T) {
	for _, tt := range []struct {
		at        capture.Pointer
		read, set string // "": an error
	}{
		{"", pointed[1 : len(pointed)-1], ` 7 `},
		{"/a/b~0~1c/1/d", `"x\"}]"`, ` { "a" : {"b~/c": [1, {"d":7} , null]}, "e":{ },"f":[ ], "twice":1,"twice":2, "\u0067":true } `},
		{"/a/b~0~1c/0", `1`, ` { "a" : {"b~/c": [7, {"d":"x\"}]"} , null]}, "e":{ },"f":[ ], "twice":1,"twice":2, "\u0067":true } `},
		{"/a/b~0~1c/-", "", ` { "a" : {"b~/c": [1, {"d":"x\"}]"} , null,7]}, "e":{ },"f":[ ], "twice":1,"twice":2, "\u0067":true } `},
		{"/a/b~0~1c/3", "", ` { "a" : {"b~/c": [1, {"d":"x\"}]"} , null,7]}, "e":{ },"f":[ ], "twice":1,"twice":2, "\u0067":true } `},
		{"/a/b~0~1c/4", "", ""},
		{"/a/b~0~1c/2", `null`, ` { "a" : {"b~/c": [1, {"d":"x\"}]"} , 7]}, "e":{ },"f":[ ], "twice":1,"twice":2, "\u0067":true } `},
		{"/e/new", "", ` { "a" : {"b~/c": [1, {"d":"x\"}]"} , null]}, "e":{"new":7 },"f":[ ], "twice":1,"twice":2, "\u0067":true } `},
		{"/f/0", "", ` { "a" : {"b~/c": [1, {"d":"x\"}]"} , null]}, "e":{ },"f":[7 ], "twice":1,"twice":2, "\u0067":true } `},
		{"/twice", `2`, ` { "a" : {"b~/c": [1, {"d":"x\"}]"} , null]}, "e":{ },"f":[ ], "twice":1,"twice":7, "\u0067":true } `},
		{"/g", `true`, ` { "a" : {"b~/c": [1, {"d":"x\"}]"} , null]}, "e":{ },"f":[ ], "twice":1,"twice":2, "\u0067":7 } `},
		{"/none/of", "", ""},
		{"/g/x", "", ""},
		{"a", "", ""},
	} {
		doc := []byte(pointed)
		read, ok := tt.at.Read(doc)
		if string(bytes.TrimSpace(read)) != tt.read || ok != (tt.read != "") {
			t.Errorf("%s: read %s, %v; want %s", tt.at, read, ok, tt.read)
		}
		set, err := tt.at.Set(doc, json.RawMessage(" 7\n"))
		if want := tt.set; want == ` 7 ` && string(set) != ` 7 ` || want != ` 7 ` && string(set) != want {
			t.Errorf("%s: set\n%s\nwant\n%s (%v)", tt.at, set, want, err)
		}
		if wrong := new(capture.PointerError); tt.set == "" && !errors.As(err, &wrong) {
			t.Errorf("%s: %v, want a PointerError", tt.at, err)
		}
		if string(doc) != pointed {
			t.Fatalf("%s: the document was changed", tt.at)
		}
	}
	for _, doc := range []string{"", "{", "nope", `{"b"`, `{"b":`, `{"b":1`, `{"b":"`, `[1,{"b":2]`, "}", `"x`} {
		if _, err := capture.Pointer("/a").Set([]byte(doc), json.RawMessage("1")); err == nil {
			t.Errorf("%q was changed", doc)
		}
	}
	want := []capture.Pointer{"/a", "/a/b~0~1c", "/a/b~0~1c/0", "/a/b~0~1c/1", "/a/b~0~1c/1/d", "/a/b~0~1c/2", "/e", "/f", "/twice", "/twice", "/g"}
	if got := capture.Pointers([]byte(pointed), 100); !slices.Equal(got, want) {
		t.Errorf("pointers %q, want %q", got, want)
	}
	if got := capture.Pointers([]byte(pointed), 2); len(got) != 2 {
		t.Errorf("%d pointers, want 2 at most", len(got))
	}
}

// FuzzPointer: what is set can be read, and what comes of JSON is JSON.
func FuzzPointer(f *testing.F) {
	f.Add([]byte(pointed), "/a/b~0~1c/1/d", []byte("7"))
	f.Add([]byte(`[[[]]]`), "/0/0/-", []byte(`"x"`))
	f.Add([]byte(`"\u0000"`), "", []byte(`{}`))
	f.Add([]byte(`{"a":-1.5e3}`), "/a", []byte(` null `))
	f.Fuzz(func(t *testing.T, doc []byte, at string, value []byte) {
		p := capture.Pointer(at)
		set, err := p.Set(doc, value)
		if err == nil {
			if json.Valid(doc) && !json.Valid(set) {
				t.Fatalf("set %q in %q makes %q", at, doc, set)
			}
			if got, ok := p.Read(set); json.Valid(doc) && (at == "" || at[len(at)-1] != '-') {
				if !ok || !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(value)) {
					t.Fatalf("%q of %q reads %q, %v; want %q", at, set, got, ok, value)
				}
			}
		}
		for _, p := range capture.Pointers(doc, 100) {
			if _, ok := p.Read(doc); !ok && json.Valid(doc) {
				t.Fatalf("%q of %q is not there", p, doc)
			}
		}
	})
}
