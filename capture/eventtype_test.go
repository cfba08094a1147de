package capture

import (
	"encoding/json"
	"testing"
)

func TestParseSetting(t *testing.T) {
	for text, want := range map[string]Setting{
		"/data/amount=4200":   {"/data/amount", json.RawMessage(`4200`)},
		"/ref=refs/heads/a=b": {"/ref", json.RawMessage(`"refs/heads/a=b"`)},
		"data.object.id=null": {"/data/object/id", json.RawMessage(`null`)},
		`/a={"b": [1]}`:       {"/a", json.RawMessage(`{"b": [1]}`)},
		"/empty=":             {"/empty", json.RawMessage(`""`)},
		"/torn=\"x\xff":       {"/torn", json.RawMessage(`"\"x\ufffd"`)},
	} {
		got, err := ParseSetting(text)
		if err != nil || got.Pointer != want.Pointer || string(got.Value) != string(want.Value) {
			t.Errorf("%q: got %s %s, %v; want %s %s", text, got.Pointer, got.Value, err, want.Pointer, want.Value)
		}
	}
	for _, text := range []string{"", "/a", "=1"} {
		if set, err := ParseSetting(text); err == nil {
			t.Errorf("%q: got %v", text, set)
		}
	}
}

func FuzzParseSetting(f *testing.F) {
	f.Add("/a=1")
	f.Add("a.b=\x00")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := ParseSetting(text)
		if err == nil && (!json.Valid(set.Value) || set.Pointer[0] != '/') {
			t.Errorf("%q: got %q %q", text, set.Pointer, set.Value)
		}
	})
}
