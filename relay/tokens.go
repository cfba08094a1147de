package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// CreateToken makes a token and returns it, for the only time. What is wrong
// with its spec, an app that is not there among it, is a *capture.FieldError.
func (r *Registry) CreateToken(ctx context.Context, spec capture.TokenSpec) (t capture.Token, secret string, err error) {
	now := time.Now().UTC()
	if err := r.checkToken(ctx, spec, now); err != nil {
		return t, "", err
	}
	secret = capture.NewToken()
	made := capture.Token{
		TokenSpec: spec, Created: now,
		SHA256: capture.Sum([]byte(secret)), Hint: capture.Keyring{Key: secret}.Masked(),
	}
	t, err = r.editToken(ctx, capture.NewID(capture.TokenID), func(t *capture.Token, _ bool) error {
		*t = made
		return nil
	})
	return t, secret, err
}

func (r *Registry) checkToken(ctx context.Context, s capture.TokenSpec, now time.Time) error {
	if !name(s.Name, 100) {
		return &capture.FieldError{Field: "name", Problem: "want 1 to 100 printable characters that say who uses it"}
	}
	if !slices.Contains(capture.Scopes, s.Scope) {
		return &capture.FieldError{Field: "scope", Problem: fmt.Sprintf("%q: want one of %s", s.Scope, joined(capture.Scopes))}
	}
	if !s.Expires.IsZero() && !s.Expires.After(now) {
		return &capture.FieldError{Field: "expires_at", Problem: "it is past"}
	}
	if s.App == "" {
		return nil
	}
	_, err := r.App(ctx, s.App)
	if errors.Is(err, capture.ErrNotFound) {
		return &capture.FieldError{Field: "app", Problem: fmt.Sprintf("there is no app %q, it must be created first", s.App)}
	}
	return err
}

// RevokeToken ends a token at once. It stays in the list. It returns
// capture.ErrNotFound, wrapped, for an unknown id.
func (r *Registry) RevokeToken(ctx context.Context, id capture.ID) error {
	if _, err := capture.ParseID(capture.TokenID, string(id)); err != nil {
		return fmt.Errorf("%w: %w", capture.ErrNotFound, err)
	}
	ended := false
	_, err := r.editToken(ctx, id, func(t *capture.Token, found bool) error {
		if !found {
			return capture.ErrNotFound
		}
		if ended = t.Revoked.IsZero(); ended {
			t.Revoked = time.Now().UTC()
		}
		return nil
	})
	if err == nil && ended && r.hooks.Ended != nil {
		r.hooks.Ended(id)
	}
	return err
}

// revokeAll ends the tokens that are bound to an app: another may be made by
// its slug.
func (r *Registry) revokeAll(ctx context.Context, app string) error {
	tokens, err := r.Tokens(ctx)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.App == app && t.Revoked.IsZero() {
			if err := r.RevokeToken(ctx, t.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Registry) editToken(ctx context.Context, id capture.ID, edit func(*capture.Token, bool) error) (capture.Token, error) {
	t, err := r.store.EditToken(ctx, id, edit)
	if err != nil {
		return t, err
	}
	r.known.mu.Lock()
	defer r.known.mu.Unlock()
	r.known.tokens[t.SHA256] = t
	return t, nil
}

// Bearer is the token that a secret is, if it still counts. What is looked up
// is its digest, so the time it takes tells nothing about the secret.
func (r *Registry) Bearer(_ context.Context, secret string) (capture.Token, bool, error) {
	r.known.mu.RLock()
	defer r.known.mu.RUnlock()
	t, ok := r.known.tokens[capture.Sum([]byte(secret))]
	return t, ok && live(t), nil
}

// Counts reports whether a token that Bearer has returned still does.
func (r *Registry) Counts(t capture.Token) bool {
	r.known.mu.RLock()
	defer r.known.mu.RUnlock()
	t, ok := r.known.tokens[t.SHA256]
	return ok && live(t)
}

// HasTokens reports whether any token counts: then one is asked for.
func (r *Registry) HasTokens(context.Context) (bool, error) {
	r.known.mu.RLock()
	defer r.known.mu.RUnlock()
	for _, t := range r.known.tokens {
		if live(t) {
			return true, nil
		}
	}
	return false, nil
}

func live(t capture.Token) bool {
	return t.Revoked.IsZero() && (t.Expires.IsZero() || t.Expires.After(time.Now()))
}

// Tokens are all tokens, oldest first, the revoked and expired among them.
func (r *Registry) Tokens(ctx context.Context) ([]capture.Token, error) { return r.store.Tokens(ctx) }

// Stats are what attempts came to.
func (r *Registry) Stats(ctx context.Context, q capture.StatsQuery) (capture.Stats, error) {
	return r.store.Stats(ctx, q)
}

// Timeseries is what attempts came to, by interval.
func (r *Registry) Timeseries(ctx context.Context, q capture.StatsQuery) (capture.Timeseries, error) {
	return r.store.Timeseries(ctx, q)
}
