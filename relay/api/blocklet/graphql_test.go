package blocklet_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api/blocklet"
)

// TestStatuses: what is no GraphQL is a 400, and nothing is a 5xx, at which
// clients would repeat it.
func TestStatuses(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	const list = `{getWebhookEndpoints(input: {teamDid: "T"}){paging{total}}}`
	const remove = `mutation{deleteWebhookEndpoint(input: {teamDid: "T", id: "x"}){data{id}}}`
	query := func(q string) string { return "?" + url.Values{"query": {q}}.Encode() }
	asking := func(q string) string { return fmt.Sprintf(`{"query":%q}`, q) }
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string // in errors[0].message, or error
	}{
		{"POST", "/", asking(list), 200, ""},
		{"POST", "/api", asking(list), 200, ""},
		{"POST", "/api/gql", asking(list), 200, ""},
		{"POST", "/.well-known/service/api/gql", asking(list), 200, ""},
		{"GET", "/api/gql" + query(list), "", 200, ""},
		{"GET", "/api" + query(list) + "&variables=%7B%7D&operationName=", "", 200, ""},
		{"GET", "/api/gql" + query(list) + "&variables=x", "", 400, "want JSON"},
		{"GET", "/api/gql" + query(remove), "", 405, "Can only perform a mutation operation from a POST request."},
		{"POST", "/api/gql", asking(remove), 200, "webhook endpoint not found"},
		{"POST", "/api/gql", asking("mutation A " + remove[8:] + " mutation B " + remove[8:]), 403, "batch mutation not allowed"},
		{"POST", "/api/gql", asking(""), 400, "Please provide a valid query"},
		{"POST", "/api/gql", asking(" \n"), 400, "Please provide a valid query"},
		{"POST", "/api/gql", ``, 400, "want JSON"},
		{"POST", "/api/gql", `[]`, 400, "want JSON"},
		{"POST", "/api/gql", `{"query":5}`, 400, "want JSON"},
		{"POST", "/api/gql", `{"query":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "over 1048576 bytes"},
		{"POST", "/api/gql", asking(`{`), 400, "Syntax Error: "},
		{"POST", "/api/gql", asking(`{getWebhookEndpoints{foo}}`), 400, `Cannot query field "foo" on type "ResponseGetWebhookEndpoints".`},
		{"POST", "/api/gql", asking(`{getNodeInfo{info}}`), 400, `Cannot query field "getNodeInfo"`},
		{"POST", "/api/gql", asking(`{getWebhookEndpoints(input: {teamDid: 5}){list{id}}}`), 400, `String cannot represent a non string value: 5`},
		{"POST", "/api/gql", asking(`{getWebhookEndpoints(input: {nope: 5}){list{id}}}`), 400, `Field "nope" is not defined`},
		{"POST", "/api/gql", asking(`subscription{x}`), 400, ""},
		{"POST", "/api/gql", asking(`{` + strings.Repeat(`getWebhookEndpoints(input: {teamDid: "T"}){list{id}} `, 60) + `}`), 200, ""}, // one and the same
		{"POST", "/api/gql", asking(many(60, `: getWebhookEndpoints(input: {teamDid: "T"}){list{id}} `)), 200, "a request may hold 50 operations"},
		{"POST", "/api/gql", asking(many(6000, `: __typename `)), 400, "a query may hold 10000 names"},
		{"POST", "/api/gql", asking(`{getWebhookEndpoints(teamDid: "T", paging: {page: 99999999999999999999}){list{id}}}`), 400, "the query cannot be answered"},
		{"POST", "/api/gql", asking(`{__schema{types` + strings.Repeat(`{fields{type`, 30) + `{name}` + strings.Repeat("}}", 30) + `}}`), 400, "exceeds max depth"},
		{"POST", "/api/gql", asking(`{__schema{types{name fields{name args{name type{name ofType{name}}}}}}}`), 200, ""},
	} {
		status, out := r.do(c.method, c.path, []byte(c.body))
		message, _ := at(out, "errors", 0, "message").(string)
		if s, ok := at(out, "error").(string); ok {
			message = s
		}
		if status != c.status || !strings.Contains(message, c.want) || c.want == "" && status == 200 && message != "" {
			t.Errorf("%s %.40s %.80s: %d %.300s, want %d %q", c.method, c.path, c.body, status, fmt.Sprint(out), c.status, c.want)
		}
	}
}

// TestHostile are queries that take minutes where nothing bounds what is
// compared and expanded.
func TestHostile(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	doubling, chain := "{...F0}", "{...F0}"
	for i := range 20 {
		doubling += fmt.Sprintf(" fragment F%d on Query{...F%d ...F%[2]d}", i, i+1)
	}
	for i := range 3000 {
		chain += fmt.Sprintf(" fragment F%d on Query{...F%d a%[1]d:__typename}", i, i+1)
	}
	for name, q := range map[string]string{
		"one field, again and again": "{" + strings.Repeat("__typename ", 9000) + "}",
		"one list, again and again":  "{" + strings.Repeat(`getWebhookEndpoints(teamDid:"T"){list{id url}} `, 1600) + "}",
		"fragments that double":      doubling + " fragment F20 on Query{__typename}",
		"a chain of fragments":       chain + " fragment F3000 on Query{__typename}",
		"one wide fragment":          "{" + strings.Repeat("...F ", 49) + "} fragment F on Query" + many(4000, ":__typename "),
		"deep fields":                strings.Repeat("{a", 9000),
		"deep lists":                 `{getWebhookEndpoints(input: ` + strings.Repeat("[", 200000) + `)}`,
		"deep objects":               `mutation{createWebhookEndpoint(input: {metadata: ` + strings.Repeat("{a:", 9000) + "1" + strings.Repeat("}", 9001) + `){code}}`,
		"many operations":            strings.Repeat(`query A{__typename} `, 3000),
		"many arguments":             `{getWebhookEndpoints(` + strings.Repeat(`teamDid: "T" `, 9000) + `){code}}`,
	} {
		begun := time.Now()
		if status, out := r.post(q, nil); status != 400 {
			t.Errorf("%s: %d %.200s", name, status, fmt.Sprint(out))
		}
		if took := time.Since(begun); took > patience {
			t.Errorf("%s took %s", name, took)
		}
	}
}

func many(n int, field string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "f%d%s", i, field)
	}
	return "{" + b.String() + "}"
}

// TestSelections are all that published clients ask for.
func TestSelections(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	id := r.create("/", "")
	const users = `approved avatar createdAt createdByAppPid did didSpace email emailVerified extra firstLoginAt fullName generation inviter isFollowing
		lastLoginAt lastLoginIp locale name phone phoneVerified pk remark role sourceAppPid sourceProvider updatedAt url userSessionsCount
		address{city country line1 line2 postalCode province} connectedAccounts{did extra id lastLoginAt pk provider userInfo{email emailVerified extraData name picture sub}}
		metadata{bio cover location timezone links{favicon url} phone{country phoneNumber} status{dateRange duration icon label}}
		passports{expirationDate id issuanceDate lastLoginAt name parentDid role scope source status title type userDid display{content type} issuer{id name pk}
		user{approved avatar createdAt did email fullName locale pk role updatedAt}}
		tags{color componentDid createdAt createdBy description id parentId slug title type updatedAt updatedBy}
		userSessions{appPid createdAt createdByAppPid extra id lastLoginIp passportId status ua updatedAt userDid visitorId}`
	e := r.ask(fmt.Sprintf(`{getWebhookEndpoint(input: {teamDid: "T", id: %q}){data{%s createUser{%s} updateUser{%[3]s}}}}`, id, wholeEndpoint, users), "getWebhookEndpoint", "data")
	u := at(e, "createUser").(map[string]any)
	for member, v := range u {
		want := map[string]any{"did": "local", "fullName": "", "avatar": ""}[member]
		if v != want {
			t.Errorf("%s of a user is %v, want %v", member, v, want)
		}
	}
	if len(u) != 34 {
		t.Errorf("a user has %d members, want 34", len(u))
	}
}

// TestBudget: an answer that would be too large is refused, and says how to ask.
func TestBudget(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	r.create("/", "")
	large := `{"x":"` + strings.Repeat("x", 1<<20) + `"}`
	for range 12 {
		r.emit("a", "s", large)
		r.next()
	}
	r.until("paging: {pageSize: 1}", "succeeded")
	status, out := r.post(`{getWebhookAttempts(teamDid: "T", paging: {pageSize: 20}){list{event{data request a: data b: data}}}}`, nil)
	message, _ := at(out, "errors", 0, "message").(string)
	if status != 200 || !strings.Contains(message, "ask for a smaller pageSize") {
		t.Errorf("got %d %q", status, message)
	}
}

func TestTokens(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	id := r.create("/", "")
	e := r.emit("a", "s", `{}`)
	r.next()
	if _, err := r.registry.CreateApp(t.Context(), "shop", capture.AppSpec{}); err != nil {
		t.Fatal(err)
	}
	token := func(scope capture.Scope, app string) string {
		_, secret, err := r.registry.CreateToken(t.Context(), capture.TokenSpec{Name: "x", Scope: scope, App: app})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	manage, read, ingest, shop := token(capture.ScopeManage, ""), token(capture.ScopeRead, ""), token(capture.ScopeIngest, ""), token(capture.ScopeManage, "shop")
	list := `{getWebhookEndpoints(input: {teamDid: "T"}){paging{total}}}`
	change := fmt.Sprintf(`mutation{updateWebhookEndpoint(input: {teamDid: "T", id: %q, data: {}}){data{id updatedAt}}}`, id)
	named := strings.Replace(change, "mutation", "query Q "+list+" mutation M ", 1)
	const others = `{getWebhookAttempts(input: {teamDid: "shop", input: {%s: %q}}){list{id} paging{total}}}`
	for _, c := range []struct {
		token, query string
		status       int
		want         string
	}{
		{"", list, 401, "not allowed"},
		{"wrong", list, 401, "not allowed"},
		{manage, list, 200, ""},
		{strings.ReplaceAll(url.PathEscape(manage), "_", "%5F"), change, 200, ""},
		{read, list, 200, ""},
		{read, change, 403, "no permission"},
		{read, named, 403, "no permission"},
		{ingest, list, 403, "no permission"},
		{shop, list, 200, "You cannot request other blocklet's data"},
		{shop, change, 200, "You cannot request other blocklet's data"},
		{shop, strings.Replace(list, `"T"`, `"did:abt:SHOP"`, 1), 200, ""},
		{shop, strings.Replace(change, `"T"`, `"shop"`, 1), 200, "webhook endpoint not found"},
		{shop, fmt.Sprintf(others, "webhookId", id), 200, ""},
		{shop, fmt.Sprintf(others, "eventId", e.ID), 200, ""},
	} {
		r.token = c.token
		body, err := json.Marshal(map[string]string{"query": c.query, "operationName": map[bool]string{true: "M"}[c.query == named]})
		if err != nil {
			t.Fatal(err)
		}
		status, out := r.do("POST", "/api/gql", body)
		message := fmt.Sprint(at(out, "errors", 0, "message"), at(out, "error"))
		if status != c.status || !strings.Contains(message, c.want) || c.want == "" && status == 200 && message != "<nil> <nil>" {
			t.Errorf("%s: %d %v, want %d %q", c.query, status, out, c.status, c.want)
		}
		if status >= 400 {
			same(t, "its code", at(out, "code"), "forbidden")
		}
		if total := at(out, "data", "getWebhookAttempts", "paging", "total"); total != nil && total != 0.0 {
			t.Errorf("%s: it sees %v of another's", c.query, out)
		}
	}
	// The guard refuses others' pages in the dialect's form.
	req, err := http.NewRequestWithContext(t.Context(), "POST", r.url+"/api/gql", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "https://evil.test")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got := res.Header.Get("Content-Type"); res.StatusCode != 403 || got != "application/json; charset=utf-8" {
		t.Errorf("got %s %s", res.Status, got)
	}
}

// FuzzQuery: no query, whatever it is, is answered with a 5xx or without JSON.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{`{getWebhookEndpoints(input: {teamDid: "T"}){list{id}}}`, `mutation{createWebhookEndpoint(input: {teamDid: "T", input: {metadata: {"a":[1e9]}, url: "x"}}){data{id}}}`,
		`query Q($a: Any){__schema{types{name}}}`, `{getWebhookAttempts(teamDid: """T""", paging: {page: 99999999999999999999}){list{id event{data}}}}`, `fragment F on Query{...F} {...F}`, "\"\"\"", `#`} {
		f.Add(q)
	}
	r := newRig(f, blocklet.Options{})
	f.Fuzz(func(t *testing.T, q string) {
		r.t = t
		if status, out := r.post(q, map[string]any{"a": q}); status >= 500 || strings.Contains(fmt.Sprint(out), "runtime error") {
			t.Errorf("%q: %d %v", q, status, out)
		}
	})
}

// FuzzVariables: nor are any arguments, by variables, which nobody has held
// against the schema before.
func FuzzVariables(f *testing.F) {
	f.Add(`{"create":{"teamDid":"T","input":{"url":"http://127.0.0.1:9","enabledEvents":[{"type":"a","source":"b"}],"metadata":{"a":{"b":null}}}}}`)
	f.Add(`{"update":{"teamDid":"T","id":"ID","data":{"metadata":{"a":{"b":[1]}},"enabledEvents":{"type":"a","source":5},"status":null}}}`)
	f.Add(`{"list":{"teamDid":5,"paging":{"page":-1e300,"pageSize":[]}},"attempts":{"teamDid":"T","input":{"webhookId":{}}},"retry":{"teamDid":"T","eventId":1}}`)
	r := newRig(f, blocklet.Options{})
	id := r.create("/", "")
	f.Fuzz(func(t *testing.T, variables string) {
		r.t = t
		var v map[string]any
		if json.Unmarshal([]byte(strings.ReplaceAll(variables, "ID", id)), &v) != nil {
			return
		}
		status, out := r.post(`mutation ($create: RequestCreateWebhookEndpointInput, $update: RequestUpdateWebhookEndpointInput, $retry: RequestAttemptInput) {
			createWebhookEndpoint(input: $create){data{id}} updateWebhookEndpoint(input: $update){data{id metadata enabledEvents{type}}} retryWebhookAttempt(input: $retry){data{id}} }`, v)
		if status >= 500 || strings.Contains(fmt.Sprint(out), "runtime error") || strings.Contains(fmt.Sprint(out), "interface conversion") {
			t.Errorf("%s: %d %v", variables, status, out)
		}
		status, out = r.post(`query ($list: RequestGetWebhookEndpointsInput, $attempts: RequestGetWebhookAttemptsInput) {
			getWebhookEndpoints(input: $list){list{id} paging{page}} getWebhookAttempts(input: $attempts){list{id} paging{page}} }`, v)
		if status >= 500 || strings.Contains(fmt.Sprint(out), "runtime error") {
			t.Errorf("%s: %d %v", variables, status, out)
		}
	})
}
