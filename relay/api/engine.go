package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
)

// Engine is what a Dialect speaks about: all that there is for one caller. Where
// the caller's token is bound to an app, nothing of another app is there.
type Engine interface {
	Apps
	Endpoints
	Statistics
	Types
	Triggers
	Reader
	Pager
	Resender
	Replayer
	Addresses
	Cataloger
	Announcer
	Secrets
}

var _ = []Replayer{(*relay.Replays)(nil), (*Client)(nil)}

// Replayer sends many deliveries again.
type Replayer interface {
	Replays(ctx context.Context, app string) ([]capture.Replay, error) // the newest first
	Replay(context.Context, capture.ID) (capture.Replay, error)
	// StartReplay queues a replay, or is the one that the same key has queued.
	StartReplay(ctx context.Context, app string, spec capture.ReplaySpec) (capture.Replay, error)
	// CancelReplay ends a replay that has not ended; one that has stays as it is.
	CancelReplay(context.Context, capture.ID) (capture.Replay, error)
}

// Addresses says where things are.
type Addresses interface {
	// Ingest is the URL at which an app's webhooks are taken. It returns
	// capture.ErrDisabled, wrapped, where none are.
	Ingest(ctx context.Context, app string) (string, error)
}

// Cataloger manages catalogs of event types.
type Cataloger interface {
	Catalogs(context.Context) ([]capture.CatalogRow, error) // by slug
	Catalog(ctx context.Context, slug string) (capture.CatalogRow, error)
	// CreateCatalog makes a catalog with event types, all or nothing.
	CreateCatalog(ctx context.Context, slug string, spec capture.CatalogSpec, types []capture.EventType) (capture.CatalogRow, error)
	// UpdateCatalog changes what the patch names: a JSON merge patch (RFC
	// 7396) of a CatalogSpec.
	UpdateCatalog(ctx context.Context, slug string, patch json.RawMessage) (capture.CatalogRow, error)
	// DeleteCatalog forgets a catalog that no app points to; its event types stay.
	DeleteCatalog(ctx context.Context, slug string) error
	// AddTypes makes event types in a catalog, all or nothing.
	AddTypes(ctx context.Context, slug string, types []capture.EventType) (capture.CatalogRow, error)
	// Subscribable refuses subscriptions that the app's catalog does not allow.
	Subscribable(ctx context.Context, app string, subs []capture.Subscription) error
}

// Announcer makes events and says who gets them.
type Announcer interface {
	Announce(ctx context.Context, app string, what capture.Emission) (capture.Emitted, error)
}

// Secrets shows secrets to who asks for them by name.
type Secrets interface {
	// SigningSecret is the newest signing secret of an app: whole for who may
	// manage it, and masked for others.
	SigningSecret(ctx context.Context, app string) (string, error)
}

// Resender sends events again.
type Resender interface {
	Resend(context.Context, capture.ID, capture.Resend) ([]*capture.Attempt, error)
}

// Engine is that of the request's caller, in whose name changes are noted.
func (s *Server) Engine(r *http.Request) Engine {
	registry, token := s.registry(r), callerOf(r).token
	e := engine{
		Registry: registry, Cataloger: registry, Announcer: registry, Reader: s.Source, Pager: s.Source,
		Resender: resend(s.Resend), Replayer: s.Replays, Addresses: addresses{s},
		Secrets: secrets{registry, token.ID == "" || token.Scope == capture.ScopeManage},
	}
	if app := bound(r); app != "" {
		return &confined{e, s, app}
	}
	return e
}

// Found makes an app where there is none of that slug, for a dialect whose
// system has nothing to be made first. To who may not make it, it is not there.
func Found(ctx context.Context, apps Apps, slug string, spec capture.AppSpec) error {
	_, missing := apps.App(ctx, slug)
	if !errors.Is(missing, capture.ErrNotFound) {
		return missing
	}
	_, err := apps.CreateApp(ctx, slug, spec)
	if conflict := new(capture.ConflictError); errors.As(err, &conflict) {
		return nil // somebody else just did
	}
	if errors.Is(err, ErrUnauthorized) {
		return missing
	}
	return err
}

// secrets are shown whole, or masked.
type secrets struct {
	registry *relay.Registry
	whole    bool
}

func (s secrets) SigningSecret(ctx context.Context, app string) (string, error) {
	secret, err := s.registry.SigningSecret(ctx, app)
	if !s.whole {
		secret = capture.Keyring{Key: secret}.Masked()
	}
	return secret, err
}

type resend func(context.Context, capture.ID, capture.Resend) ([]*capture.Attempt, error)

func (f resend) Resend(ctx context.Context, id capture.ID, r capture.Resend) ([]*capture.Attempt, error) {
	return f(ctx, id, r)
}

// addresses are those of a Server.
type addresses struct{ s *Server }

func (a addresses) Ingest(ctx context.Context, app string) (string, error) {
	switch base := strings.TrimSuffix(a.s.Ready.Ingest, "/"); {
	case a.s.Ingest != nil:
		return a.s.Ingest(ctx, app)
	case base == "":
		return "", fmt.Errorf("no webhooks are taken here: %w", capture.ErrDisabled)
	case a.s.Ready.Relay != "" || app == capture.DefaultApp: // a relay's is that of one app
		return base, nil
	default:
		return base + "/in/" + app, nil
	}
}

// engine is all that there is.
type engine struct {
	Registry
	Reader
	Pager
	Resender
	Replayer
	Addresses
	Cataloger
	Announcer
	Secrets
}
