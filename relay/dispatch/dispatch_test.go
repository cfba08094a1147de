package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/store"
)

// app is the far end of a lane: it answers as told and remembers what came.
type app struct {
	mu     sync.Mutex                                 // guards the fields below
	answer func(e *capture.Event, a *capture.Attempt) // fills in the outcome
	down   bool                                       // connections are refused
	came   []string                                   // target#number, in order
	at     []time.Time
}

func (p *app) Send(ctx context.Context, e *capture.Event, _ []byte, a *capture.Attempt) {
	p.mu.Lock()
	p.came = append(p.came, fmt.Sprintf("%s#%d", e.Target, a.Number))
	p.at = append(p.at, time.Now())
	down, answer := p.down, p.answer
	p.mu.Unlock()
	a.Started = time.Now()
	a.Status, a.Code = capture.AttemptSucceeded, 200
	if down {
		a.Status, a.Code, a.Error = capture.AttemptFailed, 0, &capture.Failure{Class: capture.FailRefused}
	} else if answer != nil {
		answer(e, a)
	}
}

func (p *app) Reachable(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return errors.New("refused")
	}
	return nil
}

func (p *app) Close() {}

func (p *app) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.came)
}

func status(code int, headers ...capture.Header) func(*capture.Event, *capture.Attempt) {
	return func(_ *capture.Event, a *capture.Attempt) {
		a.Code, a.Response = code, &capture.Response{Status: code, Headers: headers}
		if code/100 != 2 {
			a.Status, a.Error = capture.AttemptFailed, &capture.Failure{Class: capture.FailStatus}
		}
	}
}

// river is a store with a dispatcher over it whose every endpoint is an app.
type river struct {
	*dispatch.Dispatcher
	store *store.Store
	t     *testing.T
	apps  map[string]*app // by URL
}

func newRiver(t *testing.T, apps map[string]*app) *river {
	t.Helper()
	s, err := store.Open("", store.Options{Memory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	r := &river{store: s, t: t, apps: apps}
	r.Dispatcher = r.dispatcher()
	for url := range apps {
		r.target(url, "")
	}
	return r
}

func (r *river) dispatcher() *dispatch.Dispatcher {
	return &dispatch.Dispatcher{Store: r.store, History: r.store, Open: func(e capture.Endpoint) (dispatch.Sender, error) {
		if p := r.apps[e.URL]; p != nil {
			return p, nil
		}
		return nil, fmt.Errorf("%q: %w", e.URL, capture.ErrBadTarget)
	}}
}

func (r *river) target(url, filter string) {
	r.t.Helper()
	e, err := r.store.Endpoint(r.t.Context(), capture.Endpoint{Listener: true, EndpointSpec: capture.EndpointSpec{URL: url, Filter: filter}})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.Add(e); err != nil {
		r.t.Fatal(err)
	}
}

// arrive keeps an event as the ingest does.
func (r *river) arrive(target string) capture.ID {
	r.t.Helper()
	e := &capture.Event{ID: capture.NewID(capture.EventID), App: "default", Received: time.Now(), Method: "POST", Target: capture.Raw(target),
		Size: 2, SHA256: capture.Sum([]byte("hi"))}
	if err := r.store.Keep(r.t.Context(), &capture.Change{Event: e, Body: []byte("hi"), Attempts: r.Plan(e, []byte("hi"))}); err != nil {
		r.t.Fatal(err)
	}
	return e.ID
}

// flow runs the dispatcher until the returned function is called.
func (r *river) flow() (stop func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	}
}

func (r *river) attempts(id capture.ID) []capture.Attempt {
	r.t.Helper()
	as, err := r.store.Attempts(r.t.Context(), capture.AttemptQuery{Event: id, Limit: 1000})
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Reverse(as) // oldest first
	return as
}

func TestInOrderWithoutBlocking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{}
		p.answer = func(e *capture.Event, a *capture.Attempt) {
			if e.Target == "/3" && a.Number == 1 {
				status(500)(e, a)
			}
		}
		r := newRiver(t, map[string]*app{"http://app": p})
		defer r.flow()()
		var want []string
		for i := range 8 {
			r.arrive(fmt.Sprint("/", i))
			want = append(want, fmt.Sprintf("/%d#1", i))
		}
		time.Sleep(500 * time.Millisecond)
		if got := p.seen(); !slices.Equal(got, want) {
			t.Errorf("first attempts %v, want %v", got, want)
		}
		time.Sleep(time.Second)
		if got := p.seen(); !slices.Equal(got, append(want, "/3#2")) {
			t.Errorf("then %v, want /3 once more", got)
		}
	})
}

func TestRetryScheduleEndsAndEveryAttemptIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: status(503)}
		r := newRiver(t, map[string]*app{"http://app": p})
		stop := r.flow()
		id := r.arrive("/")
		time.Sleep(time.Hour)
		stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		wait := time.Second
		for i := 1; i < len(p.at); i++ {
			got := p.at[i].Sub(p.at[i-1])
			if got < wait*8/10 || got > wait*12/10+time.Second { // a lane may look up to a moment later
				t.Errorf("attempt %d came %s after the one before, want %s ±20 %%", i+1, got, wait)
			}
			wait = min(2*wait, 5*time.Minute)
		}
		as := r.attempts(id)
		if len(p.at) != 12 || len(as) != 12 {
			t.Fatalf("%d attempts made and %d kept, want 12", len(p.at), len(as))
		}
		for i, a := range as {
			if a.Number != i+1 || a.Status != capture.AttemptFailed || a.Delivery != as[0].Delivery || a.TriggeredBy != capture.BySystem {
				t.Errorf("attempt %d is %+v", i+1, a)
			}
		}
		row, err := r.store.Event(t.Context(), id)
		if err != nil || row.Outcome.State != capture.Failed {
			t.Errorf("the event's state is %q, %v; want failed", row.Outcome.State, err)
		}
	})
}

func TestWhatIsRetried(t *testing.T) {
	for code, again := range map[int]bool{301: false, 400: false, 404: false, 408: true, 410: false, 429: true, 500: true, 501: true, 503: true} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &app{answer: status(code)}
				r := newRiver(t, map[string]*app{"http://app": p})
				defer r.flow()()
				r.arrive("/")
				time.Sleep(3 * time.Second)
				if got := len(p.seen()) > 1; got != again {
					t.Errorf("retried: %v, want %v", got, again)
				}
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: status(429, capture.Header{"Retry-After", "90"})}
		r := newRiver(t, map[string]*app{"http://app": p})
		defer r.flow()()
		r.arrive("/")
		time.Sleep(89 * time.Second)
		if got := len(p.seen()); got != 1 {
			t.Errorf("%d attempts within 89 s, want 1", got)
		}
		time.Sleep(3 * time.Second)
		if got := len(p.seen()); got != 2 {
			t.Errorf("%d attempts within 92 s, want 2", got)
		}
	})
}

func TestAppThatComesBackNeedNotWaitOutTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{down: true}
		r := newRiver(t, map[string]*app{"http://app": p})
		defer r.flow()()
		for i := range 3 {
			r.arrive(fmt.Sprint("/", i))
		}
		time.Sleep(7 * time.Minute)
		before := len(p.seen())
		p.mu.Lock()
		p.down = false
		p.mu.Unlock()
		time.Sleep(time.Second)
		var came []string
		for _, s := range p.seen()[before:] {
			path, _, _ := strings.Cut(s, "#")
			came = append(came, path)
		}
		if want := []string{"/0", "/1", "/2"}; !slices.Equal(came, want) {
			t.Errorf("within a second of coming back got %v, want %v", came, want)
		}
	})
}

// queued is a store that tells of each look at a queue.
type queued struct {
	*store.Store
	look func()
}

func (q queued) Due(ctx context.Context, id capture.ID, limit int) ([]capture.Attempt, error) {
	q.look()
	return q.Store.Due(ctx, id, limit)
}

// An attempt that was under way when the app came back may be refused all the
// same, before the lane has seen it back. Then the app is waited for once more.
func TestRefusalBehindTheProbeIsProbedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(app)
		r := newRiver(t, nil)
		r.Schedule, r.Concurrency = capture.Schedule{Attempts: 12, Waits: []time.Duration{time.Hour}}, 2
		r.apps = map[string]*app{"http://app": p}
		r.target("http://app", "")
		var probed atomic.Bool
		late := make(chan bool)
		r.Store = queued{r.store, func() {
			if probed.CompareAndSwap(true, false) { // the lane looks, for the probe has found the app
				late <- true
				synctest.Wait()
			}
		}}
		defer r.flow()()
		first := r.arrive("/1")
		synctest.Wait()
		set := func(down bool) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.down = down
			p.answer = func(e *capture.Event, a *capture.Attempt) {
				if e.Target == "/2" && a.Number == 1 {
					<-late
					a.Status, a.Code, a.Error = capture.AttemptFailed, 0, &capture.Failure{Class: capture.FailRefused}
				}
			}
		}
		set(false)
		second := r.arrive("/2")
		synctest.Wait()
		set(true)
		if _, err := r.Resend(t.Context(), first, capture.Resend{}); err != nil { // is not retried, so nothing else falls due
			t.Fatal(err)
		}
		synctest.Wait()
		set(false)
		probed.Store(true)
		time.Sleep(5 * time.Second)
		if as := r.attempts(second); len(as) != 2 || as[1].Status != capture.AttemptSucceeded {
			t.Errorf("five seconds after the app is back there are %d attempts, the last %s; want a second one that succeeded", len(as), as[len(as)-1].Status)
		}
	})
}

// The endpoint is found to be back by whichever is first, the probe or a retry
// whose time has come. What came first goes first in both cases.
func TestInOrderAfterComingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 {
			p := &app{down: true}
			r := newRiver(t, nil)
			r.apps = map[string]*app{"http://app": p}
			r.Schedule = dispatch.Exponential(1000, 20*time.Millisecond, 20*time.Millisecond)
			r.target("http://app", "")
			stop := r.flow()
			for i := range 3 {
				r.arrive(fmt.Sprint("/", i))
			}
			time.Sleep(200*time.Millisecond + time.Microsecond) // not when anything is due
			before := len(p.seen())
			p.mu.Lock()
			p.down = false
			p.mu.Unlock()
			time.Sleep(time.Second)
			var came []string
			for _, s := range p.seen()[before:] {
				path, _, _ := strings.Cut(s, "#")
				came = append(came, path)
			}
			if want := []string{"/0", "/1", "/2"}; !slices.Equal(came, want) {
				t.Errorf("after coming back got %v, want %v", came, want)
			}
			stop()
		}
	})
}

func TestAppThatIsLongAwayIsNotGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{down: true}
		r := newRiver(t, map[string]*app{})
		r.apps["http://app"] = p
		r.Schedule = dispatch.Exponential(2, time.Second, time.Minute)
		r.target("http://app", "")
		defer r.flow()()
		id := r.arrive("/")
		time.Sleep(time.Hour)
		if n := len(p.seen()); n != 2 {
			t.Errorf("%d attempts in an hour, want the 2 of the schedule", n)
		}
		p.mu.Lock()
		p.down = false
		p.mu.Unlock()
		time.Sleep(time.Second)
		row, err := r.store.Event(t.Context(), id)
		if err != nil || row.Outcome.State != capture.OK {
			t.Errorf("a second after the app was back the event is %q, %v; want ok", row.Outcome.State, err)
		}
	})
}

func TestRestartGoesOnWithWhatWasPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{down: true}
		r := newRiver(t, map[string]*app{"http://app": p})
		stop := r.flow()
		id := r.arrive("/")
		time.Sleep(time.Second / 2)
		stop()
		r.arrive("/meanwhile")

		p.mu.Lock()
		p.down = false
		p.mu.Unlock()
		again := &river{Dispatcher: r.dispatcher(), store: r.store, t: t, apps: r.apps}
		again.target("http://app", "")
		defer again.flow()()
		time.Sleep(5 * time.Second)
		if as := r.attempts(id); len(as) != 2 || as[1].Status != capture.AttemptSucceeded {
			t.Errorf("attempts %+v, want the second to have succeeded", as)
		}
		if got := p.seen(); !slices.Contains(got, "/meanwhile#1") {
			t.Errorf("came %v, want what arrived while nobody listened", got)
		}
	})
}

func TestHangingEndpointBlocksNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, quick := &app{}, &app{}
		slow.answer = func(*capture.Event, *capture.Attempt) { time.Sleep(time.Minute) }
		r := newRiver(t, map[string]*app{"http://slow": slow, "http://quick": quick})
		defer r.flow()()
		for range 5 {
			r.arrive("/")
		}
		time.Sleep(time.Second)
		if s, q := len(slow.seen()), len(quick.seen()); s != 1 || q != 5 {
			t.Errorf("slow had %d and quick %d, want 1 and 5", s, q)
		}
	})
}

func TestConcurrencyIsTheMostAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &app{answer: func(*capture.Event, *capture.Attempt) { time.Sleep(time.Second) }}
		r := newRiver(t, map[string]*app{})
		r.apps["http://app"] = p
		r.Concurrency = 3
		r.target("http://app", "")
		defer r.flow()()
		for range 7 {
			r.arrive("/")
		}
		for i, want := range []int{3, 6, 7} {
			time.Sleep(time.Second * 9 / 10)
			if got := len(p.seen()); got != want {
				t.Errorf("in second %d: %d under way or done, want %d", i, got, want)
			}
			time.Sleep(time.Second / 10)
		}
	})
}

func TestRoutesByPredicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRiver(t, map[string]*app{})
		r.apps["http://a"], r.apps["http://b"] = &app{}, &app{}
		r.target("http://a", "path:/a/*")
		r.target("http://b", "hi !path:/a/*")
		defer r.flow()()
		r.arrive("/a/1")
		r.arrive("/b/1")
		time.Sleep(time.Second)
		if a, b := r.apps["http://a"].seen(), r.apps["http://b"].seen(); !slices.Equal(a, []string{"/a/1#1"}) || !slices.Equal(b, []string{"/b/1#1"}) {
			t.Errorf("a got %v and b %v", a, b)
		}
	})
}

func TestResend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, other := &app{}, &app{answer: status(500)}
		r := newRiver(t, map[string]*app{"http://app": p})
		r.apps["http://other"] = other
		defer r.flow()()
		id := r.arrive("/")
		time.Sleep(time.Second)

		made, err := r.Resend(t.Context(), id, capture.Resend{})
		if err != nil || len(made) != 1 {
			t.Fatalf("resend to the targets: %v, %v; want one attempt", made, err)
		}
		first := r.attempts(id)[0]
		if a := made[0]; a.Delivery != first.Delivery || a.Number != 2 || a.TriggeredBy != capture.ByUser || a.TriggeredFrom != capture.FromManual {
			t.Errorf("resend made %+v, want number 2 of delivery %s by a user", a, first.Delivery)
		}
		if _, err := r.Resend(t.Context(), id, capture.Resend{To: "http://other"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := other.seen(); !slices.Equal(got, []string{"/#1"}) {
			t.Errorf("a failing resend was made %v, want once", got)
		}
		retry, err := r.Resend(t.Context(), id, capture.Resend{Attempt: first.ID})
		if err != nil || len(retry) != 1 || retry[0].TriggeredFrom != string(first.ID) || retry[0].Number != 3 {
			t.Errorf("retry of %s: %+v, %v", first.ID, retry, err)
		}
	})
}

func TestResendThatCannotBe(t *testing.T) {
	r := newRiver(t, map[string]*app{})
	id := r.arrive("/")
	stub := &capture.Event{ID: capture.NewID(capture.EventID), App: "default", Received: time.Now(), SHA256: capture.Sum(nil), Refused: &capture.Refusal{Status: 413}}
	if err := r.store.Keep(t.Context(), &capture.Change{Event: stub}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		id     capture.ID
		resend capture.Resend
		want   error
	}{
		{id, capture.Resend{}, capture.ErrNoTarget},
		{id, capture.Resend{To: "nonsense"}, capture.ErrBadTarget},
		{id, capture.Resend{Attempt: capture.NewID(capture.AttemptID)}, capture.ErrNotFound},
		{capture.NewID(capture.EventID), capture.Resend{}, capture.ErrNotFound},
		{stub.ID, capture.Resend{To: "http://app"}, capture.ErrRefused},
	} {
		if _, err := r.Resend(t.Context(), tt.id, tt.resend); !errors.Is(err, tt.want) {
			t.Errorf("resend %+v: %v, want %v", tt.resend, err, tt.want)
		}
	}
}
