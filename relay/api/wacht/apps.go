package wacht

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

type app struct {
	Deployment  string   `json:"deployment_id"`
	Slug        string   `json:"app_slug"`
	Name        string   `json:"name"`
	Description *string  `json:"description"`
	Secret      string   `json:"signing_secret"`
	Notify      []string `json:"failure_notification_emails"`
	Catalog     *string  `json:"event_catalog_slug"`
	Active      bool     `json:"is_active"`
	Created     string   `json:"created_at"`
	Updated     string   `json:"updated_at"`
}

func (d *dialect) shown(ctx context.Context, e api.Engine, a capture.App) (out app, err error) {
	secret := a.SigningSecret.Key
	if !d.options.MaskSecrets {
		if secret, err = e.SigningSecret(ctx, a.Slug); err != nil {
			return out, err
		}
	}
	name := a.Name
	if name == "" {
		name = a.Slug // of one that was made elsewhere
	}
	return app{deploymentID, a.Slug, name, filled(a.Description), secret, append([]string{}, a.Notify...), filled(a.Catalog), !a.Inactive, stamp(a.Created), stamp(a.Updated)}, nil
}

// filled is a text, or null where there is none.
func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// appOf is the app of a request's path. One that has caught events and was
// never made, or is deleted, is none; the default one is there always, though
// not listed before something is made of it.
func appOf(e api.Engine, r *http.Request) (capture.App, error) {
	slug := r.PathValue("app")
	a, err := e.App(r.Context(), slug)
	if errors.Is(err, capture.ErrNotFound) || err == nil && a.Created.IsZero() && slug != capture.DefaultApp {
		return a, missing("Webhook app not found")
	}
	return a, err
}

func (d *dialect) apps(e api.Engine, r *http.Request) (any, error) {
	limit, offset, err := window(r, 50, 1000)
	if err != nil {
		return nil, err
	}
	inactive, err := yes(r, "include_inactive")
	if err != nil {
		return nil, err
	}
	all, err := e.Apps(r.Context())
	if err != nil {
		return nil, err
	}
	search := r.URL.Query().Get("search")
	all = slices.DeleteFunc(all, func(a capture.App) bool {
		return a.Created.IsZero() || a.Inactive && !inactive || search != "" && a.Slug != search
	})
	slices.SortStableFunc(all, func(a, b capture.App) int { return b.Created.Compare(a.Created) })
	shown := make([]app, len(all))
	for i, a := range all {
		if shown[i], err = d.shown(r.Context(), e, a); err != nil {
			return nil, err
		}
	}
	return cut(shown, limit, offset), nil
}

// yes reads a switch of the query.
func yes(r *http.Request, name string) (bool, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		return false, bad("Bad request: %s is %.40q: want true or false", name, text)
	}
	return on, nil
}

// appInput is what an app is made of, or changed to: what is null stays.
type appInput struct {
	Slug        *string   `json:"app_slug"`
	Name        *string   `json:"name"`
	Description *string   `json:"description"`
	Active      *bool     `json:"is_active"`
	Notify      *[]string `json:"failure_notification_emails"`
	Catalog     *string   `json:"event_catalog_slug"`
}

type newApp appInput

func (in newApp) needs() []string { return absent(map[string]bool{"name": in.Name != nil}) }

func (d *dialect) createApp(e api.Engine, r *http.Request) (any, error) {
	in, err := decode[newApp](r)
	if err != nil {
		return nil, err
	}
	slug := "slug_" + strings.ToLower(strings.TrimPrefix(string(capture.NewID(capture.EventID)), capture.EventID))
	if in.Slug != nil {
		if slug = normal(*in.Slug); slug == "" {
			return nil, bad("app_slug %.80q has no letter or digit", *in.Slug)
		}
	}
	spec := capture.AppSpec{Name: *in.Name, Description: value(in.Description), Catalog: value(in.Catalog), Notify: value(in.Notify)}
	a, err := e.CreateApp(r.Context(), slug, spec)
	if err != nil {
		return nil, related(err)
	}
	return d.once(r.Context(), e, a)
}

// once is an app with the secret that was made now, whatever the options.
func (d *dialect) once(ctx context.Context, e api.Engine, a capture.App) (any, error) {
	out, err := d.shown(ctx, e, a)
	out.Secret = a.SigningSecret.Key
	return out, err
}

// related says of a catalog that is not there what Wacht says.
func related(err error) error {
	if wrong := new(capture.FieldError); errors.As(err, &wrong) && wrong.Field == "catalog" {
		return missing("Related resource not found: %s", wrong.Problem)
	}
	return err
}

// value is what p points to, or zero.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// normal is a text as an app's slug: letters and digits in lower case, with one
// _ for each run of others.
func normal(text string) string {
	return strings.Join(strings.FieldsFunc(strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, text), func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') }), "_")
}

func (d *dialect) app(e api.Engine, r *http.Request) (any, error) {
	a, err := appOf(e, r)
	if err != nil {
		return nil, err
	}
	return d.shown(r.Context(), e, a)
}

func (d *dialect) updateApp(e api.Engine, r *http.Request) (any, error) {
	if _, err := appOf(e, r); err != nil {
		return nil, err
	}
	in, err := decode[appInput](r)
	if err != nil {
		return nil, err
	}
	changes := map[string]any{}
	put(changes, "name", in.Name)
	put(changes, "description", in.Description)
	put(changes, "notify", in.Notify)
	put(changes, "catalog", in.Catalog)
	if in.Active != nil {
		changes["inactive"] = !*in.Active
	}
	patch, err := json.Marshal(changes)
	if err != nil {
		return nil, err
	}
	a, err := e.UpdateApp(r.Context(), r.PathValue("app"), patch)
	if err != nil {
		return nil, related(err)
	}
	return d.shown(r.Context(), e, a)
}

// put names a member in a JSON merge patch, unless it is left out.
func put[T any](changes map[string]any, name string, v *T) {
	if v != nil {
		changes[name] = *v
	}
}

func (d *dialect) deleteApp(e api.Engine, r *http.Request) (any, error) {
	a, err := appOf(e, r)
	if err != nil {
		return nil, err
	}
	return struct{}{}, e.DeleteApp(r.Context(), a.Slug)
}

func (d *dialect) rotateSecret(e api.Engine, r *http.Request) (any, error) {
	a, err := appOf(e, r)
	if err != nil {
		return nil, err
	}
	overlap := 24 * time.Hour
	if d.options.RotateAtOnce {
		overlap = -1
	}
	if a, err = e.RotateSecret(r.Context(), a.Slug, overlap); err != nil {
		return nil, err
	}
	return d.once(r.Context(), e, a)
}
