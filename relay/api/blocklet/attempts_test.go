package blocklet_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay/api/blocklet"
)

func TestAttempts(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	id, other := r.create("/one", ""), r.create("/two", "")
	r.answers(200, `{"thanks":1}`)
	e := r.emit("a", "s", `{"object_type":"Order","object_id":"o_1","n":12.50}`)
	r.next()
	r.next()
	byHook := `input: {webhookId: "` + id + `"}`
	r.until(`input: {webhookId: "`+other+`"}`, "succeeded")
	page := r.until(byHook, "succeeded")
	same(t, "paging", at(page, "paging"), map[string]int{"page": 1, "pageCount": 1, "pageSize": 10, "total": 1})
	a := at(page, "list", 0)
	for member, want := range map[string]any{
		"eventId": e.ID, "webhookId": id, "responseStatus": 200, "retryCount": 0, "triggeredBy": "system", "triggeredFrom": "automation",
		"responseBody": map[string]int{"thanks": 1},
	} {
		same(t, member, at(a, member), want)
	}
	same(t, "its endpoint", at(a, "endpoint"), r.get(id))
	delete(at(a, "event").(map[string]any), "createdAt")
	delete(at(a, "event").(map[string]any), "updatedAt")
	same(t, "its event", at(a, "event"), map[string]any{
		"id": e.ID, "type": "a", "source": "s", "apiVersion": "2025-02-27", "objectType": "Order", "objectId": "o_1", "pendingWebhooks": 0, "metadata": map[string]any{},
		"data":    json.RawMessage(`{"object_type":"Order","object_id":"o_1","n":12.5}`),
		"request": json.RawMessage(`{"object_type":"Order","object_id":"o_1","n":12.5,"$eventName":"a","$sender":{"did":"s","name":"t"}}`),
	})
	// Who was sent the event by hand is no endpoint of the team's.
	if _, err := r.registry.Fire(t.Context(), "github:ping", capture.Firing{App: "t", To: r.receiver.URL + "/by-hand"}); err != nil {
		t.Fatal(err)
	}
	r.next()
	for args, want := range map[string]int{
		``: 2, byHook: 1, `input: {webhookId: "` + other + `"}`: 1, `input: {eventId: "` + string(e.ID) + `"}`: 2,
		`input: {eventId: "", webhookId: ""}`: 2, `input: {eventId: "` + string(e.ID) + `", webhookId: "` + id + `"}`: 1,
		`input: {eventId: "nope"}`: 0, `input: {webhookId: "nope"}`: 0, `input: {webhookId: "wh_01JZZZZZZZZZZZZZZZZZZZZZZZ"}`: 0,
		`paging: {page: 2, pageSize: 1}`: 2, `paging: {page: 3, pageSize: 1}`: 2,
	} {
		if page := r.attempts(args); at(page, "paging", "total") != float64(want) {
			t.Errorf("%s: got %v, want a total of %d", args, page, want)
		}
	}
	first, second := r.attempts(`paging: {page: 1, pageSize: 1}`), r.attempts(`paging: {page: 2, pageSize: 1}`)
	if a, b := at(first, "list", 0, "id").(string), at(second, "list", 0, "id").(string); a <= b {
		t.Errorf("%s is before %s, want the newest first", a, b)
	}
	const others = `{getWebhookAttempts(input: {teamDid: "another", input: {webhookId: "%s"}}){list{id} paging{total}}}`
	same(t, "another team", r.ask(fmt.Sprintf(others, id), "getWebhookAttempts"), map[string]any{"list": []any{}, "paging": map[string]int{"total": 0}})
	// What became of it stays when the endpoint goes.
	r.ask(fmt.Sprintf(`mutation{deleteWebhookEndpoint(input: {teamDid: "T", id: %q}){data{id}}}`, id))
	if page := r.attempts(byHook); at(page, "paging", "total") != 1.0 || at(page, "list", 0, "endpoint") != nil || at(page, "list", 0, "event", "id") != string(e.ID) {
		t.Errorf("of a deleted endpoint: %v", page)
	}
}

// TestBodies are what receivers answer, and how it is shown.
func TestBodies(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	id := r.create("/", "")
	for body, want := range map[string]string{``: `{}`, `42`: `42`, `text`: `"text"`, `[1,{"a":null}]`: `[1,{"a":null}]`, "\xff\x00": `{"base64":"/wA="}`} {
		r.answers(200, body)
		e := r.emit("a", "s", `{}`)
		r.next()
		page := r.until(fmt.Sprintf(`input: {webhookId: %q, eventId: %q}`, id, e.ID), "succeeded")
		if b, err := json.Marshal(at(page, "list", 0, "responseBody")); err != nil || string(b) != want {
			t.Errorf("%q: got %s, want %s", body, b, want)
		}
	}
	// Nobody answers.
	r.receiver.Close()
	e := r.emit("a", "s", `{}`)
	of := fmt.Sprintf(`input: {eventId: %q}`, e.ID)
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		a := at(r.attempts(of), "list", 1) // the one before that which waits
		if at(a, "status") == "failed" {
			same(t, "its status", at(a, "responseStatus"), 0)
			same(t, "its body", at(a, "responseBody"), map[string]any{})
			return
		}
		if time.Now().After(end) {
			t.Fatalf("it does not fail: %v", r.attempts(of))
		}
	}
}

func TestRetry(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	id := r.create("/", "")
	r.answers(503, "later")
	e := r.emit("a", "s", `{"n":1}`)
	r.next()
	of := fmt.Sprintf(`input: {eventId: %q}`, e.ID)
	page := r.until(of, "pending")
	for end := time.Now().Add(patience); at(page, "list", 1, "status") != "failed"; page = r.attempts(of) {
		if time.Now().After(end) {
			t.Fatalf("it does not fail: %v", page)
		}
	}
	failed := at(page, "list", 1)
	same(t, "it waits at", at(failed, "event", "pendingWebhooks"), 1)
	same(t, "failures", at(failed, "endpoint", "metadata"), map[string]int{"consecutiveFailures": 1})
	waiting, err := r.store.Attempts(t.Context(), capture.AttemptQuery{Event: e.ID, Status: capture.AttemptPending})
	if err != nil || len(waiting) != 1 || time.Until(waiting[0].NotBefore) > 10*time.Second || time.Until(waiting[0].NotBefore) < 10*time.Second-patience {
		t.Errorf("what waits is %+v, %v; want it within 10 s", waiting, err)
	}
	retry := func(event, hook, attempt any) string {
		return fmt.Sprintf(`mutation{retryWebhookAttempt(input: {teamDid: "T", eventId: "%s", webhookId: "%s", attemptId: "%s"}){code data{%s}}}`, event, hook, attempt, wholeAttempt)
	}
	r.answers(200, "")
	again := r.ask(retry(e.ID, id, at(failed, "id")), "retryWebhookAttempt", "data")
	for member, want := range map[string]any{"status": "pending", "responseStatus": 0, "responseBody": map[string]any{}, "triggeredBy": "user", "triggeredFrom": at(failed, "id"), "eventId": e.ID, "webhookId": id} {
		same(t, member, at(again, member), want)
	}
	r.next()
	page = r.until(of, "succeeded")
	same(t, "the newest", at(page, "list", 0, "id"), at(again, "id"))
	if was := at(page, "list", 2); at(was, "status") != "failed" || at(was, "id") != at(failed, "id") {
		t.Errorf("the first attempt is %v now", was)
	}
	for _, q := range []string{retry(e.ID, id, "att_none"), retry("evt_none", id, at(failed, "id")), retry(e.ID, "wh_none", at(failed, "id"))} {
		same(t, q, r.refused(q), "webhook attempt not found")
	}
	r.ask(fmt.Sprintf(`mutation{updateWebhookEndpoint(input: {teamDid: "T", id: %q, data: {status: "disabled"}}){data{status}}}`, id))
	same(t, "disabled", r.refused(retry(e.ID, id, at(failed, "id"))), "webhook endpoint disabled")
}

// TestDisabled: the fiftieth attempt in a row to fail disables the endpoint,
// and enabling it forgives.
func TestDisabled(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	id := r.create("/", "")
	r.answers(500, "")
	for range 49 {
		r.emit("a", "s", `{}`)
		r.next()
	}
	counted := func(n int) {
		t.Helper()
		for end := time.Now().Add(patience); at(r.get(id), "metadata", "consecutiveFailures") != float64(n); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("got %v, want %d failures", r.get(id), n)
			}
		}
	}
	counted(49)
	same(t, "after 49", at(r.get(id), "status"), "enabled")
	r.emit("a", "s", `{}`)
	r.next()
	for end := time.Now().Add(patience); at(r.get(id), "status") != "disabled"; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after 50: %v", r.get(id))
		}
	}
	enabled := r.ask(fmt.Sprintf(`mutation{updateWebhookEndpoint(input: {teamDid: "T", id: %q, data: {status: "enabled"}}){data{status metadata}}}`, id), "updateWebhookEndpoint", "data")
	same(t, "enabled", enabled, map[string]any{"status": "enabled", "metadata": map[string]int{"consecutiveFailures": 0}})
}

// TestSigned: what is sent verifies, also over what JavaScript makes of it.
func TestSigned(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	q := fmt.Sprintf(`mutation{createWebhookEndpoint(input: {teamDid: "T", input: {url: %q, enabledEvents: [{type: "a", source: "s"}]}}){data{id secret}}}`, r.receiver.URL)
	secret := r.ask(q, "createWebhookEndpoint", "data", "secret").(string)
	e := r.emit("a", "s", `{ "b": 1.0, "1": "<&>", "u": "\u2028" }`)
	body := r.next()
	same(t, "its body", body, `{"1":"<&>","b":1,"u":"`+"\u2028"+`","$eventName":"a","$sender":{"did":"s","name":"t"}}`)
	page := r.until(fmt.Sprintf(`input: {eventId: %q}`, e.ID), "succeeded")
	whole, err := r.store.Attempt(t.Context(), capture.ID(at(page, "list", 0, "id").(string)))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := whole.Request.Headers.First(sign.BlockletHeader), sign.Blocklet(whole.Started, []byte(body), secret); !strings.HasPrefix(got, want[:20]) {
		t.Errorf("the signature is %q, want %q", got, want)
	}
}

// TestSettings are where its servers differ from its document.
func TestSettings(t *testing.T) {
	r := newRig(t, blocklet.Options{ISO: true, FromOne: true})
	id := r.create("/", "")
	created, _ := at(r.get(id), "createdAt").(string)
	if at, err := time.Parse("2006-01-02T15:04:05.000Z", created); err != nil || time.Since(at) > time.Minute {
		t.Errorf("it was made at %q", created)
	}
	r.emit("a", "s", `{}`)
	r.next()
	same(t, "its first count", at(r.until("", "succeeded"), "list", 0, "retryCount"), 1)
}
