package spec_test

import (
	"encoding/json"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog/spec"
)

// documents are one of each kind, written for these tests.
var documents = map[string]string{
	"openapi 3.1": `{
		"openapi": "3.1.0", "info": {"title": "Corner Shop", "version": "1"},
		"webhooks": {
			"order.paid": {"post": {
				"summary": "Order paid", "description": "The money is there.",
				"parameters": [
					{"name": "X-Shop-Event", "in": "header", "example": "order.paid"},
					{"name": "X-Shop-Try", "in": "header", "required": true, "schema": {"type": "integer", "const": 1}},
					{"name": "X-Optional", "in": "header", "schema": {"type": "string"}},
					{"name": "Content-Type", "in": "header", "example": "text/plain"},
					{"name": "v", "in": "query", "example": 2}],
				"requestBody": {"content": {"application/json": {
					"schema": {"$ref": "#/components/schemas/Order"},
					"examples": {"one": {"$ref": "#/components/examples/One"}, "two": {"value": {"id": "x", "total": "free"}}}}}}}},
			"/refund": {"$ref": "#/components/pathItems/Refund"}},
		"components": {
			"pathItems": {"Refund": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["ok"], "properties": {"ok": {"const": true}}}}}}}}},
			"examples": {"One": {"value": {"total": 12345678901234567890, "id": "a{{b", "price": 1.10}}},
			"schemas": {"Order": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "total": {"type": "integer"}, "parent": {"$ref": "#/components/schemas/Order"}}}}}}`,
	"openapi 3.0": `
openapi: 3.0.3
info: {title: Pump, version: 1.0}
paths:
  /subscriptions:
    post:
      callbacks:
        onLevel:
          '{$request.body#/url}/levels':
            post:
              requestBody:
                content:
                  application/json:
                    schema: &level
                      type: object
                      required: [level, note]
                      properties:
                        level: {type: number, minimum: 0, exclusiveMinimum: true, example: 0.50}
                        note: {type: string, nullable: true, enum: [low]}
                        at: {type: string, example: 2024-02-03}
x-webhooks:
  alarm:
    post: {requestBody: {content: {application/json: {schema: *level}}}}
`,
	"asyncapi 2": `
asyncapi: 2.6.0
info: {title: Ship's Log}
channels:
  /arrivals:
    subscribe:
      message:
        oneOf:
          - $ref: '#/components/messages/shipArrived'
          - name: ship.left
            payload: {type: object, properties: {port: {type: string, enum: [Kiel]}}}
    publish: {message: {name: ignored, payload: {type: object}}}
components:
  messages:
    shipArrived:
      title: Ship arrived
      traits: [{contentType: application/cloudevents+json}]
      headers: {type: object, required: [X-Ship], properties: {X-Ship: {type: string, const: Gorch}}}
      payload: {type: array, items: [{type: integer, minimum: 4, maximum: 4}], additionalItems: false}
      examples: [{payload: [4]}, {payload: [five]}]
`,
	"asyncapi 3": `{
		"asyncapi": "3.0.0", "info": {"title": "Mill"},
		"channels": {"c": {"address": "hooks", "messages": {"ground": {"$ref": "#/components/messages/Ground"}, "sifted": {"payload": {"schemaFormat": "application/vnd.apache.avro;version=1.9.0", "schema": {}}}}}},
		"operations": {
			"sendAll": {"action": "send", "channel": {"$ref": "#/channels/c"}, "bindings": {"http": {"method": "PUT"}}},
			"hear": {"action": "receive", "channel": {"$ref": "#/channels/c"}}},
		"components": {"messages": {"Ground": {"payload": {"type": "object", "properties": {"grain": {"type": "string", "default": "rye"}}}}}}}`,
	"github": `[{"name": "issues", "description": "About issues.", "actions": ["opened"], "examples": [
		{"action": "opened", "number": 7}, {"action": "opened", "number": 8}]},
		{"name": "push", "examples": [{"ref": "refs/heads/main"}]}]`,
	"stripe": `{"resources": {
		"event": {"id": "evt_fixture", "object": "event", "api_version": "2025-01-01", "data": {"object": {"object": "plan"}}, "type": "plan.created"},
		"mandate": {"id": "mandate_1", "object": "mandate"}, "subscription": {"object": "subscription"}, "sparrow": {}}}`,
	"types": `{"tag": "shop:order.paid", "name": "Paid", "sample": {"headers": {"A": "{{ uuid }}"}, "query": null, "body": {"id": 1}}, "schema": {"required": ["total"]}, "builtin": true}
		{"tag": "no tag", "sample": {}}`,
	"schema": `{"$schema": "http://json-schema.org/draft-07/schema#", "title": "Door opened", "description": "Creaks.", "type": "object", "required": ["door"],
		"properties": {"door": {"$ref": "#/definitions/door"}}, "definitions": {"door": {"type": "integer", "minimum": 3, "maximum": 3}}}`,
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		doc   string
		kind  spec.Kind
		types []string // tag, name, method, path, headers, query, body
		notes []string
	}{
		{"openapi 3.1", spec.OpenAPI, []string{
			`corner-shop:order.paid|Order paid|POST||{"Content-Type":"application/json","X-Shop-Event":"order.paid","X-Shop-Try":"1"}|{"v":2}|{"total":12345678901234567890,"id":"a{\\{b","price":1.10}`,
			`corner-shop:refund|refund|POST||{"Content-Type":"application/json"}|null|{"ok":true}`,
		}, []string{
			`corner-shop:order.paid: /webhooks/order.paid/post/requestBody/content/application~1json/examples/two/value: the document's example does not satisfy its own schema: /total: got string, want integer`,
			`corner-shop:order.paid: /webhooks/order.paid/post: the first of 2 examples is the sample`,
		}},
		{"openapi 3.0", spec.OpenAPI, []string{
			`pump:alarm|alarm|POST||{"Content-Type":"application/json"}|null|{"level":0.50,"note":"low","at":"2024-02-03"}`,
			`pump:onLevel|onLevel|POST|/levels|{"Content-Type":"application/json"}|null|{"level":0.50,"note":"low","at":"2024-02-03"}`,
		}, nil},
		{"asyncapi 2", spec.AsyncAPI, []string{
			`ships-log:shipArrived|Ship arrived|POST||{"Content-Type":"application/cloudevents+json","X-Ship":"Gorch"}|null|[4]`,
			`ships-log:ship.left|ship.left|POST||{"Content-Type":"application/json"}|null|{"port":"Kiel"}`,
		}, []string{
			`ships-log:shipArrived: /components/messages/shipArrived/examples/1/payload: the document's example does not satisfy its own schema: /0: got string, want integer`,
			`ships-log:shipArrived: /components/messages/shipArrived: the first of 2 examples is the sample`,
		}},
		{"asyncapi 3", spec.AsyncAPI, []string{
			`mill:Ground|Ground|PUT||{"Content-Type":"application/json"}|null|{"grain":"rye"}`,
			`mill:sifted|sifted|PUT||{}|null|`,
		}, []string{`mill:sifted: /channels/c/messages/sifted: its schema is left out: application/vnd.apache.avro;version=1.9.0 is not JSON Schema`}},
		{"github", spec.GitHub, []string{
			`github:issues.opened|issues.opened|||{"Content-Type":"application/json","User-Agent":"GitHub-Hookshot/0000000","X-Github-Delivery":"UUID","X-Github-Event":"issues"}|null|{"action":"opened","number":7}`,
			`github:issues.opened.2|issues.opened|||{"Content-Type":"application/json","User-Agent":"GitHub-Hookshot/0000000","X-Github-Delivery":"UUID","X-Github-Event":"issues"}|null|{"action":"opened","number":8}`,
			`github:push|push|||{"Content-Type":"application/json","User-Agent":"GitHub-Hookshot/0000000","X-Github-Delivery":"UUID","X-Github-Event":"push"}|null|{"ref":"refs/heads/main"}`,
		}, nil},
		{"types", spec.Types, []string{`shop:order.paid|Paid|||{"A":"{{ uuid }}"}|null|{"id":1}`}, []string{
			`shop:order.paid: /0/sample/body: the sample does not satisfy its own schema: missing property 'total'`,
			`no tag: /1: it is left out: a tag is an app's slug, a colon and an event, such as shop:order.paid`,
		}},
		{"schema", spec.Schema, []string{`door-opened:door-opened|Door opened|POST||{"Content-Type":"application/json"}|null|{"door":3}`}, nil},
	} {
		t.Run(c.doc, func(t *testing.T) {
			got, err := spec.Read([]byte(documents[c.doc]), spec.Options{Escape: func(s string) string { return strings.ReplaceAll(s, "{{", `{\{`) }})
			if err != nil {
				t.Fatal(err)
			}
			if got.Kind != c.kind {
				t.Errorf("kind: got %s, want %s", got.Kind, c.kind)
			}
			var types, notes []string
			for _, e := range got.Types {
				types = append(types, line(t, e))
				if _, _, ok := capture.SplitTag(e.Tag); !ok || e.Builtin {
					t.Errorf("%q is no tag, or said to be built in", e.Tag)
				}
			}
			for _, n := range got.Notes {
				notes = append(notes, n.String())
			}
			same(t, "types", types, c.types)
			same(t, "notes", notes, c.notes)
		})
	}
}

func line(t *testing.T, e capture.EventType) string {
	t.Helper()
	if id := e.Sample.Headers["X-Github-Delivery"]; len(id) == 36 {
		e.Sample.Headers["X-Github-Delivery"] = "UUID"
	}
	return strings.Join([]string{e.Tag, e.Name, e.Sample.Method, e.Sample.Path, text(t, e.Sample.Headers), text(t, e.Sample.Query), string(e.Sample.Body)}, "|")
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("%s %d:\n got %s\nwant %s", what, i, g, w)
		}
	}
}

func TestSchemasStandAlone(t *testing.T) {
	for name, want := range map[string][]string{
		"openapi 3.1": {
			`{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"total":{"type":"integer"},"parent":{"$ref":"#"}}}`,
			`{"type":"object","required":["ok"],"properties":{"ok":{"const":true}}}`},
		"openapi 3.0": {
			`{"type":"object","required":["level","note"],"properties":{"level":{"type":"number","exclusiveMinimum":0,"examples":[0.50]},"note":{"type":["string","null"],"enum":["low",null]},"at":{"type":"string","examples":["2024-02-03"]}}}`,
			`{"type":"object","required":["level","note"],"properties":{"level":{"type":"number","exclusiveMinimum":0,"examples":[0.50]},"note":{"type":["string","null"],"enum":["low",null]},"at":{"type":"string","examples":["2024-02-03"]}}}`},
		"asyncapi 2": {
			`{"type":"array","prefixItems":[{"type":"integer","minimum":4,"maximum":4}],"items":false}`,
			`{"type":"object","properties":{"port":{"type":"string","enum":["Kiel"]}}}`},
		"schema": {`{"title":"Door opened","description":"Creaks.","type":"object","required":["door"],"properties":{"door":{"$ref":"#/$defs/door"}},"$defs":{"door":{"type":"integer","minimum":3,"maximum":3}}}`},
	} {
		got, err := spec.Read([]byte(documents[name]), spec.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var schemas []string
		for _, e := range got.Types {
			schemas = append(schemas, string(e.Schema))
		}
		same(t, name, schemas, want)
	}
}

// TestSharedSchemas reads one schema alone and beside more.
func TestSharedSchemas(t *testing.T) {
	hook := func(schema string) string {
		return `{"post": {"requestBody": {"content": {"application/json": {"schema": ` + schema + `}}}}}`
	}
	got, err := spec.Read([]byte(`{"openapi": "3.1.0", "webhooks": {
		"a": `+hook(`{"$ref": "#/components/schemas/A"}`)+`, "b": `+hook(`{"$ref": "#/components/schemas/A"}`)+`,
		"c": `+hook(`{"$ref": "#/components/schemas/A", "required": ["more"]}`)+`},
		"components": {"schemas": {"A": {"type": "object", "properties": {"more": {"const": 1}, "x": {"const": 2}}, "required": ["x"]}}}}`), spec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var schemas []string
	for _, e := range got.Types {
		schemas = append(schemas, string(e.Schema))
	}
	const a = `{"type":"object","properties":{"more":{"const":1},"x":{"const":2}},"required":["x"]}`
	same(t, "schemas", schemas, []string{a, a, `{"$ref":"#/$defs/A","required":["more"],"$defs":{"A":` + a + `}}`})
}

func TestStripeFixtures(t *testing.T) {
	got, err := spec.Read([]byte(documents["stripe"]), spec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Types) != 9 || got.Types[0].Tag != "stripe:mandate.updated" || got.Types[1].Tag != "stripe:customer.subscription.created" {
		t.Errorf("got %d types, first %s", len(got.Types), got.Types[0].Tag)
	}
	const body = `{"id":"evt_fixture","object":"event","api_version":"2025-01-01","data":{"object":{"id":"mandate_1","object":"mandate"}},"type":"mandate.updated","created":1704067200,"livemode":false,"pending_webhooks":1,"request":null}`
	if string(got.Types[0].Sample.Body) != body {
		t.Errorf("got  %s\nwant %s", got.Types[0].Sample.Body, body)
	}
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0].Text, "no events are known of 2 resources: event, sparrow") {
		t.Errorf("notes: %v", got.Notes)
	}
}

func TestStripeOpenAPI(t *testing.T) {
	got, err := spec.Read([]byte(`{"openapi": "3.0.0", "info": {"title": "Stripe API", "version": "2025-01-01"}, "paths": {}, "components": {"schemas": {
		"plan": {"type": "object", "required": ["object", "product"], "properties": {
			"object": {"type": "string", "enum": ["plan"]},
			"product": {"anyOf": [{"type": "string", "example": "prod_1"}, {"$ref": "#/components/schemas/product"}], "x-expansionResources": {"oneOf": []}}}},
		"product": {"type": "object"},
		"plan.created": {"description": "A plan.", "type": "object", "properties": {"object": {"$ref": "#/components/schemas/plan"}}, "x-stripeEvent": {"type": "plan.created"}}}}}`), spec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Types) != 1 || len(got.Notes) != 0 {
		t.Fatalf("got %d types, notes %v", len(got.Types), got.Notes)
	}
	e := got.Types[0]
	const body = `{"id":"evt_1HooktapeSample000000000","object":"event","api_version":"2025-01-01","created":1704067200,"data":{"object":{"object":"plan","product":"prod_1"}},"livemode":false,"pending_webhooks":1,"request":{"id":null,"idempotency_key":null},"type":"plan.created"}`
	if e.Tag != "stripe:plan.created" || e.Provider != "stripe" || string(e.Sample.Body) != body {
		t.Errorf("got  %s %s\nwant %s", e.Tag, e.Sample.Body, body)
	}
	if strings.Contains(string(e.Schema), "#/$defs/product") {
		t.Errorf("what an event never expands is in its schema: %s", e.Schema)
	}
}

func TestGitHubPayload(t *testing.T) {
	for name, want := range map[string]string{
		"push.payload.json":                    "push|github:push",
		"x/payload-examples/push/payload.json": "",
		"issues/opened.payload.json":           "issues|github:issues.opened",
		`issues\opened.with-x.payload.json`:    "issues|github:issues.opened",
		"./issues.opened.payload.json":         "issues|github:issues.opened",
	} {
		doc := `{"ref": "a"}`
		if strings.Contains(name, "issues") {
			doc = `{"action": "opened"}`
		}
		got, err := spec.Read([]byte(doc), spec.Options{Name: name})
		if want == "" {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e := got.Types[0]; e.Sample.Headers["X-Github-Event"]+"|"+e.Tag != want {
			t.Errorf("%s: got %s %s, want %s", name, e.Sample.Headers["X-Github-Event"], e.Tag, want)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for doc, want := range map[string]string{
		``:                                  "the document is empty",
		"\xff\xfe{":                         "no text in UTF-8",
		`{"openapi": "3.0.0", "paths": {}}`: "a 3.0.0 document with no webhooks and no callbacks: nothing here is a webhook",
		`{"openapi": "4.0"}`:                "want 3.0 or 3.1",
		`{"swagger": "2.0"}`:                "convert it to OpenAPI 3",
		`{"asyncapi": "3.0.0"}`:             "with no messages",
		`{"asyncapi": "1.2.0"}`:             "want 2 or 3",
		`{"fruit": 1, "nuts": 2}`:           "an object with the members fruit, nuts",
		`[1, 2]`:                            "a JSON array of neither",
		`{"type": "object"} {"type": 1}`:    "give one at a time",
		`{"a": [1, 2}`:                      "no JSON: line 1",
		"hello":                             "no document of webhooks",
		"a: 1\n---\nb: 2":                   "several YAML documents",
		`{"type": "objekt"}`:                "no JSON Schema",
		`{"openapi": "3.1.0", "webhooks": {"a": {"post": {"requestBody": {"$ref": "other.yaml#/x"}}}}}`: `refers to "other.yaml#/x"`,
		`{"tag": "no tag", "sample": {}}`: "nothing here is an event type",
	} {
		_, err := spec.Read([]byte(doc), spec.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", doc, err, want)
		}
	}
}

func TestEventNames(t *testing.T) {
	long := strings.Repeat("é", 100)
	doc := `{"openapi": "3.1.0", "info": {"title": "X"}, "webhooks": {
		"order paid": {"post": {}, "delete": {}}, "order-paid": {"post": {}}, "` + long + `": {"post": {}}, "/": {"post": {}}}}`
	got, err := spec.Read([]byte(doc), spec.Options{App: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	for _, e := range got.Types {
		tags = append(tags, e.Tag)
	}
	same(t, "tags", tags, []string{"shop:order-paid", "shop:order-paid.delete", "shop:order-paid.2", "shop:" + long[:128], "shop:event"})
	if len(got.Notes) != 4 {
		t.Errorf("got %d notes, want one for each name that is not the document's: %v", len(got.Notes), got.Notes)
	}
}
