package catalog_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

var (
	aNumber  = regexp.MustCompile(`"\{\{(now \\"(unix|ms)\\"|int [^}]*|digits [^}]*)\}\}"`)
	template = regexp.MustCompile(`\{\{(\w+)([^}]*)\}\}`)
)

// fill puts something that fits in place of each template of a sample.
func fill(t testing.TB, s capture.Sample) capture.Sample {
	t.Helper()
	doc, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	headers := s.Headers
	doc = aNumber.ReplaceAllFunc(doc, func(m []byte) []byte {
		if string(m) == `"{{now \"ms\"}}"` {
			return []byte("1795301509000")
		}
		return []byte("1795301509")
	})
	var filled capture.Sample
	if err := json.Unmarshal(template.ReplaceAllFunc(doc, func(m []byte) []byte { return []byte(some(string(m))) }), &filled); err != nil {
		t.Fatalf("%v in %s", err, doc)
	}
	filled.Headers = map[string]string{}
	for name, v := range headers {
		filled.Headers[name] = template.ReplaceAllStringFunc(v, some)
	}
	return filled
}

func some(expression string) string {
	switch m := template.FindStringSubmatch(expression); m[1] {
	case "now":
		if m[2] != "" {
			return "1795301509"
		}
		return "2026-11-22T09:11:49Z"
	case "uuid":
		return "0f3c2a5e-7d4b-4c1a-9e8f-2b6d5a4c3e1f"
	case "email":
		return "someone@example.com"
	case "name":
		return "Some One"
	case "ip":
		return "192.0.2.7"
	case "int", "digits":
		return "1234567890"
	case "hex", "alnum":
		return "0123456789abcdef"
	}
	return "?" + expression
}
