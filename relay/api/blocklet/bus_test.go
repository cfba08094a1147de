package blocklet_test

import (
	"fmt"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api/blocklet"
)

func TestPublish(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	const path = "/.well-known/service/api/send-to-event-bus"
	message := func(sender, event string) []byte {
		return fmt.Appendf(nil, `{"apiVersion":"1.0.0","data":{"sender":{"appDid":%q,"token":"x.y.z"},"channel":"c","event":%s}}`, sender, event)
	}
	const event = `{"id":"n1","source":"s","type":"a","time":"2026-01-01T00:00:00Z","spec_version":"1.0.0","object_type":"Order","object_id":"o_1","data":{"type":"application/json","object":{"id":"o_1"}}}`
	if status, out := r.do("POST", path, message("T", event)); status != 404 || at(out, "error") == nil {
		t.Errorf("of a team nobody knows: %d %v", status, out)
	}
	r.create("/", "")
	for _, bad := range []string{`{}`, `{"source":"s"}`, `{"type":"a"}`, `{"source":"s","type":"a\nb"}`, `5`} {
		if status, out := r.do("POST", path, message("T", bad)); status < 400 || status >= 500 || at(out, "error") == nil {
			t.Errorf("%s: %d %v", bad, status, out)
		}
	}
	_, first := r.do("POST", path, message("did:abt:T", event))
	status, again := r.do("POST", path, message("T", event))
	same(t, "published again", again, first)
	same(t, "its status", float64(status), 200)
	same(t, "what is sent", r.next(), `{"type":"application/json","object":{"id":"o_1"},"$eventName":"a","$sender":{"did":"T","name":"t"}}`)
	e := at(r.until("", "succeeded"), "list", 0, "event")
	same(t, "its object", []any{at(e, "objectType"), at(e, "objectId"), at(e, "id")}, []any{"Order", "o_1", at(first, "id")})
}

func TestCatalog(t *testing.T) {
	r := newRig(t, blocklet.Options{})
	r.create("/", "")
	if _, err := r.registry.CreateType(t.Context(), "t:user.created", capture.EventTypeSpec{Description: "somebody came"}, ""); err != nil {
		t.Fatal(err)
	}
	const path = "/.well-known/service/openevent.json"
	status, out := r.do("GET", path+"?app=T", nil)
	same(t, "its status", float64(status), 200)
	same(t, "events", at(out, "events"), []map[string]string{{"type": "user.created", "description": "somebody came", "source": "T"}})
	same(t, "openevent", at(out, "openevent"), "1.0.0")
	if status, out := r.do("GET", path, nil); status != 200 || len(at(out, "events").([]any)) != 0 {
		t.Errorf("of the default app: %d %v", status, out)
	}
	if status, _ := r.do("GET", path+"?app=none", nil); status != 404 {
		t.Errorf("of none: %d", status)
	}
}
