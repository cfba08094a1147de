package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"code.hooktape.dev/hooktape/capture"
)

// whose is how a route tells which app a request is about. Every route
// declares it, so that none forgets those whose token is bound to one: the zero
// whose keeps them out.
type whose string

const (
	ofNobody   whose = "nobody"  // it tells nothing of any app
	ofAll      whose = "all"     // it is about all apps at once
	ofCaller   whose = "caller"  // the handler asks bound
	inPath     whose = "path"    // {app}
	inQuery    whose = "query"   // ?app=, of which confine leaves but one
	inBody     whose = "body"    // a member of the body, which goes through within
	byEvent    whose = "event"   // that of the event {id},
	byAttempt  whose = "attempt" // and so on
	byEndpoint whose = "endpoint"
	byToken    whose = "token"
	byListener whose = "listener"
	byRule     whose = "rule"
	byTrigger  whose = "trigger"
	byDelivery whose = "delivery"
	byReplay   whose = "replay"
	byTag      whose = "tag" // the first half of {tag}; what is built in may be read
)

// nouns are what {id}, or a parameter of the query by that name, is the id of.
var nouns = map[whose]string{byEvent: capture.EventID, byAttempt: capture.AttemptID, byEndpoint: capture.EndpointID, byToken: capture.TokenID, byListener: capture.ListenerID, byRule: capture.RuleID,
	byDelivery: capture.DeliveryID, byReplay: capture.ReplayID, byTrigger: capture.TriggerID}

// confine keeps who is bound to an app to what is the app's. Of anything else
// it says what it says of what is not there, so that nobody learns which ids
// and names are. From here on the query asks for that app alone.
func (s *Server) confine(rt *route, r *http.Request) error {
	app := bound(r)
	if app == "" {
		return nil
	}
	q := r.URL.Query()
	for _, p := range rt.params {
		asked := q.Get(p.name)
		if asked == "" {
			continue
		}
		switch noun := nouns[whose(p.name)]; {
		case noun != "":
			if err := s.own(r.Context(), app, noun, asked); err != nil {
				return err
			}
		case p.name == "app" && asked != app:
			return noApp(asked)
		}
	}
	q.Set("app", app)
	u := *r.URL // whoever is further out has the same one
	u.RawQuery = q.Encode()
	r.URL = &u
	switch rt.whose {
	case ofNobody, ofCaller, inQuery, inBody:
		return nil
	case inPath:
		if asked := r.PathValue("app"); asked != app {
			return noApp(asked)
		}
		return nil
	case byTag:
		tag := r.PathValue("tag")
		if whose, _, _ := capture.SplitTag(tag); whose == app {
			return nil
		}
		if t, err := s.Registry.Type(r.Context(), tag); err != nil || !t.Builtin {
			return noType(tag)
		}
		return nil
	case byEvent, byAttempt, byEndpoint, byToken, byListener, byRule, byTrigger, byDelivery, byReplay:
		return s.own(r.Context(), app, nouns[rt.whose], r.PathValue("id"))
	}
	return &problem{Status: http.StatusForbidden, Code: "app",
		Detail: fmt.Sprintf("The token is bound to the app %q; this is about all apps.", app)}
}

// within is the app that a body names. One who is bound to an app need not
// name it, and cannot name another.
func within(r *http.Request, named string) (string, error) {
	app := bound(r)
	if app != "" && named != "" && named != app {
		return "", noApp(named)
	}
	return cmp.Or(named, app), nil
}

// own returns capture.ErrNotFound, wrapped, unless what text is the id of is
// there and the app's.
func (s *Server) own(ctx context.Context, app, noun, text string) error {
	id, err := capture.ParseID(noun, text)
	if err != nil {
		return err
	}
	owner, err := s.owner(ctx, noun, id)
	if err == nil && owner == app {
		return nil
	}
	// What is damaged does not say whose it is.
	if err == nil || errors.Is(err, capture.ErrNotFound) || errors.Is(err, capture.ErrDamaged) {
		return fmt.Errorf("%s: %w", id, capture.ErrNotFound)
	}
	return err
}

// owner is the app that a thing is of, "" if it is every app's.
func (s *Server) owner(ctx context.Context, noun string, id capture.ID) (app string, err error) {
	switch noun {
	case capture.AttemptID:
		a, err := s.Source.Attempt(ctx, id)
		if err != nil || a.App != "" {
			return a.App, err
		}
		id = a.Event // an older hooktape did not write the app into its attempts
		fallthrough
	case capture.EventID:
		row, err := s.Source.Event(ctx, id)
		return row.App, err
	case capture.EndpointID:
		row, err := s.Registry.Endpoint(ctx, id)
		return row.App, err
	}
	switch noun {
	case capture.DeliveryID:
		d, err := s.Source.Delivery(ctx, id)
		return d.App, err
	case capture.ReplayID:
		t, err := s.Replays.Replay(ctx, id)
		return t.App, err
	case capture.ListenerID:
		return s.listenersApp(ctx, id)
	case capture.RuleID:
		row, err := s.Registry.Rule(ctx, id)
		return row.App, err
	case capture.TriggerID:
		t, err := s.Registry.Trigger(ctx, id)
		return t.App, err
	}
	tokens, err := s.Registry.Tokens(ctx)
	for _, t := range tokens {
		if t.ID == id {
			return t.App, nil
		}
	}
	return "", cmp.Or(err, capture.ErrNotFound)
}

func noApp(slug string) error {
	return fmt.Errorf("there is no app %q: %w", slug, capture.ErrNotFound)
}

func noType(tag string) error {
	return fmt.Errorf("there is no event type %q: %w", tag, capture.ErrNotFound)
}
