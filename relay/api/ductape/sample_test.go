package ductape_test

import (
	"encoding/json"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture/fill"
	"code.hooktape.dev/hooktape/relay/api/ductape"
)

func TestShapes(t *testing.T) {
	for in, want := range map[string]string{
		`{"headers":{},"query":{},"body":{"a":1},"params":{}}`: `{"headers":{},"query":{},"body":{"a":1},"params":{}}`,
		`{"body":{"a":1}}`:                      `{"headers":{},"query":{},"body":{"a":1},"params":{}}`,
		`{"body":null,"headers":null}`:          `{"headers":{},"query":{},"body":null,"params":{}}`,
		`{"headers":{"a":"b"},"query":{}}`:      `{"headers":{},"query":{},"body":{"headers":{"a":"b"},"query":{}},"params":{}}`,
		`{"body":1,"method":"GET"}`:             `{"headers":{},"query":{},"body":{"body":1,"method":"GET"},"params":{}}`,
		`{}`:                                    `{"headers":{},"query":{},"body":{},"params":{}}`,
		`[1]`:                                   `{"headers":{},"query":{},"body":[1],"params":{}}`,
		`"text"`:                                `{"headers":{},"query":{},"body":"text","params":{}}`,
		`"{\"a\":1}"`:                           `{"headers":{},"query":{},"body":{"a":1},"params":{}}`,
		`"{\"body\":{},\"params\":{\"x\":2}}"`:  `{"headers":{},"query":{},"body":{},"params":{"x":2}}`,
		`{"body":"{{a}}","headers":{"h":"{{"}}`: `{"headers":{"h":"{{"},"query":{},"body":"{{a}}","params":{}}`,
	} {
		var s ductape.SampleInput
		if err := json.Unmarshal([]byte(in), &s); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		got, err := json.Marshal(ductape.Shown(ductape.Literal(&s)))
		if err != nil || string(got) != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", in, got, err, want)
		}
	}
}

// Whatever a sample is, its body is what is sent, and what is shown again.
func FuzzSample(f *testing.F) {
	f.Add(`{"headers":{"a":"{{x}}"},"query":{"q":[1,"{{"]},"body":{"a":["{{'{{'}} {{{"]},"params":{}}`)
	f.Add(`"{\"body\":1}"`)
	f.Fuzz(func(t *testing.T, text string) {
		var s ductape.SampleInput
		if len(text) > 1<<12 || json.Unmarshal([]byte(text), &s) != nil || len(s.Body) == 0 {
			return
		}
		literal := ductape.Literal(&s)
		sent, err := fill.JSON(literal.Body, nil)
		if err != nil {
			return // over a limit, which is said where it is made
		}
		if !same(t, sent, s.Body) {
			t.Errorf("%s is sent as %s", s.Body, sent)
		}
		if shown := ductape.Shown(literal); !same(t, shown.Body, s.Body) {
			t.Errorf("%s is shown as %s", s.Body, shown.Body)
		}
	})
}

func same(t *testing.T, a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		t.Fatalf("no JSON: %s and %s", a, b)
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}

func TestDescribe(t *testing.T) {
	got := ductape.Describe(json.RawMessage(`{"a":{"b":[{"c":null},"x",[true]]},"n":1.50}`))
	var said []string
	for _, d := range got {
		value, err := json.Marshal([]any{d.Key, d.ParentKey, d.Level, d.Index, d.ParentIndex, d.Type, d.SampleValue})
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, string(value))
	}
	want := []string{
		`["a","",0,0,0,"object","{\"b\":[{\"c\":null},\"x\",[true]]}"]`,
		`["b","a",1,0,0,"array","[{\"c\":null},\"x\",[true]]"]`,
		`["c","b",2,0,0,"object","null"]`,
		`["0","b",2,0,2,"boolean",true]`,
		`["n","",0,1,0,"number",1.50]`,
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	for _, none := range []string{``, `null`, `5`, `"x"`, `[]`, `{}`, `["a",null]`} {
		if got := ductape.Describe(json.RawMessage(none)); got == nil || len(got) != 0 {
			t.Errorf("%q: got %+v", none, got)
		}
	}
}

// What is nested deeply would be much longer than itself.
func TestDescribeIsBounded(t *testing.T) {
	for name, body := range map[string]string{
		"deep":  strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_000),
		"lists": strings.Repeat(`[`, 9_000) + strings.Repeat("]", 9_000),
		"wide":  `{"a":0` + strings.Repeat(`,"a":0`, 100_000) + `}`,
		"long":  strings.Repeat(`{"a":`, 50) + `"` + strings.Repeat("x", 1<<20) + `"` + strings.Repeat("}", 50),
	} {
		all := ductape.Describe(json.RawMessage(body))
		text, err := json.Marshal(all)
		if err != nil || len(all) > 10_000 || len(text) > 16<<20 {
			t.Errorf("%s: %d descriptors, %d bytes, %v", name, len(all), len(text), err)
		}
	}
}

func FuzzDescribe(f *testing.F) {
	f.Add(`{"a":[{"b":null},[1,{"c":{}}]]}`)
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) < 1<<12 && json.Valid([]byte(body)) {
			ductape.Describe(json.RawMessage(body))
		}
	})
}
