package spec

import (
	"encoding/json"
	"errors"
	"strings"
)

// stripe reads fixtures3.json of stripe/openapi: an example of each resource,
// by its name. Events are built around those whose events are known here.
func (r *reader) stripe(root any) error {
	resources := asObject(asObject(root).get("resources"))
	event := asObject(resources.get("event"))
	var without []string
	for _, name := range resources.names() {
		events, ok := stripeEvents[name]
		if !ok {
			without = append(without, name)
			continue
		}
		for _, e := range strings.Fields(events) {
			if err := r.stripeFixture(stripePrefix(name)+"."+e, event, resources.get(name), at("/resources", name)); err != nil {
				return err
			}
		}
	}
	if len(without) > 0 {
		r.note("", "/resources", "no events are known of %d resources: %s", len(without), strings.Join(without, ", "))
	}
	if len(r.types) == 0 {
		return errNoTypes
	}
	return nil
}

func (r *reader) stripeFixture(event string, envelope *object, resource any, place string) error {
	body := new(object)
	for _, key := range envelope.names() {
		body.set(key, envelope.get(key))
	}
	for _, m := range []struct {
		key string
		v   any
	}{{"id", "evt_1HooktapeSample000000000"}, {"object", "event"}, {"created", json.Number("1704067200")},
		{"livemode", false}, {"pending_webhooks", json.Number("1")}, {"request", nil}} {
		if !body.has(m.key) {
			body.set(m.key, m.v)
		}
	}
	data := new(object)
	data.set("object", resource)
	body.set("data", data)
	body.set("type", event)
	return r.add(orElse(r.App, "stripe"), webhook{
		place: place, event: event, name: event, provider: "stripe",
		headers: stripeHeaders, examples: []example{{place, body}},
	})
}

var stripeHeaders = []param{{"User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"}}

// stripePrefix is what a resource is called in its events' types.
func stripePrefix(resource string) string {
	switch resource {
	case "subscription":
		return "customer.subscription"
	case "dispute":
		return "charge.dispute"
	}
	return resource
}

// stripeEvents are what happens to Stripe's resources, as its reference of
// event types calls it.
var stripeEvents = map[string]string{
	"account":          "updated",
	"balance":          "available",
	"charge":           "captured expired failed pending refunded succeeded updated",
	"checkout.session": "async_payment_failed async_payment_succeeded completed expired",
	"coupon":           "created deleted updated",
	"credit_note":      "created updated voided",
	"customer":         "created deleted updated",
	"dispute":          "closed created funds_reinstated funds_withdrawn updated",
	"invoice":          "created deleted finalization_failed finalized marked_uncollectible overdue paid payment_action_required payment_failed payment_succeeded sent upcoming updated voided will_be_due",
	"invoiceitem":      "created deleted",
	"mandate":          "updated",
	"payment_intent":   "amount_capturable_updated canceled created partially_funded payment_failed processing requires_action succeeded",
	"payment_link":     "created updated",
	"payment_method":   "attached automatically_updated detached updated",
	"payout":           "canceled created failed paid reconciliation_completed updated",
	"plan":             "created deleted updated",
	"price":            "created deleted updated",
	"product":          "created deleted updated",
	"promotion_code":   "created updated",
	"quote":            "accepted canceled created finalized",
	"refund":           "created failed updated",
	"review":           "closed opened",
	"setup_intent":     "canceled created requires_action setup_failed succeeded",
	"subscription":     "created deleted paused pending_update_applied pending_update_expired resumed trial_will_end updated",
	"tax_rate":         "created updated",
	"topup":            "canceled created failed reversed succeeded",
	"transfer":         "created reversed updated",
}

// stripeEvents reads what Stripe's own OpenAPI document says of its events:
// a schema with x-stripeEvent is that of an event's data, and of the event
// itself where it is a thin one.
func (o *openAPI) stripeEvents(doc *object) error {
	schemas := asObject(asObject(doc.get("components")).get("schemas"))
	version := asText(asObject(doc.get("info")).get("version"))
	for _, name := range schemas.names() {
		data := asObject(schemas.get(name))
		mark := asObject(data.get("x-stripeEvent"))
		event := asText(mark.get("type"))
		if event == "" {
			continue
		}
		schema := data
		if object := asObject(data.get("properties")).get("object"); object != nil && asText(mark.get("kind")) != "thin" {
			schema = stripeEnvelope(event, version, object)
		}
		err := o.add(orElse(o.App, "stripe"), webhook{
			place: at("/components/schemas", name), event: event, name: event, description: asText(data.get("description")),
			provider: "stripe", headers: stripeHeaders, schema: schema, dialect: o.dialect,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// stripeEnvelope is the schema of an event around that of its data's object.
func stripeEnvelope(event, version string, resource any) *object {
	roots, err := decodeJSON([]byte(`{"type": "object",
		"required": ["id", "object", "api_version", "created", "data", "livemode", "pending_webhooks", "request", "type"],
		"properties": {
			"id": {"type": "string", "example": "evt_1HooktapeSample000000000"},
			"object": {"type": "string", "enum": ["event"]},
			"api_version": {"type": "string", "nullable": true},
			"created": {"type": "integer", "example": 1704067200},
			"data": {"type": "object", "required": ["object"]},
			"livemode": {"type": "boolean", "example": false},
			"pending_webhooks": {"type": "integer", "example": 1},
			"request": {"type": "object", "nullable": true, "example": {"id": null, "idempotency_key": null}},
			"type": {"type": "string"}}}`))
	if err != nil {
		panic(err) // it is above
	}
	envelope := asObject(roots[0])
	properties := asObject(envelope.get("properties"))
	asObject(properties.get("api_version")).set("example", version)
	asObject(properties.get("type")).set("enum", []any{event})
	object := new(object)
	object.set("object", resource)
	asObject(properties.get("data")).set("properties", object)
	return envelope
}

var errNoTypes = errors.New("nothing here is an event type")
