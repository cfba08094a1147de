package relay

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Apps are the apps that were made, and the default one, by slug.
func (r *Registry) Apps(context.Context) ([]capture.App, error) {
	r.known.mu.RLock()
	defer r.known.mu.RUnlock()
	apps := []capture.App{}
	for _, a := range r.known.apps {
		apps = append(apps, hidden(a))
	}
	if _, made := r.known.apps[capture.DefaultApp]; !made {
		apps = append(apps, capture.App{Slug: capture.DefaultApp})
	}
	slices.SortFunc(apps, func(a, b capture.App) int { return cmp.Compare(a.Slug, b.Slug) })
	return apps, nil
}

// App is one app; one that was never made but has caught events is there with
// nothing set. It returns capture.ErrNotFound, wrapped, for any other.
func (r *Registry) App(ctx context.Context, slug string) (capture.App, error) {
	if a, ok := r.made(slug); ok {
		return hidden(a), nil
	}
	if slug == capture.DefaultApp {
		return capture.App{Slug: slug}, nil
	}
	if capture.IsSlug(slug) {
		caught, err := r.store.Caught(ctx, slug)
		if caught || err != nil {
			return capture.App{Slug: slug}, err
		}
	}
	return capture.App{}, r.noApp(slug)
}

// made is an app with its secrets, if it was made.
func (r *Registry) made(slug string) (capture.App, bool) {
	r.known.mu.RLock()
	defer r.known.mu.RUnlock()
	a, ok := r.known.apps[slug]
	return a, ok
}

func (r *Registry) noApp(slug string) error {
	return fmt.Errorf("there is no app %q, it must be created first: %w", slug, capture.ErrNotFound)
}

// hidden is an app with its secrets masked.
func hidden(a capture.App) capture.App {
	a.AppSpec = a.AppSpec.Hidden()
	a.SigningSecret = capture.Keyring{Key: a.SigningSecret.Masked()}
	a.IngestKey = capture.Keyring{Key: a.IngestKey.Masked()}
	return a
}

// shown is an app with the newest of its secrets, for who has just made them.
func shown(a capture.App) capture.App {
	a.AppSpec = a.AppSpec.Hidden()
	a.SigningSecret.Old, a.IngestKey.Old = nil, nil
	return a
}

// CreateApp makes an app. A slug that is no slug is a *capture.FieldError, one
// that is taken a *capture.ConflictError.
func (r *Registry) CreateApp(ctx context.Context, slug string, spec capture.AppSpec) (capture.App, error) {
	if err := checkSlug(slug); err != nil {
		return capture.App{}, err
	}
	if err := checkApp(&spec); err != nil {
		return capture.App{}, err
	}
	if err := r.checkCatalog(ctx, spec.Catalog); err != nil {
		return capture.App{}, err
	}
	return r.editApp(ctx, slug, shown, func(a *capture.App, found bool) error {
		if found {
			return &capture.ConflictError{Field: "slug", With: slug, What: fmt.Sprintf("slug: there is an app %q already", slug)}
		}
		*a = r.newApp(spec)
		return nil
	})
}

func (r *Registry) newApp(spec capture.AppSpec) capture.App {
	now := time.Now().UTC()
	return capture.App{
		AppSpec:       spec,
		SigningSecret: capture.Keyring{Key: capture.NewSigningSecret()}, IngestKey: capture.Keyring{Key: capture.NewIngestKey()},
		Created: now, Updated: now, CreatedBy: r.by, UpdatedBy: r.by,
	}
}

// UpdateApp changes what the patch names. Secrets that are hidden, as reads
// have them, stay as they are.
func (r *Registry) UpdateApp(ctx context.Context, slug string, patch json.RawMessage) (capture.App, error) {
	a, _ := r.made(slug)
	if next := a.AppSpec; merge(&next, patch) == nil && next.Catalog != a.Catalog { // what is wrong with it is said below
		if err := r.checkCatalog(ctx, next.Catalog); err != nil {
			return capture.App{}, err
		}
	}
	return r.changeApp(ctx, slug, hidden, func(a *capture.App) error {
		spec := a.AppSpec
		if err := merge(&spec, patch); err != nil {
			return err
		}
		unhide(spec.Challenges.Secrets, a.Challenges.Secrets)
		unhide(spec.Secrets, a.Secrets)
		a.AppSpec = spec
		return checkApp(&spec)
	})
}

// RotateSecret makes a new signing secret; see api.Apps.
func (r *Registry) RotateSecret(ctx context.Context, slug string, overlap time.Duration) (capture.App, error) {
	return r.changeApp(ctx, slug, func(a capture.App) capture.App {
		a = shown(a)
		a.IngestKey.Key = a.IngestKey.Masked()
		return a
	}, func(a *capture.App) error {
		a.SigningSecret = a.SigningSecret.Rotate(capture.NewSigningSecret(), time.Now().UTC(), overlapped(overlap))
		return nil
	})
}

// RotateIngestKey makes a new ingest key; the old one is taken for the overlap
// as RotateSecret has it.
func (r *Registry) RotateIngestKey(ctx context.Context, slug string, overlap time.Duration) (capture.App, error) {
	return r.changeApp(ctx, slug, func(a capture.App) capture.App {
		a = shown(a)
		a.SigningSecret.Key = a.SigningSecret.Masked()
		return a
	}, func(a *capture.App) error {
		a.IngestKey = a.IngestKey.Rotate(capture.NewIngestKey(), time.Now().UTC(), overlapped(overlap))
		return nil
	})
}

// changeApp changes an app that exists, and makes it first when it has only
// caught events so far.
func (r *Registry) changeApp(ctx context.Context, slug string, show func(capture.App) capture.App, change func(*capture.App) error) (capture.App, error) {
	if _, err := r.App(ctx, slug); err != nil {
		return capture.App{}, err
	}
	return r.editApp(ctx, slug, show, func(a *capture.App, found bool) error {
		if !found {
			*a = r.newApp(capture.AppSpec{})
		}
		if err := change(a); err != nil {
			return err
		}
		a.Updated, a.UpdatedBy = time.Now().UTC(), r.by
		return nil
	})
}

func (r *Registry) editApp(ctx context.Context, slug string, show func(capture.App) capture.App, edit func(a *capture.App, found bool) error) (capture.App, error) {
	a, err := r.store.EditApp(ctx, slug, edit)
	if err != nil {
		return capture.App{}, bare(err)
	}
	r.known.mu.Lock()
	r.known.put(a)
	r.known.mu.Unlock()
	return show(a), nil
}

// DeleteApp deletes the app's endpoints and triggers, revokes the tokens bound to
// it and forgets the app. Its events stay, and what its ingest URL catches from now on
// is that of an app never made.
func (r *Registry) DeleteApp(ctx context.Context, slug string) error {
	if _, err := r.App(ctx, slug); err != nil {
		return err
	}
	for {
		rows, err := r.store.EndpointRows(ctx, capture.EndpointQuery{App: slug, Limit: 500})
		if err != nil {
			return err
		}
		deleted := 0
		for _, row := range rows {
			if row.Status == "" {
				continue
			}
			if _, err := r.SetEndpoint(ctx, row.ID, capture.EndpointDeleted, "its app was deleted"); err != nil {
				return err
			}
			deleted++
		}
		if deleted == 0 {
			break
		}
	}
	if err := r.revokeAll(ctx, slug); err != nil {
		return err
	}
	if err := r.forgetTriggers(ctx, slug); err != nil {
		return err
	}
	if _, ok := r.made(slug); !ok {
		return nil
	}
	if err := r.store.RemoveApp(ctx, slug); err != nil {
		return err
	}
	r.known.mu.Lock()
	defer r.known.mu.Unlock()
	delete(r.known.apps, slug)
	return nil
}

// Keys are the signing secrets of an app that count now, the newest first.
func (r *Registry) Keys(slug string) []string {
	a, _ := r.made(slug)
	return a.SigningSecret.Live(time.Now())
}

// SigningSecret is the newest signing secret of an app, "" of one that was
// never made. It is for who asks for it by name, and may manage the app.
func (r *Registry) SigningSecret(ctx context.Context, slug string) (string, error) {
	if _, err := r.App(ctx, slug); err != nil {
		return "", err
	}
	a, _ := r.made(slug)
	return a.SigningSecret.Key, nil
}

// Delivers reports whether an app's events go to its endpoints.
func (r *Registry) Delivers(slug string) bool {
	a, _ := r.made(slug)
	return !a.Inactive
}

// Route is the app that a name in an ingest URL stands for, by its ingest key
// or its slug, and how its senders are answered. Anything that may be a slug
// is an app.
func (r *Registry) Route(name string) (slug string, answer capture.Answer, ok bool) {
	if slug, answer, ok = r.RouteKey(name); ok {
		return slug, answer, ok
	}
	a, _ := r.made(name)
	return name, a.Answer, true
}

// RouteKey is Route for an address that strangers reach: by the ingest key, and
// by nothing that can be guessed.
func (r *Registry) RouteKey(name string) (slug string, answer capture.Answer, ok bool) {
	if !strings.HasPrefix(name, "ik_") {
		return "", answer, false
	}
	r.known.mu.RLock()
	defer r.known.mu.RUnlock()
	a := r.known.apps[r.known.keys[name]]
	if slices.Contains(a.IngestKey.Live(time.Now()), name) {
		return a.Slug, a.Answer, true
	}
	return "", answer, false
}

// IngestKey is the newest ingest key of an app. One that has only caught
// events so far, or is the default one, is made for it.
func (r *Registry) IngestKey(ctx context.Context, slug string) (string, error) {
	if a, ok := r.made(slug); ok {
		return a.IngestKey.Key, nil
	}
	if _, err := r.changeApp(ctx, slug, hidden, func(*capture.App) error { return nil }); err != nil {
		return "", err
	}
	a, _ := r.made(slug)
	return a.IngestKey.Key, nil
}

func checkSlug(slug string) error {
	if capture.IsSlug(slug) && !strings.HasPrefix(slug, "ik_") {
		return nil
	}
	return &capture.FieldError{Field: "slug", Problem: fmt.Sprintf("%q: want 1 to 63 lower-case letters, digits, - and _, the first a letter or digit, not beginning with ik_", slug)}
}

func checkApp(s *capture.AppSpec) error {
	if err := length("name", s.Name, 200); err != nil {
		return err
	}
	if err := length("description", s.Description, 2000); err != nil {
		return err
	}
	a := s.Answer
	if modes := []capture.AnswerMode{capture.AnswerAck, capture.AnswerSync}; a.Mode != "" && !slices.Contains(modes, a.Mode) {
		return &capture.FieldError{Field: "answer.mode", Problem: fmt.Sprintf("%q: want one of %s", a.Mode, joined(modes))}
	}
	if a.Timeout < 0 || a.Timeout > capture.Duration(time.Minute) {
		return &capture.FieldError{Field: "answer.timeout_ms", Problem: "want up to 60000, or 0 for 10 seconds"}
	}
	if a.Status != 0 && (a.Status < 200 || a.Status > 599) {
		return &capture.FieldError{Field: "answer.status", Problem: fmt.Sprintf("%d: want 200 to 599", a.Status)}
	}
	if a.Body != "" && (a.Status == http.StatusNoContent || a.Status == http.StatusNotModified) {
		return &capture.FieldError{Field: "answer.body", Problem: fmt.Sprintf("an answer %d has none", a.Status)}
	}
	for _, name := range sortedKeys(a.Headers) {
		if !sendable(name, a.Headers[name]) {
			return &capture.FieldError{Field: "answer.headers." + name, Problem: "this cannot be sent as a header; leave out Content-Length, Transfer-Encoding and Connection"}
		}
	}
	if err := checkChallenges(s.Challenges); err != nil {
		return err
	}
	for _, name := range sortedKeys(s.Secrets) {
		if err := CheckSecret("secrets."+name, name, s.Secrets[name]); err != nil {
			return err
		}
	}
	if modes := []capture.CheckMode{capture.CheckLenient, capture.CheckStrict}; s.Check != "" && !slices.Contains(modes, s.Check) {
		return &capture.FieldError{Field: "check", Problem: fmt.Sprintf("%q: want one of %s", s.Check, joined(modes))}
	}
	if err := checkMetadata(s.Metadata, 256<<10); err != nil {
		return err
	}
	if err := checkSealTo(s); err != nil {
		return err
	}
	if len(s.Notify) > 50 {
		return &capture.FieldError{Field: "notify", Problem: fmt.Sprintf("there are %d: want 50 at most", len(s.Notify))}
	}
	for i, address := range s.Notify {
		if _, err := mail.ParseAddress(address); err != nil || len(address) > 320 {
			return &capture.FieldError{Field: fmt.Sprintf("notify[%d]", i), Problem: fmt.Sprintf("%.40q: want a mail address, such as ada@example.com", address)}
		}
	}
	return length("answer.body", a.Body, 64<<10)
}

// sendable reports whether a header may be part of an answer.
func sendable(name, value string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Upgrade":
		return false
	}
	return name != "" && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") == "" &&
		!strings.ContainsAny(value, "\r\n\x00") && len(name)+len(value) < 8<<10
}
