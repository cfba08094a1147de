package capture_test

import (
	"errors"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

func TestDecodeSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{"name":"a","mock":{"status":503}}`: "",
		`{"mock":{"staus":503}}`:             `staus: there is no such member; did you mean "status"?`,
		`{"macth":"x"}`:                      `macth: there is no such member; did you mean "match"?`,
		`{"xyzzy":1}`:                        `xyzzy: there is no such member`,
		`{"mock":{"status":"503"}}`:          "mock.status: string cannot stand here; want a whole number",
		`{"mock":{"status":5.5}}`:            "mock.status: number 5.5 cannot stand here; want a whole number",
		`{"probability":"often"}`:            "probability: string cannot stand here; want a number",
		`{"mock":[]}`:                        "mock: array cannot stand here; want an object",
		`{"name":true}`:                      "name: bool cannot stand here; want a string",
		`"x"`:                                "body: string cannot stand here; want an object",
		``:                                   "body: it is empty",
		`{"name":`:                           "body: unexpected EOF",
		`{} {}`:                              "body: more than one JSON value",
	} {
		err := capture.Decode([]byte(text), new(capture.RuleSpec))
		if want == "" && err == nil {
			continue
		}
		if wrong := new(capture.FieldError); !errors.As(err, &wrong) || wrong.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
