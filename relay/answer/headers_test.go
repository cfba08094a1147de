package answer_test

import (
	"errors"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/answer"
)

func TestCheckHeaders(t *testing.T) {
	for _, ok := range []map[string]string{
		nil,
		{"X-A": "1", "x_b": "", "Authorization": "Bearer x y", "a!#$%&'*+-.^_`|~9": "a\tb", "Content-Type": "application/json", "X-Name": "José", "User-Agent": "mine", "webhook-id": "x"},
		{"X": strings.Repeat("a", 16<<10-1)},
	} {
		if err := answer.CheckHeaders(ok); err != nil {
			t.Errorf("%v: %v", ok, err)
		}
	}
	for field, bad := range map[string]map[string]string{
		"headers.":                  {"": "x"},
		"headers.X:Y":               {"X:Y": "x"},
		"headers.X ":                {"X ": "x"},
		"headers.X\r\nY":            {"X\r\nY": "x"},
		"headers.Ü":                 {"Ü": "x"},
		"headers.HOST":              {"X-A": "1", "HOST": "x"},
		"headers.Content-Length":    {"Content-Length": "1"},
		"headers.transfer-encoding": {"transfer-encoding": "chunked"},
		"headers.Connection":        {"Connection": "close"},
		"headers.Upgrade":           {"Upgrade": "h2c"},
		"headers.Expect":            {"Expect": "100-continue"},
		"headers.x-a":               {"X-A": "1", "x-a": "2"},
		"headers.X-Line":            {"X-Line": "a\r\nY: b"},
		"headers.X-LF":              {"X-LF": "a\nb"},
		"headers.X-Nul":             {"X-Nul": "a\x00b"},
		"headers.X-Esc":             {"X-Esc": "\x1b[31m"},
		"headers.X-Blank":           {"X-Blank": " a"},
		"headers.X-Big":             {"X-Big": strings.Repeat("a", 16<<10)},
	} {
		err := answer.CheckHeaders(bad)
		var fe *capture.FieldError
		if !errors.As(err, &fe) || fe.Field != field || fe.Problem == "" {
			t.Errorf("%.40q: %v, want a refusal of %s", bad, err, field)
		}
	}
}
