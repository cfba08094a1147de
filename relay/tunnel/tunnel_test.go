package tunnel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/tunnel"
)

// What comes to the relay is kept by the listener as it came, goes to its app,
// and the relay learns what became of it.
func TestEventsArriveAsTheyCame(t *testing.T) {
	r, l := newRelay(t), newListener(t)
	far, _ := l.run(r)
	if link := far.Link(); link.State != capture.LinkConnected || link.Ingest != r.url+"/in/shop" || link.RTT <= 0 {
		t.Errorf("the link is %+v", link)
	}
	body := []byte("a\x00b\xff")
	e := r.catch("shop", "/0?q=%zz", body)
	r.catch("other", "/never", nil)
	eventually(t, "[/0]", l.app.seen)
	row, err := l.store.Event(t.Context(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	got, want := row.Event, *e
	got.Seq, want.Seq = 0, 0
	if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
		t.Errorf("kept\n%#v\nwant\n%#v", got, want)
	}
	if l.app.mu.Lock(); !bytes.Equal(l.app.bodies[0], body) {
		t.Errorf("the app got %q", l.app.bodies[0])
	}
	l.app.mu.Unlock()
	attempts := func(s interface {
		Attempts(context.Context, capture.AttemptQuery) ([]capture.Attempt, error)
	}) string {
		as, err := s.Attempts(t.Context(), capture.AttemptQuery{Event: e.ID})
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, a := range as {
			all = append(all, fmt.Sprint(a.ID, a.Status, a.Code, a.URL))
		}
		return strings.Join(all, " ")
	}
	eventually(t, true, func() bool {
		mine := attempts(l.store)
		return strings.Contains(mine, "succeeded") && mine == attempts(r.store)
	})
	eventually(t, "ok", func() capture.State {
		row, err := r.store.Event(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		return row.Outcome.State
	})
}

// What nobody has had waits for whoever comes; who comes later begins there.
func TestNobodyListensIsADelay(t *testing.T) {
	r := newRelay(t)
	for i := range 5 {
		r.catch("shop", fmt.Sprint("/", i), nil)
	}
	ada, bob := newListener(t), newListener(t)
	_, stop := ada.run(r)
	eventually(t, numbered(0, 5), ada.app.seen)
	if got := ada.gaps(); got != "5 all" {
		t.Errorf("gaps are %s", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	for i := range 3 {
		r.catch("shop", fmt.Sprint("/", 5+i), nil)
	}
	bob.run(r)
	eventually(t, numbered(5, 8), bob.app.seen)
	r.catch("shop", "/8", nil)
	ada.run(r)
	eventually(t, numbered(0, 9), ada.app.seen)
	eventually(t, numbered(5, 9), bob.app.seen)
	if got := ada.gaps(); got != "5 all, 4 all" {
		t.Errorf("gaps are %s", got)
	}
}

// All that was missed is kept; what is delivered of it is the user's choice.
func TestCatchUp(t *testing.T) {
	for _, tt := range []struct{ how, want string }{
		{"all", "[/0 /1 /2 /3 /4]"}, {"none", "[/4]"}, {"last=2", "[/2 /3 /4]"}, {"failed", "[/1 /3 /4]"},
	} {
		t.Run(tt.how, func(t *testing.T) {
			r, l := newRelay(t), newListener(t)
			_, stop := l.run(r)
			stop()
			other := capture.NewID(capture.EndpointID)
			for i := range 4 {
				e := r.catch("shop", fmt.Sprint("/", i), nil)
				if i%2 == 0 { // somebody else has delivered it meanwhile
					a := &capture.Attempt{ID: capture.NewID(capture.AttemptID), Event: e.ID, App: "shop", Endpoint: other, Number: 1, Status: capture.AttemptSucceeded, Code: 200}
					if err := r.store.Keep(t.Context(), &capture.Change{Attempts: []*capture.Attempt{a}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			how, err := capture.ParseCatchUp(tt.how)
			if err != nil {
				t.Fatal(err)
			}
			l.run(r, func(far *tunnel.Listener) { far.CatchUp = &how })
			r.catch("shop", "/4", nil)
			eventually(t, tt.want, l.app.seen)
			eventually(t, numbered(0, 5), l.kept)
			if got := l.gaps(); got != "4 "+tt.how {
				t.Errorf("gaps are %s", got)
			}
		})
	}
}

// Where many were missed the user is asked, and what comes meanwhile waits.
func TestAskedWhenManyWereMissed(t *testing.T) {
	r, l := newRelay(t), newListener(t)
	_, stop := l.run(r)
	stop()
	for i := range 30 {
		r.catch("shop", fmt.Sprint("/", i), nil)
	}
	asked, told := make(chan capture.Gap), make(chan capture.CatchUp)
	l.run(r, func(far *tunnel.Listener) {
		far.Ask = func(ctx context.Context, g capture.Gap) (capture.CatchUp, error) {
			asked <- g
			return <-told, nil
		}
	})
	if g := <-asked; g.Missed != 30 || g.From.After(g.To) || g.From.IsZero() {
		t.Errorf("asked about %+v", g)
	}
	r.catch("shop", "/30", nil)
	if got := l.app.seen(); len(got) > 0 {
		t.Errorf("%v came before the answer", got)
	}
	told <- capture.CatchUp{Mode: capture.CatchUpLast, Last: 3}
	eventually(t, numbered(27, 31), l.app.seen)
}

// However often and wherever the connection breaks: each event is kept once,
// in order, and none is missing.
func TestCutAnywhere(t *testing.T) {
	r, l := newRelay(t), newListener(t)
	l.run(r)
	const n = 600
	done := make(chan bool)
	go func() {
		defer close(done)
		for i := range n {
			body := bytes.Repeat([]byte("x"), rand.IntN(20_000))
			if i%100 == 50 {
				body = bytes.Repeat([]byte("y"), 2<<20)
			}
			r.catch("shop", fmt.Sprint("/", i), body)
			if i%20 == 10 {
				r.cut()
			}
		}
	}()
	<-done
	eventually(t, n, func() int { return len(l.kept()) })
	large := func(target string) bool { return strings.HasSuffix(target, "50") }
	eventually(t, n, func() int { return len(l.app.seen()) })
	var want, got []string
	for i := range n {
		if target := fmt.Sprint("/", i); !large(target) {
			want = append(want, target)
		}
	}
	for _, target := range l.app.seen() {
		if !large(target) { // those may be overtaken
			got = append(got, target)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the app got %v", got)
	}
	if l.told("disconnected") == 0 || l.told("reconnected") == 0 {
		t.Errorf("%d disconnected, %d reconnected", l.told("disconnected"), l.told("reconnected"))
	}
}

func TestClaims(t *testing.T) {
	r := newRelay(t)
	ada, bob, rest := newListener(t), newListener(t), newListener(t)
	only := func(expr string) func(*tunnel.Listener) {
		return func(far *tunnel.Listener) { far.Only = expr }
	}
	_, stopAda := ada.run(r, only("path:/ada/*"))
	rest.run(r)
	r.catch("shop", "/ada/1", nil)
	r.catch("shop", "/1", nil)
	eventually(t, "[/ada/1]", ada.app.seen)
	eventually(t, "[/1]", rest.app.seen)
	stopAda()
	r.catch("shop", "/ada/2", nil) // hers all the same, for a while
	r.catch("shop", "/2", nil)
	eventually(t, "[/1 /2]", rest.app.seen)
	ada.run(r, only("path:/ada/*"))
	eventually(t, "[/ada/1 /ada/2]", ada.app.seen)
	bob.run(r, only("path:/ada/*"))
	eventually(t, 1, func() int { return ada.told("notice") })
	r.catch("shop", "/ada/3", nil)
	eventually(t, "[/ada/3]", bob.app.seen)
	if got := fmt.Sprint(ada.app.seen(), rest.app.seen()); got != "[/ada/1 /ada/2] [/1 /2]" {
		t.Errorf("the others got %s", got)
	}
}

// A listener's new connection takes the place of the one the relay still
// believes in, and says whose that was. Two that are alive do not fight.
func TestNewestConnectionTakesOver(t *testing.T) {
	r, l := newRelay(t), newListener(t)
	before, ended := l.far(r), make(chan error, 1)
	go func() { ended <- before.Run(t.Context()) }()
	<-before.Ready()
	again, _ := l.run(r)
	if notice := again.Link().Notice; !strings.Contains(notice, "took over from ada@laptop") {
		t.Errorf("the notice is %q", notice)
	}
	select { // by itself
	case err := <-ended:
		if !errors.Is(err, tunnel.ErrTaken) {
			t.Errorf("the one before ended with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the one before goes on")
	}
	r.catch("shop", "/0", nil)
	eventually(t, "[/0]", l.app.seen)
	rows, err := r.hub.Listeners(t.Context())
	if err != nil || len(rows) != 1 || !rows[0].Connected || rows[0].Name != "ada@laptop" {
		t.Errorf("listeners are %+v, %v", rows, err)
	}
}

func TestRefusals(t *testing.T) {
	r, l := newRelay(t), newListener(t)
	fails := func(want error, says string, change func(*tunnel.Listener)) {
		t.Helper()
		_, stop := l.run(r, change)
		if err := stop(); !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
			t.Errorf("ended with %v, want %v: …%s…", err, want, says)
		}
	}
	fails(tunnel.ErrRefused, "not found", func(l *tunnel.Listener) { l.App = "none" })
	fails(tunnel.ErrRefused, "slug", func(l *tunnel.Listener) { l.App = "No App" })
	fails(tunnel.ErrRefused, "only", func(l *tunnel.Listener) { l.Only = "(" })
	fails(tunnel.ErrRefused, "name", func(l *tunnel.Listener) { l.Name = " " })
	r.pass = func() (tunnel.Pass, bool) { return tunnel.Pass{}, false }
	fails(tunnel.ErrUnauthorized, "no", func(*tunnel.Listener) {})
	r.pass = func() (tunnel.Pass, bool) { return tunnel.Pass{App: "bank"}, true }
	fails(tunnel.ErrUnauthorized, "bank", func(*tunnel.Listener) {})
	fails(tunnel.ErrRefused, "no hooktape relay", func(far *tunnel.Listener) { far.URL = l.app.URL })
	fails(tunnel.ErrUnreachable, "refused", func(far *tunnel.Listener) { far.URL = "http://127.0.0.1:1" })
}

func TestTokensThatEndCutTheTunnel(t *testing.T) {
	r, l := newRelay(t), newListener(t)
	token := capture.NewID(capture.TokenID)
	expires := time.Time{}
	admits := true
	r.pass = func() (tunnel.Pass, bool) { return tunnel.Pass{Token: token, Expires: expires}, admits }
	_, stop := l.run(r)
	r.hub.Cut(capture.NewID(capture.TokenID)) // somebody else's
	admits = false
	r.hub.Cut(token)
	eventually(t, 0, r.hub.Connected)
	if err := stop(); err != nil && !errors.Is(err, tunnel.ErrUnauthorized) {
		t.Errorf("ended with %v", err)
	}
	admits, expires = true, time.Now().Add(300*time.Millisecond)
	l.run(r)
	eventually(t, 0, r.hub.Connected)
}

// Who waits for an answer gets the app's, whole, whatever its size; and is told
// that there is none when nobody answers in time.
func TestAnswers(t *testing.T) {
	r, l := newRelay(t), newListener(t)
	ask := func(target string, body []byte, limit time.Duration) (*capture.Attempt, error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		e := event("shop", target, body)
		wait, err := r.hub.Await(ctx, e)
		if kept := r.store.Keep(t.Context(), &capture.Change{Event: e, Body: body}); kept != nil || err != nil {
			return nil, errors.Join(kept, err)
		}
		return wait()
	}
	if _, err := ask("/nobody", nil, time.Second); !errors.Is(err, tunnel.ErrNobody) {
		t.Errorf("nobody listens: %v", err)
	}
	l.run(r)
	eventually(t, "[/nobody]", l.app.seen)
	large := bytes.Repeat([]byte("0123456789"), 300_000)
	l.app.mu.Lock()
	l.app.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(400 * time.Millisecond)
		}
		w.Header().Set("X-App", "yes")
		w.WriteHeader(http.StatusTeapot)
		w.Write(large)
	}
	l.app.mu.Unlock()
	for _, body := range [][]byte{[]byte("small"), large} {
		a, err := ask("/ask", body, patience)
		if err != nil {
			t.Fatal(err)
		}
		if got := append(bytes.Clone(a.Response.Body), a.Response.Rest...); a.Response.Status != 418 || a.Response.Headers.First("x-app") != "yes" || !bytes.Equal(got, large) {
			t.Errorf("answered %d with %d bytes", a.Response.Status, len(got))
		}
	}
	if _, err := ask("/slow", nil, 100*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, tunnel.ErrNobody) { // whichever end notices first
		t.Errorf("too slow: %v", err)
	}
	eventually(t, "[/nobody /ask /ask /slow]", l.app.seen) // once each, answered with an error or not
	l.app.Close()
	if _, err := ask("/down", nil, patience); !errors.Is(err, tunnel.ErrNobody) {
		t.Errorf("the app is down: %v", err)
	}
	eventually(t, "[/nobody /ask /ask /slow /down]", l.kept)
}

// What a user asks for at the relay is done at the listener's own target, and
// nowhere else.
func TestAttemptsByHandGoThroughTheTunnel(t *testing.T) {
	r, l := newRelay(t), newListener(t)
	l.run(r)
	body := bytes.Repeat([]byte("z"), 100_000)
	e := r.catch("shop", "/0", body)
	eventually(t, "[/0]", l.app.seen)
	listener := func() capture.ID {
		rows, err := r.hub.Listeners(t.Context())
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		return rows[0].ID
	}()
	send := func(target string) *capture.Attempt {
		a := &capture.Attempt{ID: capture.NewID(capture.AttemptID), Event: e.ID, App: "shop", Number: 2, TriggeredBy: capture.ByUser, TriggeredFrom: capture.FromManual}
		tunnel.Sender{Hub: r.hub, Endpoint: capture.Endpoint{Of: listener, EndpointSpec: capture.EndpointSpec{URL: target}}}.Send(t.Context(), e, body, a)
		return a
	}
	if a := send(l.app.URL); a.Status != capture.AttemptSucceeded || a.Code != 200 || a.URL != l.app.URL+"/0" {
		t.Errorf("the attempt is %+v", a)
	}
	eventually(t, "[/0 /0]", l.app.seen)
	if a := send("http://127.0.0.1:22"); a.Status != capture.AttemptFailed || a.Error == nil || a.Error.Class != capture.FailOffline {
		t.Errorf("at another address: %+v", a)
	}
}

// A large body does not hold up small ones where the way is slow, and is not
// asked for twice when the connection breaks.
func TestLargeBodiesTravelApart(t *testing.T) {
	r, l := newRelay(t), newListener(t)
	l.run(r)
	large := bytes.Repeat([]byte("0123456789abcdef"), 25<<16)
	e := r.catch("shop", "/large", large)
	eventually(t, "[/large]", l.app.seen)
	body, err := l.store.Body(t.Context(), e.ID)
	if err != nil || !bytes.Equal(body, large) {
		t.Errorf("%d bytes were kept, %v", len(body), err)
	}
}

// What is sent again may have another body than the one that was kept: restamped,
// and too large for a frame. The listener is sent that one, and says so.
func TestOrderWithABodyOfItsOwn(t *testing.T) {
	r, l := newRelay(t), newListener(t)
	l.run(r)
	for _, size := range []int{0, 100, 64 << 10, 64<<10 + 1, 3 << 20} {
		e := r.catch("shop", fmt.Sprintf("/%d", size), bytes.Repeat([]byte("k"), size))
		made := append(bytes.Repeat([]byte("m"), size), "ade"...)
		restamped := *e
		restamped.Size, restamped.SHA256 = int64(len(made)), capture.Sum(made)
		a := r.order(l, &restamped, made)
		if a.Status != capture.AttemptSucceeded {
			t.Fatalf("%d bytes: %s %+v", size, a.Status, a.Error)
		}
		l.app.mu.Lock()
		got := slices.ContainsFunc(l.app.bodies, func(b []byte) bool { return bytes.Equal(b, made) })
		l.app.mu.Unlock()
		if !got {
			t.Errorf("%d bytes: the app did not get what was made", size)
		}
		kept, err := l.store.Attempt(t.Context(), a.ID)
		if err != nil || kept.Request == nil || string(kept.Request.Made) != string(made[:min(len(made), 1<<20)]) {
			t.Errorf("%d bytes: the listener does not say what it sent: %v", size, err)
		}
		if body, err := l.store.Body(t.Context(), e.ID); err != nil || len(body) != size {
			t.Errorf("%d bytes: it keeps %d of the event, %v", size, len(body), err)
		}
	}
}

// order sends an event again through the relay, to the target of a listener.
func (r *relayEnd) order(l *listenEnd, e *capture.Event, body []byte) *capture.Attempt {
	r.t.Helper()
	var id capture.ID
	eventually(r.t, true, func() bool {
		all, err := r.store.Listeners(r.t.Context())
		if err != nil || len(all) == 0 {
			return false
		}
		id = all[0].ID
		_, err = l.store.Event(r.t.Context(), e.ID)
		return err == nil
	})
	a := &capture.Attempt{ID: capture.NewID(capture.AttemptID), Event: e.ID, Delivery: capture.NewID(capture.DeliveryID), Number: 2,
		Status: capture.AttemptPending, TriggeredBy: capture.ByUser, TriggeredFrom: capture.FromManual}
	tunnel.Sender{Hub: r.hub, Endpoint: capture.Endpoint{Of: id, EndpointSpec: capture.EndpointSpec{URL: l.app.URL}}}.Send(r.t.Context(), e, body, a)
	return a
}

// A relay that ends tells its listeners, and they come back to the next.
func TestFarewell(t *testing.T) {
	r, l := newRelay(t), newListener(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.hub.Run(ctx) }()
	l.run(r)
	cancel()
	if err := <-ended; err != nil || !r.hub.Draining() {
		t.Errorf("%v, draining %v", err, r.hub.Draining())
	}
	eventually(t, 1, func() int { return l.told("disconnected") })
	l.mu.Lock()
	defer l.mu.Unlock()
	if got := l.records[0].Link.Reason; got != "the relay restarts" {
		t.Errorf("disconnected because %q", got)
	}
}

// A listener says that it is connected when a probe has gone round, and no
// longer once two beats were missed.
func TestConnectedMeansProven(t *testing.T) {
	r, l := newRelay(t), newListener(t)
	valve := newValve(t, r.url)
	far := l.far(r, func(far *tunnel.Listener) { far.URL = valve.url })
	state := func() capture.LinkState { return far.Link().State }
	valve.open.Store(false)
	during(t, far.Run)
	time.Sleep(300 * time.Millisecond) // it connects, and hears nothing
	select {
	case <-far.Ready():
		t.Fatal("ready, and nothing was heard of the relay")
	default:
	}
	valve.open.Store(true)
	eventually(t, capture.LinkConnected, state)
	if link := far.Link(); link.RTT <= 0 || link.Heard.IsZero() {
		t.Errorf("the link is %+v", link)
	}
	valve.open.Store(false)
	begun := time.Now()
	eventually(t, capture.LinkDisconnected, state)
	if took := time.Since(begun); took > 2*200*time.Millisecond+time.Second { // two beats, and a busy machine
		t.Errorf("it took %s to notice", took)
	}
	e := r.catch("shop", "/0", nil)
	valve.open.Store(true)
	eventually(t, "[/0]", l.app.seen)
	if _, err := l.store.Event(t.Context(), e.ID); err != nil {
		t.Error(err)
	}
}
