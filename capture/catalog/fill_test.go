package catalog_test

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

var (
	aNumber  = regexp.MustCompile(`"\{\{(now \\"(unix|ms)\\"|int [^}]*)\}\}"`)
	template = regexp.MustCompile(`\{\{(\w+)([^}]*)\}\}`)
)

// fill puts something that fits in place of each template of a sample. In a
// body a string that is one template of a number becomes that number.
func fill(t testing.TB, s capture.Sample) capture.Sample {
	t.Helper()
	body := aNumber.ReplaceAll(s.Body, []byte("1795301509"))
	s.Body = template.ReplaceAllFunc(body, func(m []byte) []byte { return []byte(some(string(m))) })
	headers := map[string]string{}
	for name, v := range s.Headers {
		headers[name] = template.ReplaceAllStringFunc(v, some)
	}
	query := map[string]json.RawMessage{}
	for name, v := range s.Query {
		query[name] = template.ReplaceAllFunc(v, func(m []byte) []byte { return []byte(some(string(m))) })
	}
	s.Headers, s.Query = headers, query
	return s
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
	case "int":
		return "1795301509"
	case "digits", "hex", "alnum":
		n, err := strconv.Atoi(strings.TrimSpace(m[2]))
		if err != nil {
			return "?" + expression
		}
		letters := map[string]string{"digits": "1795301509", "hex": "0a1b2c3d4e5f6789", "alnum": "zT4kQ9"}[m[1]]
		return strings.Repeat(letters, n)[:n]
	}
	return "?" + expression
}
