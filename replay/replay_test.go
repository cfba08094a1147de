package replay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/dispatch"
	"code.hooktape.dev/hooktape/replay"
	"code.hooktape.dev/hooktape/store"
)

// owner is a process that owns a store, as package main makes one, and its
// client.
func owner(t *testing.T) (*store.Store, *api.Client) {
	t.Helper()
	s, err := store.Open("", store.Options{Memory: true})
	if err != nil {
		t.Fatal(err)
	}
	d := &dispatch.Dispatcher{Store: s, History: s, Open: func(e capture.Endpoint) (dispatch.Sender, error) {
		target, err := answer.ParseTarget(e.URL)
		return &answer.Forward{Target: target}, err
	}}
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "sock"))
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: (&api.Server{Source: s, Resend: d.Resend}).Handler()}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { d.Run(ctx) })
	wg.Go(func() { srv.Serve(l) })
	c := api.Dial(l.Addr().String())
	t.Cleanup(func() {
		c.Close()
		srv.Close()
		cancel()
		wg.Wait()
		s.Close()
	})
	return s, c
}

func arrive(t *testing.T, s *store.Store, n int) (ids []capture.ID) {
	t.Helper()
	for i := range n {
		e := &capture.Event{ID: capture.NewID(capture.EventID), App: capture.DefaultApp, Received: time.Now(), Method: "POST",
			Target: capture.Raw(fmt.Sprint("/", i)), Size: 2}
		if err := s.Keep(t.Context(), &capture.Change{Event: e, Body: []byte("hi")}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	return ids
}

func TestRunSendsInOrderAndCounts(t *testing.T) {
	var came []string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		came = append(came, r.URL.Path+" "+string(body)+" "+r.Header.Get(answer.ReplayOfHeader)[:4])
		if r.URL.Path == "/1" {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer app.Close()
	s, c := owner(t)
	ids := arrive(t, s, 3)
	var seen []capture.ID
	result, err := replay.Run(t.Context(), c, ids, replay.Options{To: app.URL, Each: func(r capture.Record) error {
		seen = append(seen, r.Attempt.Event)
		return nil
	}})
	if err != nil || result != (replay.Result{Succeeded: 2, Failed: 1}) {
		t.Errorf("replay: %+v, %v; want 2 succeeded and 1 failed", result, err)
	}
	if want := []string{"/0 hi evt_", "/1 hi evt_", "/2 hi evt_"}; !slices.Equal(came, want) {
		t.Errorf("the app got %q, want %q", came, want)
	}
	if !slices.Equal(seen, ids) {
		t.Errorf("told of %v, want %v", seen, ids)
	}
}

func TestRunEndsAtWhatCannotBeSent(t *testing.T) {
	s, c := owner(t)
	ids := arrive(t, s, 1)
	for _, tt := range []struct {
		ids  []capture.ID
		to   string
		want error
	}{
		{ids, "", capture.ErrNoTarget},
		{ids, "nonsense", capture.ErrBadTarget},
		{[]capture.ID{capture.NewID(capture.EventID)}, "http://127.0.0.1:1", capture.ErrNotFound},
	} {
		if _, err := replay.Run(t.Context(), c, tt.ids, replay.Options{To: tt.to}); !errors.Is(err, tt.want) {
			t.Errorf("replay of %v to %q: %v, want %v", tt.ids, tt.to, err, tt.want)
		}
	}
	if result, err := replay.Run(t.Context(), c, nil, replay.Options{}); err != nil || result != (replay.Result{}) {
		t.Errorf("replay of nothing: %+v, %v", result, err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	asked, release := make(chan bool), make(chan bool)
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	}))
	defer app.Close()
	defer close(release)
	s, c := owner(t)
	ids := arrive(t, s, 1)
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-asked
		cancel(enough)
	}()
	if _, err := replay.Run(ctx, c, ids, replay.Options{To: app.URL}); !errors.Is(err, enough) {
		t.Errorf("cancelled replay: %v, want %v", err, enough)
	}
}

func TestRunEndsWithItsListener(t *testing.T) {
	app := httptest.NewServer(http.NotFoundHandler())
	defer app.Close()
	s, c := owner(t)
	enough := errors.New("enough")
	_, err := replay.Run(t.Context(), c, arrive(t, s, 2), replay.Options{To: app.URL, Each: func(capture.Record) error { return enough }})
	if !errors.Is(err, enough) {
		t.Errorf("replay: %v, want what Each returned", err)
	}
}
