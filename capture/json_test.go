package capture_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// JSON has no strings but Unicode's. What strangers send is not all Unicode,
// and must come through all the same.
func TestJSONKeepsEveryByte(t *testing.T) {
	for _, tt := range []struct {
		value capture.Header
		want  string
	}{
		{capture.Header{"X-A", "b"}, `["X-A","b"]`},
		{capture.Header{"x-é", "日本"}, `["x-é","日本"]`},
		{capture.Header{"X-A", ""}, `["X-A",""]`},
		{capture.Header{"X-A", "\ufffd"}, `["X-A","` + "\ufffd" + `"]`},
		{capture.Header{"X-A", "Jos\xe9"}, `["X-A","Jos\udce9"]`},
	} {
		b, err := json.Marshal(tt.value)
		if err != nil || string(b) != tt.want {
			t.Errorf("%q is %s, %v; want %s", tt.value, b, err, tt.want)
		}
		var back capture.Header
		if err := json.Unmarshal(b, &back); err != nil || back != tt.value {
			t.Errorf("%s is %q, %v; want %q", b, back, err, tt.value)
		}
	}
	row := capture.Row{Pinned: true, Event: capture.Event{ID: "evt_X", Target: "/caf\xe9?\xff", Headers: capture.Headers{{"A", "\x80"}}, Trailers: capture.Headers{{"B", "\x81"}}}}
	b, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	var back capture.Row
	if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, row) {
		t.Errorf("%s is %+v, %v; want %+v", b, back, err, row)
	}
}

func TestJSONRefusesWhatIsNoHeader(t *testing.T) {
	for _, s := range []string{`[]`, `["a"]`, `["a","b","c"]`, `["a",1]`, `["a",{}]`, `["a",{"base64":"%"}]`, `{"a":"b"}`, `"a"`} {
		if h := new(capture.Header); json.Unmarshal([]byte(s), h) == nil {
			t.Errorf("%s is taken for the header %q", s, *h)
		}
	}
}

// A duration is written to the microsecond, and what was written once is not
// changed by being read and written again.
func TestDurationsSurviveJSON(t *testing.T) {
	for _, d := range []time.Duration{0, time.Microsecond, 23456 * time.Microsecond, 999_999 * time.Microsecond, time.Hour + 7*time.Microsecond, math.MaxInt32 * time.Millisecond} {
		b, err := json.Marshal(capture.Duration(d))
		var back capture.Duration
		if err == nil {
			err = json.Unmarshal(b, &back)
		}
		if err != nil || time.Duration(back) != d {
			t.Errorf("%v is written %s and read as %v, %v", d, b, back, err)
		}
	}
}

func FuzzRawJSON(f *testing.F) {
	for _, s := range []string{"", "a", "\xff", "é\xe9\"\\", `\udce9`, "😀\xf0\x9f", "\\\xff", "<\x00>\u2028"} {
		f.Add(s, []byte(`"`+s+`"`))
	}
	f.Fuzz(func(t *testing.T, s string, text []byte) {
		b, err := json.Marshal(capture.Raw(s))
		var back capture.Raw
		if err == nil {
			err = json.Unmarshal(b, &back)
		}
		if err != nil || string(back) != s {
			t.Errorf("%q is written %s and read as %q, %v", s, b, back, err)
		}
		json.Unmarshal(text, &back) // whatever it is, no panic
	})
}
