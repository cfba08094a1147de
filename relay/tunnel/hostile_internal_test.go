package tunnel

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/store"
)

// stranger is a listener that says what it likes.
type stranger struct {
	t    *testing.T
	ws   *conn
	conn *http.ClientConn
}

func relayFor(t *testing.T) (*Hub, *store.Store, string) {
	t.Helper()
	hub := &Hub{Beat: time.Second, Logger: slog.New(slog.DiscardHandler),
		Admit:  func(http.ResponseWriter, *http.Request) (Pass, bool) { return Pass{}, true },
		Ingest: func(_ context.Context, app string) (string, error) { return "/in/" + app, nil }}
	s, err := store.Open("", store.Options{Memory: true, Kept: hub.Kept})
	if err != nil {
		t.Fatal(err)
	}
	hub.Log, hub.Roster = s, s
	srv := httptest.NewServer(hub)
	t.Cleanup(func() { srv.Close(); s.Close() })
	return hub, s, srv.URL
}

func come(t *testing.T, url string) *stranger {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{protocol}}
	ws, _, err := d.Dial("ws"+strings.TrimPrefix(url, "http")+"/connect", nil)
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(ws, 5*time.Second)
	c.frames = make(chan *frame, 100)
	ws.SetReadLimit(mostHead + MostInline + 16)
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return c, nil }, Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	conn, err := transport.NewClientConn(t.Context(), "http", "relay:80")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); c.Close() })
	return &stranger{t, c, conn}
}

func (s *stranger) ask(method, path string, body []byte) (int, io.ReadCloser) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, "http://relay:80"+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := s.conn.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, res.Body
}

// listen subscribes, and returns the frames behind the welcome.
func (s *stranger) listen(app string) chan *frame {
	s.t.Helper()
	say, _ := json.Marshal(hello{Listener: capture.NewID(capture.ListenerID), Name: "mallory", App: app})
	if status, _ := s.ask("POST", "/log", say); status != 200 {
		s.t.Fatalf("not let in: %d", status)
	}
	if f := <-s.ws.frames; f.Welcome == nil {
		s.t.Fatalf("no welcome, but %+v", f)
	}
	return s.ws.frames
}

func kept(t *testing.T, s *store.Store, app string) *capture.Event {
	t.Helper()
	body := bytes.Repeat([]byte("s"), 100_000)
	e := &capture.Event{ID: capture.NewID(capture.EventID), App: app, Received: time.Now().UTC(), Method: "POST", Target: "/", Size: int64(len(body)), SHA256: capture.Sum(body)}
	if err := s.Keep(t.Context(), &capture.Change{Event: e, Body: body}); err != nil {
		t.Fatal(err)
	}
	return e
}

// A listener learns nothing of other apps, finishes nobody else's attempts,
// and cannot say that it has what it was not sent.
func TestStrangersAreKeptToTheirApp(t *testing.T) {
	hub, s, url := relayFor(t)
	mine, theirs := kept(t, s, "shop"), kept(t, s, "bank")
	endpoint, attempt := capture.NewID(capture.EndpointID), capture.NewID(capture.AttemptID)
	if err := s.Keep(t.Context(), &capture.Change{Attempts: []*capture.Attempt{{ID: attempt, Event: mine.ID, Endpoint: endpoint, Number: 1, Status: capture.AttemptPending}}}); err != nil {
		t.Fatal(err)
	}
	m := come(t, url)
	reports := func(event, attempt capture.ID, status capture.AttemptStatus) []byte {
		b, err := encoder.Marshal([]report{{Target: "http://x", Attempt: capture.Attempt{ID: attempt, Event: event, Endpoint: endpoint, Number: 1, Status: status}}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, tt := range []struct {
		method, path string
		body         []byte
		want         int
	}{
		{"GET", "/events/" + string(mine.ID) + "/body", nil, 409},
		{"POST", "/attempts", reports(mine.ID, capture.NewID(capture.AttemptID), capture.AttemptSucceeded), 409},
		{"POST", "/ack", []byte(`{"seq":1}`), 409},
		{"POST", "/log", []byte(`{"listener":"lsn_x"}`), 400},
		{"POST", "/log", []byte(`{`), 400},
		{"POST", "/nothing", nil, 404},
	} {
		if got, _ := m.ask(tt.method, tt.path, tt.body); got != tt.want {
			t.Errorf("before listening: %s %s: %d, want %d", tt.method, tt.path, got, tt.want)
		}
	}
	frames := m.listen("shop")
	for _, tt := range []struct {
		method, path string
		body         []byte
		want         int
	}{
		{"GET", "/events/" + string(theirs.ID) + "/body", nil, 404},
		{"GET", "/events/" + string(mine.ID) + "/body", nil, 200},
		{"GET", "/events/evt_x/body", nil, 404},
		{"POST", "/log", []byte(`{"listener":"` + string(capture.NewID(capture.ListenerID)) + `","name":"m","app":"shop"}`), 409},
		{"POST", "/ack", []byte(`{"seq":999999}`), 400},
		{"POST", "/ack", []byte(`{"seq":-1}`), 400},
		{"POST", "/probe", nil, 400},
		{"POST", "/answers/" + string(mine.ID), nil, 410},
		{"POST", "/attempts", []byte("\xff\xff"), 400},
		{"POST", "/attempts", reports(mine.ID, capture.NewID(capture.AttemptID), capture.AttemptPending), 400},
		{"POST", "/attempts", reports(theirs.ID, capture.NewID(capture.AttemptID), capture.AttemptSucceeded), 200}, // and nothing comes of it
		{"POST", "/attempts", reports(mine.ID, attempt, capture.AttemptSucceeded), 200},
	} {
		if got, body := m.ask(tt.method, tt.path, tt.body); got != tt.want {
			text, _ := io.ReadAll(io.LimitReader(body, 200))
			t.Errorf("%s %s: %d %s, want %d", tt.method, tt.path, got, text, tt.want)
		}
	}
	if a, err := s.Attempt(t.Context(), attempt); err != nil || a.Status != capture.AttemptPending {
		t.Errorf("somebody else's attempt is %s now, %v", a.Status, err)
	}
	if as, err := s.Attempts(t.Context(), capture.AttemptQuery{Event: theirs.ID}); err != nil || len(as) > 0 {
		t.Errorf("the bank's event has attempts %v, %v", as, err)
	}
	if f := <-frames; f.Kind != isEvent && f.Kind != isProbe && f.Kind != isBeat || f.Event != nil && f.Event.App != "shop" {
		t.Errorf("the log goes on with %+v", f)
	}
	if n := hub.Connected(); n != 1 {
		t.Errorf("%d are connected", n)
	}
}

// Who connects and does not say who they are is not waited for, and what is no
// tunnel is answered in plain HTTP.
func TestConnectAnswersInWords(t *testing.T) {
	hub, _, url := relayFor(t)
	for _, tt := range []struct {
		header http.Header
		want   int
		says   string
	}{
		{http.Header{}, 426, "proxy"},
		{http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"MDEyMzQ1Njc4OWFiY2RlZg=="}, "Sec-Websocket-Protocol": {"hooktape.2"}}, 426, "Update the older"},
		{http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"MDEyMzQ1Njc4OWFiY2RlZg=="}, "Sec-Websocket-Protocol": {protocol}, "Origin": {"http://evil.example"}}, 403, ""},
	} {
		req, _ := http.NewRequest("GET", url+"/connect", nil)
		req.Header = tt.header
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != tt.want || !strings.Contains(string(body), tt.says) {
			t.Errorf("%v: %d %s", tt.header, res.StatusCode, body)
		}
	}
	hub.mu.Lock()
	hub.draining = true
	hub.mu.Unlock()
	if res, err := http.Get(url + "/connect"); err != nil || res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("draining: %v %v", res, err)
	}
}

// Whatever a relay sends is a frame or an error, and a frame is what was
// written.
func FuzzFrame(f *testing.F) {
	body := []byte("body")
	e := &capture.Event{ID: "evt_01KAMB2CKW0000000000000009", App: "a", Size: 4, SHA256: capture.Sum(body), Headers: capture.Headers{{"A", "\xff"}}}
	for _, fr := range []*frame{
		{Kind: isEvent, Seq: 7, Event: e, Body: body, Missed: true, Left: 3, Wait: time.Second},
		{Kind: isWelcome, Welcome: &welcome{Epoch: "x", Missed: 2, Others: []string{"ada"}}},
		{Kind: isFarewell, Text: "bye", Retry: time.Second}, {Kind: isAttempt, Event: e, Attempt: &capture.Attempt{ID: "att_01KAMB2CKW0000000000000009"}},
	} {
		var b bytes.Buffer
		if err := writeFrame(&b, fr); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte{0, 0, 0, 0, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, in []byte) {
		fr, err := readFrame(bytes.NewReader(in))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := writeFrame(&b, fr); err != nil {
			t.Fatal(err)
		}
		again, err := readFrame(&b)
		if err != nil {
			t.Fatalf("%v of %x", err, b.Bytes())
		}
		if x, y := fmt.Sprintf("%+v", *fr), fmt.Sprintf("%+v", *again); len(x) != len(y) {
			t.Fatalf("\n%s\n%s", x, y)
		}
	})
}

func TestFramesAreRead(t *testing.T) {
	var b bytes.Buffer
	want := &frame{Kind: isBeat, Seq: 9, Time: time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC), Body: []byte{}}
	if err := writeFrame(&b, want); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	if got, err := readFrame(bytes.NewReader(whole)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for n := range whole {
		if _, err := readFrame(bytes.NewReader(whole[:n])); err == nil || n > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	if _, err := readFrame(bytes.NewReader(binary.BigEndian.AppendUint64(nil, 1<<63))); !errors.Is(err, errFrame) {
		t.Errorf("a head too long: %v", err)
	}
}

// What comes as an answer is an attempt or an error.
func FuzzAnswer(f *testing.F) {
	b, err := writeAnswer(&capture.Attempt{ID: "att_01KAMB2CKW0000000000000009", Response: &capture.Response{Status: 200, Body: []byte("x"), Rest: []byte("yz")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := readAnswer(bytes.NewReader(in))
		if err != nil {
			return
		}
		b, err := writeAnswer(a)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readAnswer(bytes.NewReader(b)); err != nil {
			t.Fatalf("%v of %x", err, b)
		}
	})
}

// FuzzRequests asks a relay whatever comes, as a listener that listens.
func FuzzRequests(f *testing.F) {
	f.Add("POST", "/ack", []byte(`{"seq":1}`))
	f.Add("POST", "/attempts", []byte{0x80})
	f.Add("GET", "/events/evt_01KAMB2CKW0000000000000009/body", []byte{})
	hub := &Hub{Logger: slog.New(slog.DiscardHandler), Ingest: func(context.Context, string) (string, error) { return "/", nil }}
	s, err := store.Open("", store.Options{Memory: true, Kept: hub.Kept})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	hub.Log, hub.Roster = s, s
	hub.init()
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		ses := &session{hub: hub, writes: true, frames: make(chan *frame, 64), targets: map[string]capture.ID{}, app: "shop", id: capture.NewID(capture.ListenerID)}
		ses.listens.Store(true)
		req, err := http.NewRequest(method, "http://relay"+path, bytes.NewReader(body))
		if err != nil || !strings.HasPrefix(path, "/") || req.URL.Path == "/log" { // which needs a connection
			return
		}
		w := httptest.NewRecorder()
		routes().ServeHTTP(w, req.WithContext(context.WithValue(t.Context(), sessionKey{}, ses)))
		if w.Code == 500 {
			t.Errorf("%s %q: %s", method, path, w.Body)
		}
	})
}

func TestBackOff(t *testing.T) {
	for _, tt := range []struct {
		outage   time.Duration
		dials    int
		from, to time.Duration
	}{
		{0, 1, 25 * time.Millisecond, 50 * time.Millisecond},
		{time.Second, 5, 100 * time.Millisecond, 200 * time.Millisecond},
		{30 * time.Second, 9, 250 * time.Millisecond, 500 * time.Millisecond},
		{time.Minute, 9, 500 * time.Millisecond, time.Second},
		{time.Hour, 99, 15 * time.Second, 30 * time.Second},
	} {
		for range 100 {
			if got := backOff(tt.outage, tt.dials); got < tt.from || got > tt.to {
				t.Errorf("after %s: %s, want %s to %s", tt.outage, got, tt.from, tt.to)
			}
		}
	}
}
