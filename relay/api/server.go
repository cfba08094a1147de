// Package api is the native management API: JSON under /api/v1, problem
// details (RFC 9457) for every error, cursor paging, and a live stream. Client
// is its other end, and reads as the store does, so that a command need not
// know which of the two it has.
package api

import (
	"cmp"
	"context"
	"net/http"
	"reflect"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
)

// Reader reads events and attempts.
type Reader interface {
	Events(context.Context, capture.Query) (capture.Page, error)
	Event(context.Context, capture.ID) (capture.Row, error)
	Body(context.Context, capture.ID) ([]byte, error)
	Attempts(context.Context, capture.AttemptQuery) ([]capture.Attempt, error)
	Attempt(context.Context, capture.ID) (capture.Attempt, error)
	Deliveries(context.Context, capture.DeliveryQuery) ([]capture.Delivery, error)
	Delivery(context.Context, capture.ID) (capture.Delivery, error)
}

// Pager reads attempts by pages that have numbers, as other systems ask for
// them.
type Pager interface {
	// AttemptPage are up to q.Limit attempts at registered endpoints behind the
	// first skip, newest first, and how many there are in all.
	AttemptPage(ctx context.Context, q capture.AttemptQuery, skip int) (page []capture.Attempt, total int, err error)
}

// Follower follows the store's sequence.
type Follower interface {
	Counts(context.Context) (capture.Counts, error)
	Facts(ctx context.Context, after uint64, limit int) ([]capture.Fact, error)
	Watch(context.Context) <-chan struct{}
}

// Keeper changes what may change about an event.
type Keeper interface {
	Pin(context.Context, capture.ID, bool) error
	Remove(context.Context, ...capture.ID) error
}

// Source is all that the API serves.
type Source interface {
	Reader
	Pager
	Follower
	Keeper
}

// mostRows is how many rows a page may have.
const mostRows = 1000

// Server answers the management API.
type Server struct {
	Source   Source
	Registry *relay.Registry // nil only where nothing but events is asked about
	Resend   func(context.Context, capture.ID, capture.Resend) ([]*capture.Attempt, error)
	Replays  *relay.Replays // nil only where nobody asks for one
	// Listeners are those of a relay; nil: nobody listens through here.
	Listeners Roster
	// Ingest is the URL at which an app's webhooks are taken; nil: below that of
	// Ready.
	Ingest func(ctx context.Context, app string) (string, error)
	// Busy says why no webhooks or listeners are taken at the moment; nil, or
	// an error that is: they are.
	Busy func() error
	// Dialects are served beside the native API.
	Dialects []Dialect
	// Gauges are further numbers for /metrics.
	Gauges []Gauge
	// Public says that anybody may call, by whatever name: every caller needs
	// a token, and there must be one.
	Public  bool
	Ready   capture.Ready
	Version string
	Token   string // of the one bearer that Guard knows beside the Registry's; "": none
	MaxBody int64  // bytes of a request that makes an event, or fires a trigger; 0: 25 MiB
}

// Handler has all routes of the surface. It trusts its callers: for a TCP
// address wrap it in Guard, which also tells it who is bound to an app.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	routes := s.routes()
	for _, rt := range routes {
		most := int64(1 << 20)
		switch rt.in {
		case reflect.TypeFor[emissionInput](), reflect.TypeFor[capture.TriggerCall]():
			most = cmp.Or(s.MaxBody, 25<<20)
		case reflect.TypeFor[typeInput](), reflect.TypeFor[capture.EventTypeSpec]():
			most = 4 << 20 // a sample and a schema of 1 MiB each, escaped
		}
		mux.HandleFunc(rt.op, answered(func(w http.ResponseWriter, r *http.Request) error {
			r.Body = http.MaxBytesReader(w, r.Body, most)
			if err := s.confine(&rt, r); err != nil {
				return err
			}
			return rt.serve(w, r)
		}))
	}
	for _, d := range s.Dialects {
		most := cmp.Or(d.MaxBody, 1<<20)
		for _, pattern := range d.Routes {
			mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
				r.Body = http.MaxBytesReader(w, r.Body, most)
				d.Serve.ServeHTTP(w, r)
			})
		}
	}
	mux.HandleFunc("/", answered(func(w http.ResponseWriter, r *http.Request) error { return nowhere(w, r, routes) }))
	return mux
}

// answered answers with the problem of an error.
func answered(f func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			fail(w, err)
		}
	}
}
