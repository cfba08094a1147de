package ark_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api/ark"
)

// A delivery is what 3.9.1 puts on the wire, and proves itself by the half of
// the token that it shows.
func TestDelivery(t *testing.T) {
	r := newRig(t, ark.Options{})
	w := r.hook(t, "t1", "/ok/path?x=1", "")
	for data, want := range map[string]string{
		`{"fee":"150","type":3}`: `{"fee":"150","type":3}`,
		`"dummy"`:                `"dummy"`,
		`null`:                   `null`,
		`[1.0, 2e400]`:           `[1.0, 2e400]`,
	} {
		before := time.Now().UnixMilli()
		if a := r.emit(t, "t1", data)[w.ID]; a.Status != capture.AttemptSucceeded {
			t.Fatalf("%s: %+v", data, a)
		}
		got := <-r.got
		m := regexp.MustCompile(`^\{"timestamp":(\d+),"data":(.*),"event":"t1"\}$`).FindStringSubmatch(got.body)
		if m == nil || m[2] != want {
			t.Fatalf("sent %s", got.body)
		}
		var at int64
		if err := json.Unmarshal([]byte(m[1]), &at); err != nil || at < before || at > time.Now().UnixMilli() {
			t.Errorf("sent at %d, and it was %d", at, before)
		}
		if half := got.Header.Get("Authorization"); half != w.Token[:32] || half+w.Token[32:] != w.Token {
			t.Errorf("it shows %q of %q", half, w.Token)
		}
		if got.Method != "POST" || got.RequestURI != "/ok/path?x=1" || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v", got.Method, got.RequestURI, got.Header)
		}
	}
}

// A status below 400 is success, and a redirect is not followed; everything is
// tried once, for 1500 ms at most, and nothing disables a webhook.
func TestDeliveryIsTriedOnce(t *testing.T) {
	r := newRig(t, ark.Options{})
	want := map[capture.ID]string{
		r.hook(t, "t1", "/ok", "").ID:     "succeeded 200 ",
		r.hook(t, "t1", "/moved", "").ID:  "succeeded 302 ",
		r.hook(t, "t1", "/down", "").ID:   "failed 500 status",
		r.hook(t, "t1", "/asleep", "").ID: "failed 0 timeout",
	}
	got := r.emit(t, "t1", "{}")
	if len(got) != len(want) {
		t.Errorf("%d attempts, want %d", len(got), len(want))
	}
	for id, want := range want {
		a, class := got[id], ""
		if a.Error != nil {
			class = a.Error.Class
		}
		if said := fmt.Sprint(a.Status, " ", a.Code, " ", class); said != want || a.Number != 1 || a.Final != (a.Status == capture.AttemptFailed) {
			t.Errorf("%s: %s, final: %v; want %s", a.URL, said, a.Final, want)
		}
		if took := time.Duration(a.Duration); class == "timeout" && (took < 1400*time.Millisecond || took > 5*time.Second) {
			t.Errorf("given up after %s, want 1.5 s", took)
		}
		if e := r.ask(t, "GET", "/api/webhooks/"+string(id), "").webhook(t); !e.Enabled {
			t.Errorf("%s was disabled", e.Target)
		}
	}
}

// What 3.9.1 delivered of one event when it was run. Unlike it, conditions know
// not-between, and walk into objects where no member has the key's own name.
func TestMatching(t *testing.T) {
	r := newRig(t, ark.Options{})
	type row struct {
		event, conditions string
		want              bool
	}
	rows := []row{
		{"block.forged", ``, true},
		{"block.forged", `{"key":"fee","condition":"gt","value":"100"},{"key":"type","condition":"eq","value":3}`, true},
		{"block.forged", `{"key":"asset.id","condition":"eq","value":"z"}`, true},
		{"block.forged", `{"key":"a.b","condition":"eq","value":1}`, true},
		{"block.forged", `{"key":"missing","condition":"contains","value":"x"},{"key":"type","condition":"eq","value":3}`, false},
		{"block.forged", `{"key":"type","condition":"eq","value":3},{"key":"missing","condition":"contains","value":"x"}`, true},
		{"block.forged", `{"key":"fee","condition":"not-between","value":{"min":1,"max":2}}`, true},
		{"block.forged", `{"key":"fee","condition":"notBetween","value":{"min":1,"max":2}}`, true},
		{"block.forged", `{"key":"flag","condition":"truthy"}`, true},
		{"block.forged", `{"key":"missing","condition":"eq"}`, true},
		{"block.forged", `{"key":"missing","condition":"eq","value":null}`, false},
		{"block.*", ``, false},
		{"*", ``, false},
		{"Block.forged", ``, false},
		{"block.forge", ``, false},
	}
	// What the tests of its conditions ask, each about a member of its own.
	members := []string{`"fee":"150"`, `"type":3`, `"asset":{"id":"z"}`, `"a.b":1`, `"flag":"TRUE"`}
	for _, tt := range []struct{ condition, value, yes, no string }{ // values of the member, one a line
		{"between", `{"min":1,"max":3}`, "2\n\"2\"", "3\n1\n4"},
		{"not-between", `{"min":1,"max":3}`, "3\n1\n4", "2"},
		{"contains", `"Hello"`, `"Hello World"`, `"invalid"`},
		{"eq", `1`, "1\n1.0", "2\n\"1\""},
		{"eq", `"1"`, `"1"`, "1"},
		{"ne", `1`, "2", "1"},
		{"falsy", ``, "false\n\"false\"\n\"FaLsE\"\n0\n\"yes\"", "true\n\"TrUe\"\nnull"},
		{"truthy", ``, "true\n\"true\"\n\"TrUe\"", "false\n\"FaLsE\"\n1\nnull"},
		{"gt", `"2"`, "\"10\"\n3", "2\n1\n\"NaN\"\n\"null\"\nnull\n2.5"},
		{"gte", `2`, "2\n\"10\"", "1\nnull"},
		{"lt", `"10"`, "\"2\"\n-1", "10\n11\nnull"},
		{"lte", `2`, "2\n\"1\"", "3\n\"NaN\""},
		{"regexp", `"hello"`, `"hello world!"`, `"HELLO"`},
		{"regexp", `"w+"`, `"wow"`, "123"},
	} {
		for want, values := range map[bool]string{true: tt.yes, false: tt.no} {
			for value := range strings.SplitSeq(values, "\n") {
				key := fmt.Sprint("m", len(members))
				members = append(members, fmt.Sprintf("%q:%s", key, value))
				condition := fmt.Sprintf(`{"key":%q,"condition":%q}`, key, tt.condition)
				if tt.value != "" {
					condition = strings.TrimSuffix(condition, "}") + `,"value":` + tt.value + "}"
				}
				rows = append(rows, row{"block.forged", condition, want})
			}
		}
	}
	of := map[capture.ID]row{}
	for _, tt := range rows {
		of[r.hook(t, tt.event, "/ok", tt.conditions).ID] = tt
	}
	data := "{" + strings.Join(members, ",") + "}"
	got := r.emit(t, "block.forged", data)
	for id, tt := range of {
		if _, sent := got[id]; sent != tt.want {
			t.Errorf("of %s: %s [%s] was sent: %v, want %v", data, tt.event, tt.conditions, sent, tt.want)
		}
	}
	for data, want := range map[string]bool{`"dummy"`: true, `null`: false, `1`: false, `[3]`: true} { // of null and numbers no member can be asked
		for id, tt := range of {
			if tt.conditions != `{"key":"missing","condition":"eq"}` {
				continue
			}
			if _, sent := r.emit(t, "block.forged", data)[id]; sent != want {
				t.Errorf("of %s: a missing member is missing: %v, want %v", data, sent, want)
			}
		}
	}
}

// A webhook that is off gets nothing: from its creation on, and by an update,
// which takes all that it says at once.
func TestDisabled(t *testing.T) {
	r := newRig(t, ark.Options{})
	body := func(event string, enabled bool) string {
		return fmt.Sprintf(`{"event":%q,"target":%q,"enabled":%v,"conditions":[]}`, event, r.receiver+"/ok", enabled)
	}
	w := r.ask(t, "POST", "/api/webhooks", body("a", false)).webhook(t)
	at := "/api/webhooks/" + string(w.ID)
	for _, tt := range []struct {
		update, emit string
		want         int
	}{
		{"", "a", 0},
		{body("b", true), "a", 0},
		{"", "b", 1},
		{body("c", false), "c", 0},
		{body("webhooks.d", true), "webhooks.d", 1}, // which 3.9.1 would not send
	} {
		if tt.update != "" {
			r.ask(t, "PUT", at, tt.update).want(t, tt.update, 200, "{}")
		}
		if got := r.emit(t, tt.emit, "{}"); len(got) != tt.want {
			t.Errorf("after %s, %s made %d attempts, want %d", tt.update, tt.emit, len(got), tt.want)
		}
	}
}

// Webhooks of one target are each their own.
func TestOneTarget(t *testing.T) {
	r := newRig(t, ark.Options{})
	first, second, third := r.hook(t, "a", "/ok", ""), r.hook(t, "a", "/ok", ""), r.hook(t, "b", "/ok", "")
	if first.Token == second.Token {
		t.Error("they have one token")
	}
	sent := func(event string, want ...webhook) {
		t.Helper()
		got := r.emit(t, event, "{}")
		for _, w := range want {
			if got[w.ID].Status != capture.AttemptSucceeded {
				t.Errorf("%s was not sent to %s", event, w.ID)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s was sent %d times, want %d", event, len(got), len(want))
		}
	}
	sent("a", first, second)
	sent("b", third)
	put := func(w webhook, event, path string) {
		t.Helper()
		r.ask(t, "PUT", "/api/webhooks/"+string(w.ID), fmt.Sprintf(`{"event":%q,"target":%q,"enabled":true,"conditions":[]}`, event, r.receiver+path)).want(t, "update", 200, "{}")
	}
	put(first, "b", "/elsewhere")
	sent("a", second)
	put(first, "a", "/ok")
	sent("a", first, second)
	r.ask(t, "DELETE", "/api/webhooks/"+string(first.ID), "").want(t, "delete", 200, "{}")
	sent("a", second)
	sent("b", third)
}
