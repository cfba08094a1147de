package blocklet_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api/blocklet"
)

// TestRefusals are inputs and what its servers say of them, letter by letter.
func TestRefusals(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	id := r.create("/there", "")
	url := fmt.Sprintf("url: %q", r.receiver.URL+"/x")
	const events = `enabledEvents: [{type: "a", source: "s"}]`
	for _, c := range []struct{ op, input, want string }{
		{"create", events, `Invalid parameter: internal`},
		{"create", `url: "", ` + events, `Invalid parameter: internal`},
		{"create", `url: null, ` + events, `Invalid parameter: internal`},
		{"create", `url: "nope", ` + events, `Invalid parameter: internal (*)`},
		{"create", `url: "http://169.254.169.254/", ` + events, `Invalid parameter: internal (*)`},
		{"create", fmt.Sprintf("url: %q, ", r.receiver.URL+"/there") + events, `webhook endpoint with same url already exist`},
		{"create", `url: "http://a.test/` + strings.Repeat("x", 500) + `", ` + events, `"url" length must be less than or equal to 512 characters long`},
		{"create", url + `, description: null, ` + events, `"description" must be a string`},
		{"create", url + `, description: "` + strings.Repeat("x", 513) + `", ` + events, `"description" length must be less than or equal to 512 characters long`},
		{"create", url + `, apiVersion: "12345678901234567", ` + events, `"apiVersion" length must be less than or equal to 16 characters long`},
		{"create", url, `"enabledEvents" is required`},
		{"create", url + `, enabledEvents: null`, `"enabledEvents" must be an array`},
		{"create", url + `, enabledEvents: [{source: "s"}]`, `"enabledEvents[0].type" is required`},
		{"create", url + `, enabledEvents: [{type: "a", source: "s"}, {type: "a"}]`, `"enabledEvents[1].source" is required`},
		{"create", url + `, enabledEvents: [{type: "", source: "s"}]`, `"enabledEvents[0].type" is not allowed to be empty`},
		{"create", url + `, enabledEvents: [{type: "a", source: null}]`, `"enabledEvents[0].source" must be a string`},
		{"create", url + `, metadata: [object Object], ` + events, `"metadata" must be of type object`},
		{"create", url + `, metadata: null, ` + events, `"metadata" must be of type object`},
		{"create", url + `, status: "nope", ` + events, `"status" must be one of [enabled, disabled]`},
		{"create", url + `, status: "deleted", ` + events, `"status" must be one of [enabled, disabled]`},
		{"create", url + `, description: 1e999999, status: "nope"`, ``}, // not even GraphQL
		{"update", `description: ""`, `"description" is not allowed to be empty`},
		{"update", `description: null`, `"description" must be a string`},
		{"update", `url: ""`, `Invalid parameter: internal`},
		{"update", `url: "ftp://a"`, `Invalid parameter: internal (*)`},
		{"update", `status: "off"`, `"status" must be one of [enabled, disabled]`},
		{"update", `enabledEvents: [{}]`, `"enabledEvents[0].type" is required`},
		{"update", `metadata: 5`, `"metadata" must be of type object`},
	} {
		q := fmt.Sprintf(`mutation{createWebhookEndpoint(input: {teamDid: "T", input: {%s}}){data{id}}}`, c.input)
		if c.op == "update" {
			q = fmt.Sprintf(`mutation{updateWebhookEndpoint(input: {teamDid: "T", id: %q, data: {%s}}){data{id}}}`, id, c.input)
		}
		if c.want == "" {
			if status, out := r.post(q, nil); status != 400 {
				t.Errorf("%s %s: %d %v, want 400", c.op, c.input, status, out)
			}
			continue
		}
		got := r.refused(q)
		if head, _, open := strings.Cut(c.want, "*"); got != c.want && !(open && strings.HasPrefix(got, head) && strings.HasSuffix(got, ")")) {
			t.Errorf("%s %.80s: got %q, want %q", c.op, c.input, got, c.want)
		}
	}
	if rows, err := r.registry.Endpoints(t.Context(), capture.EndpointQuery{App: "t"}); err != nil || len(rows) != 1 {
		t.Errorf("there are %d endpoints, %v: something was made", len(rows), err)
	}
}

// What is missing, in every operation.
func TestMissing(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	const all = `Missing required parameters`
	for q, want := range map[string]string{
		`mutation{createWebhookEndpoint(input: {}){data{id}}}`:                                                                      all + ": nothing arrived",
		`mutation{createWebhookEndpoint(input: {teamDid: "T"}){data{id}}}`:                                                          all,
		`mutation{createWebhookEndpoint(input: {input: {url: "http://a.test"}}){data{id}}}`:                                         all,
		`mutation{updateWebhookEndpoint{data{id}}}`:                                                                                 all + ": nothing arrived",
		`mutation{updateWebhookEndpoint(input: {teamDid: "T"}){data{id}}}`:                                                          all,
		`mutation{deleteWebhookEndpoint{data{id}}}`:                                                                                 all,
		`mutation{regenerateWebhookEndpointSecret(input: {id: "x"}){secret}}`:                                                       all,
		`mutation{retryWebhookAttempt(input: {teamDid: "T", webhookId: "w", attemptId: "a"}){data{id}}}`:                            all,
		`{getWebhookEndpoint{data{id}}}`:                                                                                            all,
		`{getWebhookEndpoints{list{id}}}`:                                                                                           `Missing required parameter: did`,
		`{getWebhookAttempts(input: {}){list{id}}}`:                                                                                 `Missing required parameter: teamDid`,
		`{getWebhookEndpoints(input: {teamDid: "中"}){list{id}}}`:                                                                    `Invalid teamDid: 中`,
		`{getWebhookEndpoint(input: {teamDid: "T", id: "wh_none"}){data{id}}}`:                                                      `webhook endpoint not found`,
		`mutation{deleteWebhookEndpoint(input: {teamDid: "T", id: "wh_01JZZZZZZZZZZZZZZZZZZZZZZZ"}){data{id}}}`:                     `webhook endpoint not found`,
		`mutation{retryWebhookAttempt(input: {teamDid: "T", eventId: "e", webhookId: "w", attemptId: "a"}){data{id}}}`:              `webhook attempt not found`,
		`mutation{regenerateWebhookEndpointSecret(input: {teamDid: "T", id: "00000000-0000-4000-8000-000000000000"}){code secret}}`: `webhook endpoint not found`,
	} {
		if got := r.refused(q); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", q, got, want)
		}
	}
}

// TestLiterals is what published clients make of JavaScript's values.
func TestLiterals(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	for i, c := range []struct{ input, member, want string }{
		{`description: "a	b \" \\ ä 😀"`, "description", `"a\tb \" \\ ä 😀"`},
		{"description: \"\"\"l1\n  l2 \\\"q\\\" \\\\ e\"\"\"", "description", `"l1\nl2 \\\"q\\\" \\\\ e"`},
		{`metadata: {a:1,b:"x",c:[true,{d:2.5}]}`, "metadata", `{"a":1,"b":"x","c":[true,{"d":2.5}]}`},
		{`metadata: {"a":1,"b" : {"c":"\"d\": e"}, f:"g:"}`, "metadata", `{"a":1,"b":{"c":"\"d\": e"},"f":"g:"}`},
		{`metadata: {n: 1678886400000}`, "metadata", `{"n":1678886400000}`},
		{`createdAt: 1678886400000, updatedAt: 99999999999999999`, "status", `"enabled"`},
		{`id: "mine", secret: "mine"`, "status", `"enabled"`},
		{`status: "disabled"`, "status", `"disabled"`},
		{`apiVersion: "1.0"`, "apiVersion", `"1.0"`},
		{`description: ""`, "apiVersion", `"2025-02-27"`},
	} {
		id := r.create(fmt.Sprintf("/%d", i), c.input)
		if got, err := json.Marshal(at(r.get(id), c.member)); err != nil || string(got) != c.want {
			t.Errorf("%s: its %s is %s, want %s", c.input, c.member, got, c.want)
		}
	}
}

// TestArguments: whatever the form of the arguments, the operation is the same.
func TestArguments(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	const state = `enabledEvents: [{type: "a", source: "s"}]`
	for i, q := range []string{
		`mutation{createWebhookEndpoint(input: {teamDid: "T", input: {url: %q, ` + state + `}}){data{id}}}`,
		`mutation{createWebhookEndpoint(teamDid: "T", input: {url: %q, ` + state + `}){data{id}}}`,
		`mutation{createWebhookEndpoint(teamDid: "did:abt:T", input: {input: {url: %q, ` + state + `}}){data{id}}}`,
	} {
		r.ask(fmt.Sprintf(q, fmt.Sprintf("%s/%d", r.receiver.URL, i)), "createWebhookEndpoint", "data", "id")
	}
	id := r.create("/x", "")
	for want, q := range map[string]string{
		"one":   `mutation{updateWebhookEndpoint(input: {teamDid: "T", id: "ID", data: {description: "one"}}){data{description}}}`,
		"two":   `mutation{updateWebhookEndpoint(teamDid: "T", id: "ID", data: {description: "two"}){data{description}}}`,
		"three": `mutation{updateWebhookEndpoint(teamDid: "T", id: "ID", data: {description: "three", url: "http://127.0.0.1:9/"}){data{description}}}`,
	} {
		same(t, q, r.ask(strings.ReplaceAll(q, "ID", id), "updateWebhookEndpoint", "data", "description"), want)
	}
	for _, q := range []string{
		`{getWebhookEndpoints(input: {teamDid: "T", paging: {page: 2, pageSize: 3}}){list{id} paging{page pageCount pageSize total}}}`,
		`{getWebhookEndpoints(teamDid: "T", paging: {page: 2, pageSize: 3}){list{id} paging{page pageCount pageSize total}}}`,
	} {
		same(t, q, at(r.ask(q, "getWebhookEndpoints"), "paging"), map[string]int{"page": 2, "pageCount": 2, "pageSize": 3, "total": 4})
	}
	status, out := r.post(`query Q($in: RequestGetWebhookEndpointInput, $n: Uint32) {
		getWebhookEndpoint(input: $in) { data { id } } getWebhookEndpoints(teamDid: "T", paging: {pageSize: $n}) { list { id } } }`,
		map[string]any{"in": map[string]any{"teamDid": "T", "id": id}, "n": 1})
	if status != 200 || at(out, "data", "getWebhookEndpoint", "data", "id") != id || at(out, "data", "getWebhookEndpoints", "list", 0, "id") != id {
		t.Errorf("by variables: %d %v", status, out)
	}
	for _, q := range []string{
		`mutation{deleteWebhookEndpoint(teamDid: "T", id: "ID"){code data{status}}}`,
	} {
		same(t, q, r.ask(strings.ReplaceAll(q, "ID", id), "deleteWebhookEndpoint"), map[string]any{"code": "ok", "data": map[string]string{"status": "deleted"}})
	}
}

func TestPaging(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	for i := range 12 {
		r.create(fmt.Sprintf("/%02d", i), "")
	}
	for paging, want := range map[string][4]int{ // page, pageSize, pageCount, rows
		``:                                               {1, 10, 2, 10},
		`paging: {}`:                                     {1, 10, 2, 10},
		`paging: {page: 2}`:                              {2, 10, 2, 2},
		`paging: {page: 3, pageSize: 5}`:                 {3, 5, 3, 2},
		`paging: {page: 9, pageSize: 5}`:                 {9, 5, 3, 0},
		`paging: {pageSize: 1000}`:                       {1, 100, 1, 12},
		`paging: {page: 0, pageSize: -1}`:                {1, 10, 2, 10},
		`paging: {page: 1.5, pageSize: "x"}`:             {1, 10, 2, 10},
		`paging: {page: 2147483647, pageSize: 100}`:      {2147483647, 100, 1, 0},
		`paging: {total: 1, pageCount: 1, pageSize: 12}`: {1, 12, 1, 12},
	} {
		got := r.ask(fmt.Sprintf(`{getWebhookEndpoints(input: {teamDid: "T" %s}){list{url} paging{page pageCount pageSize total}}}`, paging), "getWebhookEndpoints")
		same(t, paging, at(got, "paging"), map[string]int{"page": want[0], "pageSize": want[1], "pageCount": want[2], "total": 12})
		if list := at(got, "list").([]any); len(list) != want[3] {
			t.Errorf("%s: %d rows, want %d", paging, len(list), want[3])
		} else if len(list) > 0 && want[0] == 1 && at(list, 0, "url") != r.receiver.URL+"/11" {
			t.Errorf("%s: the first is %v, want the newest", paging, list[0])
		}
	}
}

var hexSecret = regexp.MustCompile(`^[0-9a-f]{64}$`)

// The secret is whole where it is made, and nowhere else.
func TestSecret(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	q := fmt.Sprintf(`mutation{createWebhookEndpoint(input: {teamDid: "T", input: {url: %q, enabledEvents: []}}){data{id secret}}}`, r.receiver.URL)
	made := r.ask(q, "createWebhookEndpoint", "data")
	id, secret := at(made, "id").(string), at(made, "secret").(string)
	if !hexSecret.MatchString(secret) {
		t.Errorf("the secret is %q", secret)
	}
	masked := "****" + secret[60:]
	same(t, "get", at(r.get(id), "secret"), masked)
	same(t, "update", r.ask(fmt.Sprintf(`mutation{updateWebhookEndpoint(input: {teamDid: "T", id: %q, data: {secret: "mine"}}){data{secret}}}`, id), "updateWebhookEndpoint", "data", "secret"), masked)
	next := r.ask(fmt.Sprintf(`mutation{regenerateWebhookEndpointSecret(input: {teamDid: "T", id: %q}){secret}}`, id), "regenerateWebhookEndpointSecret", "secret").(string)
	if !hexSecret.MatchString(next) || next == secret {
		t.Errorf("the new secret is %q", next)
	}
	row, err := r.store.EndpointRow(t.Context(), capture.ID(id))
	if err != nil || len(row.Secret.Old) != 0 {
		t.Errorf("the old secret counts on: %v, %v", row.Secret, err)
	}
}

// TestMetadata: an update replaces it whole, but for one that disables, which
// adds to it. The version is kept beside it, unseen.
func TestMetadata(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	id := r.create("/", `, apiVersion: "1.0", metadata: {a: {x: 1, y: 2}, b: 2}`)
	for _, c := range []struct{ data, want string }{
		{`metadata: {a: {y: 3}, c: [1]}`, `{"a":{"y":3},"c":[1]}`},
		{`description: "d"`, `{"a":{"y":3},"c":[1]}`},
		{`metadata: {b: 1}, status: "disabled"`, `{"a":{"y":3},"b":1,"c":[1]}`},
		{`status: "enabled"`, `{"a":{"y":3},"b":1,"c":[1]}`},
		{`metadata: {}`, `{}`},
	} {
		got := r.ask(fmt.Sprintf(`mutation{updateWebhookEndpoint(input: {teamDid: "T", id: %q, data: {%s}}){data{metadata apiVersion}}}`, id, c.data), "updateWebhookEndpoint", "data")
		if b, err := json.Marshal(at(got, "metadata")); err != nil || string(b) != c.want || at(got, "apiVersion") != "1.0" {
			t.Errorf("%s: got %v, want metadata %s", c.data, got, c.want)
		}
	}
}

// TestNoEvents: where no events are enabled none are sent, and so it stays.
func TestNoEvents(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	id := r.create("/", "")
	update := func(data string) any {
		return r.ask(fmt.Sprintf(`mutation{updateWebhookEndpoint(input: {teamDid: "T", id: %q, data: {%s}}){data{enabledEvents{type source}}}}`, id, data), "updateWebhookEndpoint", "data", "enabledEvents")
	}
	same(t, "emptied", update(`enabledEvents: []`), []any{})
	same(t, "left", update(`description: "d"`), []any{})
	for _, x := range must(r.registry.Explain(t.Context(), r.emit("a", "s", "{}").ID))(t) {
		if x.Matches {
			t.Errorf("with no events enabled it gets one: %+v", x)
		}
	}
	same(t, "filled", update(`enabledEvents: [{type: "b", source: "*"}]`), []map[string]string{{"type": "b", "source": "*"}})
	r.emit("b", "s", "{}") // * is a name here, and no pattern
	r.emit("a", "*", "{}")
	r.emit("b", "*", `{"n":1}`)
	contains(t, r.next(), `{"n":1,`)
	if page := r.until(`input: {webhookId: "`+id+`"}`, "succeeded"); at(page, "paging", "total") != 1.0 {
		t.Errorf("got %v, want one attempt", page)
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestElsewhere: endpoints that were registered in other ways can be read and
// changed, and those of this dialect mean something elsewhere.
func TestElsewhere(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	r.create("/first", "")
	subs := []capture.Subscription{{Type: "order.*", Filter: "body.a:1"}, {Source: "shop"}}
	made := must(r.registry.CreateEndpoint(t.Context(), "t", capture.EndpointSpec{URL: r.receiver.URL + "/other", Subscriptions: subs}))(t)
	all := must(r.registry.CreateEndpoint(t.Context(), "t", capture.EndpointSpec{URL: r.receiver.URL + "/all"}))(t)
	const shown = `[{type: "order.*", source: "*"}, {type: "*", source: "shop"}]`
	same(t, "its events", at(r.get(string(made.ID)), "enabledEvents"), []map[string]string{{"type": "order.*", "source": "*"}, {"type": "*", "source": "shop"}})
	same(t, "all events", at(r.get(string(all.ID)), "enabledEvents"), []map[string]string{{"type": "*", "source": "*"}})
	r.ask(fmt.Sprintf(`mutation{updateWebhookEndpoint(input: {teamDid: "T", id: %q, data: {description: "d", enabledEvents: %s}}){data{id}}}`, made.ID, shown))
	row := must(r.registry.Endpoint(t.Context(), made.ID))(t)
	if fmt.Sprint(row.Subscriptions) != fmt.Sprint(subs) || row.Description != "d" || row.Format != capture.FormatAuto {
		t.Errorf("written back as it was read, it is %+v", row.EndpointSpec)
	}
	if app := must(r.registry.App(t.Context(), "t"))(t); app.Name != "T" {
		t.Errorf("the team's app is %+v", app)
	}
	rows := must(r.registry.Endpoints(t.Context(), capture.EndpointQuery{App: "t"}))(t)
	e := rows[0].EndpointSpec
	if e.Format != capture.FormatBlocklet || e.Retry.Preset != "blocklet" || fmt.Sprint(e.Subscriptions) != fmt.Sprint([]capture.Subscription{{Type: "a", Source: "s", Exact: true}}) {
		t.Errorf("made here, it is %+v", e)
	}
}
