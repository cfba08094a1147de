package blocklet

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// root resolves the operations.
type root struct{ o Options }

// team is the call and the app of an operation, with what its arguments say.
func (r *root) team(ctx context.Context, a args, changes bool, missing error) (*call, string, object, error) {
	c := callOf(ctx)
	if err := c.begin(changes); err != nil {
		return nil, "", nil, err
	}
	all, err := a.all()
	if err != nil {
		return nil, "", nil, err
	}
	team := all.text("teamDid")
	if team == "" {
		return nil, "", nil, hinted(missing, all)
	}
	app := Slug(team)
	switch {
	case app == "":
		return nil, "", nil, errTeam + words(team)
	case c.token.App != "" && c.token.App != app:
		return nil, "", nil, errOther
	}
	return c, app, all, nil
}

// hinted says how to call where nothing came: published clients leave out what
// their document does not wrap.
func hinted(err error, all object) error {
	if len(all) > 0 {
		return err
	}
	return fmt.Errorf("%w: nothing arrived; the published clients send what is in one member input alone, as in createWebhookEndpoint({ input: { teamDid, input: { url, … } } })", err)
}

// within is the endpoint that an operation names, if it is the app's.
func (c *call) within(ctx context.Context, app, id string) (*capture.EndpointRow, error) {
	row, err := c.Endpoint(ctx, capture.ID(id))
	switch {
	case unlessGone(err) != nil:
		return nil, worded(err)
	case err != nil || row.App != app || row.Status == "" || row.Status == capture.EndpointDeleted:
		return nil, errNoEndpoint
	}
	return &row, nil
}

// one is the call of an operation on one endpoint, and the endpoint.
func (r *root) one(ctx context.Context, a args, changes bool) (*call, *capture.EndpointRow, object, error) {
	c, app, all, err := r.team(ctx, a, changes, errMissing)
	if err != nil {
		return nil, nil, nil, err
	}
	if all.text("id") == "" {
		return nil, nil, nil, errMissing
	}
	row, err := c.within(ctx, app, all.text("id"))
	return c, row, all, err
}

// CreateWebhookEndpoint registers an endpoint, and its team's app where there
// is none.
func (r *root) CreateWebhookEndpoint(ctx context.Context, a args) (*reply[*endpoint], error) {
	c, app, all, err := r.team(ctx, a, true, errMissing)
	if err != nil {
		return nil, err
	}
	in, ok := all.sub("input")
	if !ok { // what it would hold is beside the team
		if in = all; len(in) == 1 {
			return nil, errMissing
		}
	}
	if err := check(in, false); err != nil {
		return nil, err
	}
	spec := capture.EndpointSpec{
		URL: in.text("url"), Description: in.text("description"), Subscriptions: wanted(in["enabledEvents"]),
		Format: capture.FormatBlocklet, Timeout: capture.Duration(3 * time.Minute), Retry: &capture.RetryPolicy{Preset: "blocklet"},
	}
	meta, _ := in.sub("metadata")
	if meta == nil {
		meta = object{}
	}
	delete(meta, version)
	if v := in.text("apiVersion"); v != "" {
		meta[version] = v
	}
	if len(meta) > 0 {
		if spec.Metadata, err = json.Marshal(meta); err != nil {
			return nil, err
		}
	}
	if err := api.Found(ctx, c, app, capture.AppSpec{Name: all.text("teamDid")}); err != nil {
		return nil, worded(err)
	}
	made := capture.Endpoint{}
	if in.text("status") == string(capture.EndpointDisabled) {
		made, err = c.CreateDisabled(ctx, app, spec, "")
	} else {
		made, err = c.CreateEndpoint(ctx, app, spec)
	}
	if err != nil {
		return nil, worded(err)
	}
	out := r.o.endpoint(&capture.EndpointRow{Endpoint: made})
	out.Secret = made.Secret.Key
	return &reply[*endpoint]{"ok", out}, nil
}

// UpdateWebhookEndpoint changes what its data names.
func (r *root) UpdateWebhookEndpoint(ctx context.Context, a args) (*reply[*endpoint], error) {
	c, row, all, err := r.one(ctx, a, true)
	if err != nil {
		return nil, err
	}
	data, _ := all.sub("data")
	if err := check(data, true); err != nil {
		return nil, err
	}
	patch, err := patched(row, data)
	if err != nil {
		return nil, err
	}
	if _, err := c.UpdateEndpoint(ctx, row.ID, patch); err != nil {
		return nil, worded(err)
	}
	now, err := c.Endpoint(ctx, row.ID)
	if err != nil {
		return nil, worded(err)
	}
	return &reply[*endpoint]{"ok", r.o.endpoint(&now)}, nil
}

// patched is what an update changes, as a merge patch of a capture.EndpointSetup.
func patched(row *capture.EndpointRow, data object) (json.RawMessage, error) {
	patch, meta := object{}, object{}
	for _, name := range []string{"url", "description", "status"} {
		if v, ok := data[name]; ok {
			patch[name] = v
		}
	}
	if v, ok := data["enabledEvents"]; ok && !shown(row, v) {
		patch["subscriptions"] = wanted(v)
	}
	if m, ok := data.sub("metadata"); ok {
		old := metadata(&row.Endpoint)
		delete(old, version)
		delete(m, version)
		meta = m
		if status := data.text("status"); status == "" || status == string(capture.EndpointEnabled) { // else it is merged
			meta = replacing(old, m)
		}
	}
	if v := data.text("apiVersion"); v != "" {
		meta[version] = v
	}
	if len(meta) > 0 {
		patch["metadata"] = meta
	}
	return json.Marshal(patch)
}

// shown reports whether events are what clients see of an endpoint's already.
// Then its subscriptions stay: they may say more than clients see.
func shown(row *capture.EndpointRow, events any) bool {
	same := []event{}
	for _, v := range listed(events) {
		entry := object(v.(map[string]any))
		same = append(same, event{entry.text("type"), entry.text("source")})
	}
	return slices.Equal(same, enabled(row.Subscriptions))
}

// replacing is the merge patch that makes next of old, but for members of next
// that are null, which a merge patch cannot set.
func replacing(old, next object) object {
	patch := object{}
	for name := range old {
		patch[name] = nil
	}
	for name, v := range next {
		patch[name] = v
		was, is := old[name].(map[string]any)
		if within, ok := v.(map[string]any); is && ok {
			patch[name] = replacing(was, within)
		}
	}
	return patch
}

// DeleteWebhookEndpoint deletes an endpoint. Its attempts stay.
func (r *root) DeleteWebhookEndpoint(ctx context.Context, a args) (*reply[*endpoint], error) {
	c, row, _, err := r.one(ctx, a, true)
	if err != nil {
		return nil, err
	}
	if row.Endpoint, err = c.SetEndpoint(ctx, row.ID, capture.EndpointDeleted, ""); err != nil {
		return nil, worded(err)
	}
	return &reply[*endpoint]{"ok", r.o.endpoint(row)}, nil
}

// GetWebhookEndpoint is one endpoint.
func (r *root) GetWebhookEndpoint(ctx context.Context, a args) (*reply[*endpoint], error) {
	_, row, _, err := r.one(ctx, a, false)
	if err != nil {
		return nil, err
	}
	return &reply[*endpoint]{"ok", r.o.endpoint(row)}, nil
}

// GetWebhookEndpoints is a page of a team's endpoints, newest first.
func (r *root) GetWebhookEndpoints(ctx context.Context, a args) (*listing[*endpoint], error) {
	c, app, all, err := r.team(ctx, a, false, errMissingDid)
	if err != nil {
		return nil, err
	}
	rows, err := c.registered(ctx, app)
	if err != nil {
		return nil, worded(err)
	}
	page, size := all.paged()
	list := []*endpoint{}
	for i := (page - 1) * size; i < min(page*size, len(rows)); i++ {
		list = append(list, r.o.endpoint(&rows[i]))
	}
	return &listing[*endpoint]{"ok", list, pages(page, size, len(rows))}, nil
}

// registered are the endpoints of an app, newest first.
func (c *call) registered(ctx context.Context, app string) ([]capture.EndpointRow, error) {
	rows, err := c.Endpoints(ctx, capture.EndpointQuery{App: app, Limit: math.MaxInt})
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(row capture.EndpointRow) bool { return row.Status == "" }) // a listener's
	slices.SortStableFunc(rows, func(a, b capture.EndpointRow) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID))
	})
	return rows, c.spend(int64(len(rows)) << 10)
}

// secret is the answer of RegenerateWebhookEndpointSecret.
type secret struct{ Code, Secret string }

// RegenerateWebhookEndpointSecret makes a new secret, by which all is signed
// from now on: receivers read one signature.
func (r *root) RegenerateWebhookEndpointSecret(ctx context.Context, a args) (*secret, error) {
	c, row, _, err := r.one(ctx, a, true)
	if err != nil {
		return nil, err
	}
	e, err := c.RotateEndpointSecret(ctx, row.ID, -1)
	if err != nil {
		return nil, worded(err)
	}
	return &secret{"ok", e.Secret.Key}, nil
}
