package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// A member that a sheet leaves out would be cleared by the next edit.
func TestSheetsNameEveryMember(t *testing.T) {
	for _, tt := range []struct {
		sheet sheet
		spec  any
	}{{appSheet, capture.AppSpec{}}, {endpointSheet, capture.EndpointSpec{}}} {
		var got, want []string
		for _, m := range tt.sheet {
			got = append(got, m.name)
		}
		spec := reflect.TypeOf(tt.spec)
		for i := range spec.NumField() {
			name, _, _ := strings.Cut(spec.Field(i).Tag.Get("json"), ",")
			want = append(want, name)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the sheet has %q, want %q", spec.Name(), got, want)
		}
	}
}

// The examples are what they say: taken out of their comments they make a
// spec, and what is not touched is not changed.
func TestSheetExamples(t *testing.T) {
	before, err := endpointSheet.write("t", capture.EndpointSpec{URL: "http://x"})
	if err != nil {
		t.Fatal(err)
	}
	after := string(before)
	for _, m := range endpointSheet {
		after = strings.Replace(after, "\n# "+m.name+": ", "\n"+m.name+": ", 1)
	}
	changes, err := endpointSheet.changes(before, []byte(after))
	if err != nil {
		t.Fatal(err)
	}
	var got capture.EndpointSpec
	if err := json.Unmarshal(changes, &got); err != nil {
		t.Fatalf("%v: %s", err, changes)
	}
	if got.Retry == nil || got.Retry.Attempts != 5 || got.RateLimit == nil || got.RateLimit.Max != 10 ||
		len(got.Subscriptions) != 1 || string(got.Subscriptions[0].Conditions[0].Value) != "100" || got.URL != "" {
		t.Errorf("the examples made %s", changes)
	}
}

func TestSheetChanges(t *testing.T) {
	spec := capture.EndpointSpec{
		URL: "http://x", Description: "2024-01-01", Filter: "a > b: \"c\" # d",
		Headers:  map[string]string{"A": "****", "B": "2"},
		Metadata: json.RawMessage(`{"n": 1e3, "deep": {"x": null, "y": [1, 2]}}`),
		Retry:    &capture.RetryPolicy{Preset: "wacht"},
	}
	before, err := endpointSheet.write("t", spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"nothing", "", "", ``},
		{"a comment", "# Where events go", "# To where", ``},
		{"a value", "url: http://x", "url: http://y", `{"url":"http://y"}`},
		{"a member cleared", "filter: ", "# filter: ", `{"filter":null}`},
		{"a date is text", `description: "2024-01-01"`, `description: 2024-01-02`, `{"description":"2024-01-02"}`},
		{"one header", `B: "2"`, `B: "3"`, `{"headers":{"B":"3"}}`},
		{"a header cleared", "  B: \"2\"\n", "", `{"headers":{"B":null}}`},
		{"a member more", "  preset: wacht", "  preset: wacht\n  attempts: 3", `{"retry":{"attempts":3}}`},
		{"a list whole", "      - 2\n", "      - 3\n", `{"metadata":{"deep":{"y":[1,3]}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			after := strings.Replace(string(before), tt.old, tt.new, 1)
			if tt.old != "" && after == string(before) {
				t.Fatalf("%q is not in\n%s", tt.old, before)
			}
			got, err := endpointSheet.changes(before, []byte(after))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("changes are %s, want %s", got, tt.want)
			}
		})
	}
}
