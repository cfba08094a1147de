package relay

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// Endpoints lists endpoints; see capture.EndpointQuery.
func (r *Registry) Endpoints(ctx context.Context, q capture.EndpointQuery) ([]capture.EndpointRow, error) {
	rows, err := r.store.EndpointRows(ctx, q)
	for i := range rows {
		rows[i].Endpoint = masked(rows[i].Endpoint)
	}
	return rows, err
}

// Endpoint is one endpoint. It returns capture.ErrNotFound, wrapped, for an
// unknown id; deleted ones are found.
func (r *Registry) Endpoint(ctx context.Context, id capture.ID) (capture.EndpointRow, error) {
	row, err := r.store.EndpointRow(ctx, id)
	row.Endpoint = masked(row.Endpoint)
	return row, err
}

// masked is an endpoint without what lets a reader in anywhere.
func masked(e capture.Endpoint) capture.Endpoint {
	e.Secret = capture.Keyring{Key: e.Secret.Masked()}
	e.Headers = maps.Clone(e.Headers)
	for name, value := range e.Headers {
		e.Headers[name] = capture.Header{name, value}.Hidden()
	}
	return e
}

// CreateEndpoint registers an endpoint of an app, "" being the default one, and
// makes its secret. It is a *capture.ConflictError when the app has one of that
// URL, unless the format is ARK's or Wacht's: there many may be of one URL.
func (r *Registry) CreateEndpoint(ctx context.Context, app string, spec capture.EndpointSpec) (capture.Endpoint, error) {
	return r.register(ctx, app, spec, func(*capture.Endpoint) {})
}

// CreateDisabled is CreateEndpoint of one that gets nothing until it is
// enabled.
func (r *Registry) CreateDisabled(ctx context.Context, app string, spec capture.EndpointSpec, why string) (capture.Endpoint, error) {
	if err := length("disabled_reason", why, mostReason); err != nil {
		return capture.Endpoint{}, err
	}
	return r.register(ctx, app, spec, func(e *capture.Endpoint) {
		stand(e, new(capture.Health), capture.ByUser, capture.EndpointDisabled, why)
	})
}

func (r *Registry) register(ctx context.Context, app string, spec capture.EndpointSpec, begin func(*capture.Endpoint)) (capture.Endpoint, error) {
	if err := r.check(&spec); err != nil {
		return capture.Endpoint{}, err
	}
	app = cmp.Or(app, capture.DefaultApp)
	if _, ok := r.made(app); !ok { // it needs a signing secret from now on
		if _, err := r.changeApp(ctx, app, hidden, func(*capture.App) error { return nil }); err != nil {
			return capture.Endpoint{}, err
		}
	}
	now := time.Now().UTC()
	e := capture.Endpoint{
		ID: capture.NewID(capture.EndpointID), App: app, EndpointSpec: spec, Status: capture.EndpointEnabled,
		Secret:  capture.Keyring{Key: newSecret(spec.Format)},
		Created: now, Updated: now, CreatedBy: r.by, UpdatedBy: r.by,
	}
	begin(&e)
	if err := r.store.NewEndpoint(ctx, e, spec.Format != capture.FormatARK && spec.Format != capture.FormatWacht); err != nil {
		return capture.Endpoint{}, bare(err)
	}
	r.hooks.Changed(e)
	return once(e), nil
}

// newSecret is a secret as the format's receivers hold it.
func newSecret(f capture.Format) string {
	if hex(f) {
		return capture.NewHexSecret()
	}
	return capture.NewSigningSecret()
}

func hex(f capture.Format) bool { return f == capture.FormatBlocklet || f == capture.FormatARK }

// once is an endpoint with its newest secret, for who has just made it.
func once(e capture.Endpoint) capture.Endpoint {
	key := e.Secret.Key
	e = masked(e)
	e.Secret = capture.Keyring{Key: key}
	return e
}

// UpdateEndpoint changes what the patch names, all of it or nothing; see
// capture.EndpointSetup. Header values that are masked, as reads have them,
// stay as they are.
func (r *Registry) UpdateEndpoint(ctx context.Context, id capture.ID, patch json.RawMessage) (capture.Endpoint, error) {
	e, err := r.edit(ctx, id, func(e *capture.Endpoint, h *capture.Health) error {
		next := capture.EndpointSetup{EndpointSpec: e.EndpointSpec, Status: e.Status}
		if err := merge(&next, patch); err != nil {
			return err
		}
		if err := checkStatus(next.Status, next.Reason, capture.EndpointEnabled, capture.EndpointDisabled); err != nil {
			return err
		}
		spec := next.EndpointSpec
		for name, value := range spec.Headers {
			if h := (capture.Header{name, e.Headers[name]}); h.Credential() && value == h.Hidden() {
				spec.Headers[name] = e.Headers[name]
			}
		}
		if hex(spec.Format) != hex(e.Format) {
			return &capture.FieldError{Field: "format", Problem: "its secret is of another kind; register a new endpoint for this format"}
		}
		if err := r.check(&spec); err != nil {
			return err
		}
		e.EndpointSpec = spec
		if e.Status != next.Status {
			stand(e, h, capture.ByUser, next.Status, next.Reason)
		}
		if e.Status == capture.EndpointDisabled && next.Reason != "" {
			e.DisabledAs = next.Reason
		}
		return nil
	})
	return masked(e), err
}

// SetEndpoint enables, disables or deletes. Enabling forgives failures, and
// what was pending goes on; deleting skips it.
func (r *Registry) SetEndpoint(ctx context.Context, id capture.ID, status capture.EndpointStatus, why string) (capture.Endpoint, error) {
	if err := checkStatus(status, why, capture.EndpointEnabled, capture.EndpointDisabled, capture.EndpointDeleted); err != nil {
		return capture.Endpoint{}, err
	}
	return r.set(ctx, id, capture.ByUser, status, why)
}

// Disable is the system's: an endpoint that keeps failing gets no more.
func (r *Registry) Disable(ctx context.Context, id capture.ID, why string) error {
	_, err := r.As("system").set(ctx, id, capture.BySystem, capture.EndpointDisabled, why)
	return err
}

func (r *Registry) set(ctx context.Context, id capture.ID, by string, status capture.EndpointStatus, why string) (capture.Endpoint, error) {
	e, err := r.edit(ctx, id, func(e *capture.Endpoint, h *capture.Health) error {
		stand(e, h, by, status, why)
		return nil
	})
	return masked(e), err
}

// stand changes the status of an endpoint, and notes by whom and why. One that
// is enabled, be it once more, is forgiven.
func stand(e *capture.Endpoint, h *capture.Health, by string, status capture.EndpointStatus, why string) {
	switch status {
	case capture.EndpointEnabled:
		h.Forgive()
		e.DisabledBy, e.DisabledAs, e.DisabledAt = "", "", time.Time{}
	case e.Status:
	default:
		e.DisabledBy, e.DisabledAs, e.DisabledAt = by, why, time.Now().UTC()
	}
	e.Status = status
}

// mostReason is how many bytes a reason may have.
const mostReason = 500

func checkStatus(status capture.EndpointStatus, why string, may ...capture.EndpointStatus) error {
	if !slices.Contains(may, status) {
		return &capture.FieldError{Field: "status", Problem: fmt.Sprintf("%q: want enabled or disabled", status)}
	}
	return length("disabled_reason", why, mostReason)
}

// RotateEndpointSecret makes a new secret; see api.Endpoints.
func (r *Registry) RotateEndpointSecret(ctx context.Context, id capture.ID, overlap time.Duration) (capture.Endpoint, error) {
	e, err := r.edit(ctx, id, func(e *capture.Endpoint, _ *capture.Health) error {
		e.Secret = e.Secret.Rotate(newSecret(e.Format), time.Now().UTC(), overlapped(overlap))
		return nil
	})
	return once(e), err
}

// edit changes an endpoint and tells those who deliver.
func (r *Registry) edit(ctx context.Context, id capture.ID, change func(*capture.Endpoint, *capture.Health) error) (capture.Endpoint, error) {
	if _, err := capture.ParseID(capture.EndpointID, string(id)); err != nil {
		return capture.Endpoint{}, fmt.Errorf("%w: %w", capture.ErrNotFound, err)
	}
	e, err := r.store.EditEndpoint(ctx, id, func(e *capture.Endpoint, h *capture.Health) error {
		e.Updated, e.UpdatedBy = time.Now().UTC(), r.by
		return change(e, h)
	})
	if err != nil {
		return capture.Endpoint{}, bare(err)
	}
	r.hooks.Changed(e)
	return e, nil
}

// check refuses what an endpoint cannot be, with a *capture.FieldError.
func (r *Registry) check(s *capture.EndpointSpec) error {
	if s.Format == "auto" {
		s.Format = capture.FormatAuto
	}
	if err := r.hooks.Check(*s); err != nil {
		return err
	}
	if err := length("description", s.Description, 2000); err != nil {
		return err
	}
	if _, err := match.Subscribe(s); err != nil {
		return err
	}
	if s.Format != capture.FormatAuto && !slices.Contains(capture.Formats, s.Format) {
		return &capture.FieldError{Field: "format", Problem: fmt.Sprintf("%q: want one of auto, %s", s.Format, joined(capture.Formats))}
	}
	if err := checkMetadata(s.Metadata, 16<<10); err != nil {
		return err
	}
	if s.Timeout < 0 || s.Timeout > capture.Duration(10*time.Minute) {
		return &capture.FieldError{Field: "timeout_ms", Problem: "want up to 600000, or 0 for the default"}
	}
	if s.Concurrency < 0 || s.Concurrency > 256 {
		return &capture.FieldError{Field: "concurrency", Problem: fmt.Sprintf("%d: want 1 to 256", s.Concurrency)}
	}
	if l := s.RateLimit; l != nil {
		if l.Per == 0 {
			l.Per = capture.Duration(time.Second)
		}
		if l.Max < 1 || l.Max > 1_000_000 {
			return &capture.FieldError{Field: "rate_limit.max", Problem: fmt.Sprintf("%d: want 1 to 1000000", l.Max)}
		}
		if l.Per < capture.Duration(time.Millisecond) || l.Per > capture.Duration(24*time.Hour) {
			return &capture.FieldError{Field: "rate_limit.per_ms", Problem: "want 1 ms to a day"}
		}
	}
	_, err := s.Retry.Schedule()
	return err
}

func joined[T ~string](all []T) string {
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = string(v)
	}
	return strings.Join(names, ", ")
}

// bare is a refusal without the deeds of those who passed it on: it is about
// what the caller sent.
func bare(err error) error {
	var field *capture.FieldError
	var conflict *capture.ConflictError
	switch {
	case errors.As(err, &field):
		return field
	case errors.As(err, &conflict):
		return conflict
	}
	return err
}

// checkMetadata refuses what is no JSON object, and one of more bytes than most.
func checkMetadata(m json.RawMessage, most int) error {
	if len(m) > 0 && !bytes.HasPrefix(bytes.TrimSpace(m), []byte("{")) {
		return &capture.FieldError{Field: "metadata", Problem: "want a JSON object"}
	}
	return length("metadata", string(m), most)
}
