package relay

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Records is where a Registry keeps what it manages.
type Records interface {
	EditApp(ctx context.Context, slug string, edit func(a *capture.App, found bool) error) (capture.App, error)
	RemoveApp(ctx context.Context, slug string) error
	Apps(context.Context) ([]capture.App, error)
	Caught(ctx context.Context, app string) (bool, error)

	NewEndpoint(ctx context.Context, e capture.Endpoint, unique bool) error
	EditEndpoint(ctx context.Context, id capture.ID, edit func(*capture.Endpoint, *capture.Health) error) (capture.Endpoint, error)
	EndpointRows(context.Context, capture.EndpointQuery) ([]capture.EndpointRow, error)
	EndpointRow(context.Context, capture.ID) (capture.EndpointRow, error)

	EditToken(ctx context.Context, id capture.ID, edit func(t *capture.Token, found bool) error) (capture.Token, error)
	Tokens(context.Context) ([]capture.Token, error)

	EditType(ctx context.Context, tag string, edit func(t *capture.EventType, found bool) error) (capture.EventType, error)
	RemoveType(ctx context.Context, tag string) error
	Types(context.Context) ([]capture.EventType, error)

	EditCatalog(ctx context.Context, slug string, edit func(c *capture.Catalog, found bool) ([]capture.EventType, error)) (capture.Catalog, error)
	RemoveCatalog(ctx context.Context, slug string) error
	Catalogs(context.Context) ([]capture.Catalog, error)

	EditRule(ctx context.Context, id capture.ID, edit func(r *capture.Rule, found bool) error) (capture.Rule, error)
	RemoveRule(context.Context, capture.ID) error
	Rules(context.Context) ([]capture.Rule, error)

	EditTrigger(ctx context.Context, id capture.ID, edit func(t *capture.Trigger, found bool) error) (capture.Trigger, error)
	RemoveTrigger(context.Context, capture.ID) error
	Triggers(context.Context) ([]capture.Trigger, error)

	Keep(context.Context, ...*capture.Change) error
	Event(context.Context, capture.ID) (capture.Row, error)
	Body(context.Context, capture.ID) ([]byte, error)
	Attempt(context.Context, capture.ID) (capture.Attempt, error)
	Watch(context.Context) <-chan struct{}

	Stats(context.Context, capture.StatsQuery) (capture.Stats, error)
	Timeseries(context.Context, capture.StatsQuery) (capture.Timeseries, error)
}

// Hooks are what a Registry asks of those who deliver.
type Hooks struct {
	// Plan makes the pending attempts of a new event.
	Plan func(*capture.Event, []byte) []*capture.Attempt
	// Resend makes attempts by hand.
	Resend func(context.Context, capture.ID, capture.Resend) ([]*capture.Attempt, error)
	// Target is the endpoint of a URL that is given by hand, which attempts can
	// then be made to.
	Target func(ctx context.Context, app, url string) (capture.Endpoint, error)
	// Secrets are those of the process, as an app's are; nil: it has none.
	Secrets func() map[string]string
	// Rules are at work.
	Rules RuleBook
	// Changed is told of an endpoint that was made or changed, once it is
	// kept; App of an app's slug.
	Changed func(capture.Endpoint)
	// Ended is told of a token once it is revoked, so that what its bearer has
	// open can be cut. It is not told of one that expires. nil: nobody asks.
	Ended func(token capture.ID)
	// Check refuses an endpoint's URL or headers, with a *capture.FieldError.
	Check func(capture.EndpointSpec) error
}

// Registry manages apps, registered endpoints, tokens, event types, rules and
// triggers: what may be, and what follows from a change. It holds apps, tokens
// and triggers in memory, for every event, every request and every firing asks
// for them.
type Registry struct {
	store Records
	hooks Hooks
	known *known // shared by all copies
	by    string // who acts
}

// known is what the registry holds in memory.
type known struct {
	mu     sync.RWMutex // guards the fields below
	apps   map[string]capture.App
	keys   map[string]string // slugs by ingest key, those that no longer count among them
	tokens map[capture.Digest]capture.Token

	triggers map[capture.ID]capture.Trigger
	standIns map[string]capture.Endpoint // by app and name

	kinds  kinds      // has a lock of its own
	rules  sync.Mutex // held from a change of a rule until all are put to work
	chains sync.Mutex // held from a look at the triggers until what was decided by it is kept
}

// put notes an app as it is now. The caller holds the lock.
func (k *known) put(a capture.App) {
	k.apps[a.Slug] = a
	k.keys[a.IngestKey.Key] = a.Slug
	for _, old := range a.IngestKey.Old {
		k.keys[old.Key] = a.Slug
	}
}

// NewRegistry reads what there is.
func NewRegistry(ctx context.Context, r Records, h Hooks) (*Registry, error) {
	apps, err := r.Apps(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := r.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	triggers, err := r.Triggers(ctx)
	if err != nil {
		return nil, err
	}
	k := &known{apps: map[string]capture.App{}, keys: map[string]string{}, tokens: map[capture.Digest]capture.Token{}, triggers: map[capture.ID]capture.Trigger{}, standIns: map[string]capture.Endpoint{}}
	for _, t := range triggers {
		k.triggers[t.ID] = t
	}
	for _, a := range apps {
		k.put(a)
	}
	for _, t := range tokens {
		k.tokens[t.SHA256] = t
	}
	registry := &Registry{store: r, hooks: h, known: k, by: "local"}
	if h.Rules == nil {
		return registry, nil
	}
	rules, err := registry.madeRules(ctx)
	if err != nil {
		return nil, err
	}
	return registry, h.Rules.Put(rules)
}

// As is the same registry, for somebody whose name is noted as that of who
// made or changed things.
func (r *Registry) As(by string) *Registry {
	as := *r
	as.by = by
	return &as
}

// overlapped spells out what a rotation was asked for.
func overlapped(d time.Duration) time.Duration {
	return max(0, cmp.Or(d, 24*time.Hour))
}

// merge applies a JSON merge patch (RFC 7396) to v, a struct of which nothing
// but its JSON form is kept. A member that v has not is a *capture.FieldError.
func merge[T any](v *T, patch json.RawMessage) error {
	old, err := json.Marshal(v)
	if err != nil {
		return err
	}
	merged, err := mergeJSON(old, patch, 0)
	if err != nil {
		return err
	}
	var next T
	if err := capture.Decode(merged, &next); err != nil {
		return err
	}
	*v = next
	return nil
}

func mergeJSON(old, patch json.RawMessage, depth int) (json.RawMessage, error) {
	if depth > 100 {
		return nil, &capture.FieldError{Field: "patch", Problem: "over 100 levels deep"}
	}
	var change map[string]json.RawMessage
	if !bytes.HasPrefix(bytes.TrimSpace(patch), []byte("{")) {
		if depth == 0 {
			return nil, &capture.FieldError{Field: "patch", Problem: "want a JSON object of the members to change"}
		}
		return patch, nil
	}
	if err := json.Unmarshal(patch, &change); err != nil {
		return nil, &capture.FieldError{Field: "patch", Problem: err.Error()}
	}
	var have map[string]json.RawMessage
	if json.Unmarshal(old, &have) != nil || have == nil {
		have = map[string]json.RawMessage{}
	}
	for name, v := range change {
		if string(bytes.TrimSpace(v)) == "null" {
			delete(have, name)
			continue
		}
		merged, err := mergeJSON(have[name], v, depth+1)
		if err != nil {
			return nil, err
		}
		have[name] = merged
	}
	return json.Marshal(have)
}

// length refuses a text that is longer than people write.
func length(field, s string, most int) error {
	if len(s) > most {
		return &capture.FieldError{Field: field, Problem: fmt.Sprintf("%d bytes: want %d at most", len(s), most)}
	}
	return nil
}

// sortedKeys is the names of a map, in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
