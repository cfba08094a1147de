package capture_test

import (
	"bytes"
	"encoding/json"
	"errors"
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
}

func TestPointerNear(t *testing.T) {
	doc := []byte(`{"data":{"object":{"amount_payable_by_the_customer":1,"id":2}},"list":[{"id":1}]}`)
	for asked, want := range map[capture.Pointer]capture.Pointer{
		"/data/object/id": "", "/data/object/amount_payable_by_the_custmoer": "/data/object/amount_payable_by_the_customer",
		"/daat/object/id": "/data/object/id", "/daat/objcet/idd": "/data/object/id", "/data/object/currency": "", "/list/0/ids": "/list/0/id",
		"/list/7/id": "", "nope": "", "": "",
	} {
		if got := asked.Near(doc); got != want {
			t.Errorf("%s: %q, want %q", asked, got, want)
		}
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
		if near := p.Near(doc); near != "" && json.Valid(doc) {
			if _, ok := near.Read(doc); !ok {
				t.Fatalf("%q of %q is near %q and not there", near, doc, p)
			}
		}
	})
}
