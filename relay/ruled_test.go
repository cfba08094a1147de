package relay_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/rules"
	"code.hooktape.dev/hooktape/store"
)

// ruled is an Ingest over s with rules, as main joins them.
func ruled(t testing.TB, s *store.Store, specs ...capture.RuleSpec) *relay.Ingest {
	t.Helper()
	set := rules.New(nil)
	all := make([]capture.Rule, len(specs))
	for i, spec := range specs {
		all[i] = capture.Rule{ID: capture.ID(fmt.Sprintf("rul_%d", i)), Place: int64(i), RuleSpec: spec}
	}
	if err := set.Put(all); err != nil {
		t.Fatal(err)
	}
	return &relay.Ingest{Keep: s.Keep, Log: logs(t), Rule: func(e *capture.Event, body []byte) (http.Handler, capture.ID, bool) {
		act, ok := set.Ingest(e, body)
		if !ok {
			return nil, "", false
		}
		return act, act.Rule, true
	}}
}

func lasting(d time.Duration) *capture.Delay { return &capture.Delay{Fixed: capture.Duration(d)} }

// stuck never says anything, for as long as a rule may.
var stuck = capture.RuleSpec{Match: "path:/stuck", Fault: &capture.Fault{Kind: capture.FaultTimeout, Delay: lasting(time.Minute)}}

// kept waits until there are n events.
func kept(t testing.TB, s *store.Store, n int) []capture.Row {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	changed := s.Watch(ctx)
	for {
		page, err := s.Events(t.Context(), capture.Query{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Rows) >= n {
			return page.Rows
		}
		if _, ok := <-changed; !ok {
			t.Fatalf("%d events are kept, want %d", len(page.Rows), n)
		}
	}
}

// While rules keep senders waiting, what they have sent is kept and held no
// longer: others are taken in, however large. When they hang up, nothing of
// them is left.
func TestWaitingSendersHoldNothing(t *testing.T) {
	s := memory(t)
	in := ruled(t, s, stuck)
	in.MaxBody, in.MaxBusy = 1<<20, 2<<20 // room for two: one may be kept and not yet let go of
	addr := serve(t, in)
	send(t, addr, post("/plain", "x"))
	before := runtime.NumGoroutine()
	large, conns := strings.Repeat("x", 900<<10), []net.Conn(nil)
	for n := range 20 {
		c := dial(t, addr)
		conns = append(conns, c)
		if _, err := io.WriteString(c, post("/stuck", large)); err != nil {
			t.Fatal(err)
		}
		if row := kept(t, s, n+2)[0]; row.Refused != nil || row.Metadata["rule"] != "rul_0" {
			t.Fatalf("request %d: %v, %v", n, row.Refused, row.Metadata)
		}
	}
	var wg sync.WaitGroup
	for range 180 {
		wg.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				_, err = io.WriteString(c, post("/stuck", "x"))
			}
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			kept(t, s, 1+20+180)
		})
	}
	wg.Wait()
	for _, c := range conns {
		c.Close()
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before+5; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, and %d before", runtime.NumGoroutine(), before)
		}
	}
}

// A server that is to end does not wait for what rules hold back: a mock is
// told, and whoever waits for nothing is let go.
func TestEndingWhileRulesWait(t *testing.T) {
	s := memory(t)
	slow := capture.RuleSpec{Match: "path:/slow", Mock: &capture.Mock{Status: 418, Body: `{"a":1}`, Delay: lasting(time.Minute)}}
	drip := capture.RuleSpec{Match: "path:/drip", Fault: &capture.Fault{Kind: capture.FaultDrip, Delay: lasting(time.Minute)}}
	in := ruled(t, s, stuck, slow, drip)
	l := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- in.Serve(ctx, l) }()
	conns := map[string]net.Conn{}
	for _, path := range []string{"/stuck", "/slow", "/drip"} {
		conns[path] = dial(t, l.Addr().String())
		io.WriteString(conns[path], post(path, "{}"))
		kept(t, s, len(conns))
	}
	begun := time.Now()
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if r := readReply(t, bufio.NewReader(conns["/slow"])); r.status != 418 {
		t.Errorf("the slow one was told %d", r.status)
	}
	if b, err := io.ReadAll(conns["/stuck"]); len(b) > 0 {
		t.Errorf("the stuck one was told %q, %v", b, err)
	}
}

// On a connection that goes on, each request has its own answer: one rule's is
// not the next one's. What follows one that is cut is not taken in.
func TestRulesOnOneConnection(t *testing.T) {
	s := memory(t)
	in := ruled(t, s,
		capture.RuleSpec{Match: "path:/tea", Mock: &capture.Mock{Status: 418, Body: `{"a":1}`}},
		capture.RuleSpec{Match: "path:/none", Mock: &capture.Mock{Status: 204}},
		capture.RuleSpec{Match: "path:/empty", Fault: &capture.Fault{Kind: capture.FaultEmpty}})
	addr := serve(t, in)
	for _, pipelined := range []bool{false, true} {
		before := len(kept(t, s, 0))
		c := dial(t, addr)
		br := bufio.NewReader(c)
		var all strings.Builder
		paths := []string{"/a", "/tea", "/none", "/b", "/tea", "/empty", "/never"}
		for _, path := range paths {
			all.WriteString(post(path, "{}"))
		}
		if pipelined {
			io.WriteString(c, all.String())
		}
		for i, want := range []int{202, 418, 204, 202, 418} {
			if !pipelined {
				io.WriteString(c, post(paths[i], "{}"))
			}
			if r := readReply(t, br); r.status != want {
				t.Errorf("%s, pipelined %v: %d", paths[i], pipelined, r.status)
			}
		}
		if !pipelined {
			io.WriteString(c, post("/empty", "{}")+post("/never", "{}"))
		}
		if b, err := io.ReadAll(br); len(b) > 0 {
			t.Errorf("behind the end came %q, %v", b, err)
		}
		if n := len(kept(t, s, before+6)) - before; n != 6 {
			t.Errorf("%d events are kept, pipelined %v", n, pipelined)
		}
	}
}

// A rule answers in the place of whoever listens; the event still goes there.
func TestRulesBeforeSync(t *testing.T) {
	s := memory(t)
	in := ruled(t, s, capture.RuleSpec{Match: "path:/tea", Mock: &capture.Mock{Status: 418, Body: `{"a":1}`}}, capture.RuleSpec{Match: "path:/pass", Pass: true})
	in.Route = func(app string) (string, capture.Answer, bool) {
		return app, capture.Answer{Mode: capture.AnswerSync}, true
	}
	in.Sync = func(ctx context.Context, c *capture.Change) (*capture.Response, error) {
		if strings.HasPrefix(string(c.Event.Target), "/tea") {
			return nil, errors.New("it was asked all the same")
		}
		return &capture.Response{Status: 201, Body: []byte(`{"b":1}`)}, s.Keep(ctx, c)
	}
	var planned []string
	in.Plan = func(e *capture.Event, _ []byte) []*capture.Attempt {
		planned = append(planned, string(e.Target))
		return nil
	}
	addr := serve(t, in)
	for path, want := range map[string]int{"/tea": 418, "/pass": 201, "/x": 201} {
		if r := send(t, addr, post(path, "{}")); r.status != want {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if len(planned) != 3 || len(kept(t, s, 3)) != 3 {
		t.Errorf("planned %v", planned)
	}
}

// Nothing is told by a rule that could not be kept.
func TestRulesOfWhatIsNotKept(t *testing.T) {
	in := ruled(t, memory(t), capture.RuleSpec{Mock: &capture.Mock{Status: 200}})
	in.Keep = func(context.Context, ...*capture.Change) error { return capture.ErrFull }
	if r := send(t, serve(t, in), post("/", "{}")); r.status != 503 {
		t.Errorf("answered %d %s", r.status, r.body)
	}
}

// Regular expressions that other engines take years for.
func TestRulesThatAreSlowElsewhere(t *testing.T) {
	s := memory(t)
	var specs []capture.RuleSpec
	for i := range 10 {
		specs = append(specs, capture.RuleSpec{Match: fmt.Sprintf(`/(x+x+)+y%d$/`, i), Mock: &capture.Mock{Status: 418}})
	}
	addr := serve(t, ruled(t, s, specs...))
	if r := send(t, addr, post("/", strings.Repeat("x", 64<<10))); r.status != 202 {
		t.Errorf("answered %d", r.status)
	}
}
