package api

import (
	"context"
	"encoding/json"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay"
)

var _ = []Registry{(*relay.Registry)(nil), (*Client)(nil)}

// Registry is what the API manages beside events: relay.Registry, or Client
// far away from it. Secrets are whole in what the call that makes or rotates
// them returns, and masked in everything else. Errors are capture's: a
// FieldError for what is wrong with an input, a ConflictError for what is
// there already, ErrNotFound, ErrDisabled.
type Registry interface {
	Apps
	Endpoints
	Tokens
	Statistics
	Types
	Rules
	Triggers
	Signatures
}

// Apps manages apps.
type Apps interface {
	Apps(context.Context) ([]capture.App, error) // by slug
	App(ctx context.Context, slug string) (capture.App, error)
	CreateApp(ctx context.Context, slug string, spec capture.AppSpec) (capture.App, error)
	// UpdateApp changes what the patch names: a JSON merge patch (RFC 7396) of
	// an AppSpec.
	UpdateApp(ctx context.Context, slug string, patch json.RawMessage) (capture.App, error)
	DeleteApp(ctx context.Context, slug string) error
	// RotateSecret makes a new signing secret. Requests are signed with the
	// old one too for the overlap; 0: 24 h, less than 0: not at all.
	RotateSecret(ctx context.Context, slug string, overlap time.Duration) (capture.App, error)
	RotateIngestKey(ctx context.Context, slug string, overlap time.Duration) (capture.App, error)
	// Emit keeps an event as the app made it, with its deliveries. fresh is
	// false where the idempotency key named one that was there.
	Emit(ctx context.Context, slug string, what capture.Emission) (e capture.Event, fresh bool, err error)
}

// Endpoints manages registered endpoints.
type Endpoints interface {
	Endpoints(context.Context, capture.EndpointQuery) ([]capture.EndpointRow, error)
	Endpoint(context.Context, capture.ID) (capture.EndpointRow, error)
	// CreateEndpoint registers an endpoint of an app; "": the caller's, which
	// is default unless its token is bound to another.
	CreateEndpoint(ctx context.Context, app string, spec capture.EndpointSpec) (capture.Endpoint, error)
	// CreateDisabled is the same of one that gets nothing until it is enabled.
	CreateDisabled(ctx context.Context, app string, spec capture.EndpointSpec, why string) (capture.Endpoint, error)
	// UpdateEndpoint changes what the patch names, all of it or nothing: a JSON
	// merge patch (RFC 7396) of a capture.EndpointSetup.
	UpdateEndpoint(ctx context.Context, id capture.ID, patch json.RawMessage) (capture.Endpoint, error)
	// SetEndpoint enables, disables or deletes, saying why.
	SetEndpoint(ctx context.Context, id capture.ID, status capture.EndpointStatus, why string) (capture.Endpoint, error)
	RotateEndpointSecret(ctx context.Context, id capture.ID, overlap time.Duration) (capture.Endpoint, error)
	// TestEndpoint makes an event, sends it to this endpoint alone, whatever
	// its status and subscriptions, once, and returns the attempt. An empty
	// Type is "test.webhook".
	TestEndpoint(ctx context.Context, id capture.ID, what capture.Emission) (capture.Attempt, error)
	// Explain says which registered endpoints of its app an event goes to.
	Explain(ctx context.Context, event capture.ID) ([]capture.Explanation, error)
}

// Tokens manages bearer tokens of the API.
type Tokens interface {
	Tokens(context.Context) ([]capture.Token, error) // oldest first
	// CreateToken returns the token once.
	CreateToken(context.Context, capture.TokenSpec) (t capture.Token, secret string, err error)
	RevokeToken(context.Context, capture.ID) error
}

// Statistics are what attempts came to.
type Statistics interface {
	Stats(context.Context, capture.StatsQuery) (capture.Stats, error)
	Timeseries(context.Context, capture.StatsQuery) (capture.Timeseries, error)
}

// Types manages the catalog of event types, and sends what is in it.
type Types interface {
	Types(ctx context.Context, app string) ([]capture.EventType, error) // by tag
	Type(ctx context.Context, tag string) (capture.EventType, error)
	CreateType(ctx context.Context, tag string, spec capture.EventTypeSpec, from capture.ID) (capture.EventType, error)
	// UpdateType changes what the patch names: a JSON merge patch (RFC 7396)
	// of an EventTypeSpec.
	UpdateType(ctx context.Context, tag string, patch json.RawMessage) (capture.EventType, error)
	DeleteType(ctx context.Context, tag string) error
	Fire(ctx context.Context, tag string, f capture.Firing) (capture.Fired, error)
}

// Rules manages rules.
type Rules interface {
	Rules(ctx context.Context, app string) ([]capture.RuleRow, error) // in the order they are asked
	Rule(context.Context, capture.ID) (capture.RuleRow, error)
	CreateRule(context.Context, capture.RuleSpec) (capture.RuleRow, error)
	UpdateRule(ctx context.Context, id capture.ID, patch json.RawMessage) (capture.RuleRow, error)
	MoveRule(ctx context.Context, id capture.ID, place int) (capture.RuleRow, error)
	DeleteRule(context.Context, capture.ID) error
	ResetRules(context.Context, capture.ID) error // "": all
	ExplainRules(ctx context.Context, event capture.ID) ([]capture.RuleExplanation, error)
}

// Triggers manages triggers, and fires them. What is secret of them is masked
// wherever they are read.
type Triggers interface {
	Triggers(ctx context.Context, app string) ([]capture.Trigger, error) // by name; of "" all
	Trigger(context.Context, capture.ID) (capture.Trigger, error)
	CreateTrigger(ctx context.Context, app string, spec capture.TriggerSpec) (capture.Trigger, error)
	// UpdateTrigger changes what the patch names: a JSON merge patch (RFC 7396)
	// of a TriggerSpec.
	UpdateTrigger(ctx context.Context, id capture.ID, patch json.RawMessage) (capture.Trigger, error)
	DeleteTrigger(context.Context, capture.ID) error
	// FireTrigger sends a call to the trigger's target, once, and says what came
	// of it. What the target does is no error; what is wrong with the call is.
	FireTrigger(ctx context.Context, id capture.ID, call capture.TriggerCall) (capture.TriggerAnswer, error)
}

// Signatures judges the signatures of what was kept.
type Signatures interface {
	// Signature judges by a clock, the zero one being that of when the event
	// came, with a secret or, where that is "", those that are known.
	Signature(ctx context.Context, event capture.ID, at time.Time, secret string) (sign.Explanation, error)
}
