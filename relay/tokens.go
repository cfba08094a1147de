package relay

import (
	"context"
	"fmt"
	"slices"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// CreateToken makes a token and returns it, for the only time.
func (r *Registry) CreateToken(ctx context.Context, label string, scope capture.Scope, expires time.Time) (t capture.Token, secret string, err error) {
	if !name(label, 100) {
		return t, "", &capture.FieldError{Field: "name", Problem: "want 1 to 100 printable characters that say who uses it"}
	}
	scopes := []capture.Scope{capture.ScopeManage, capture.ScopeRead, capture.ScopeIngest}
	if !slices.Contains(scopes, scope) {
		return t, "", &capture.FieldError{Field: "scope", Problem: fmt.Sprintf("%q: want one of %s", scope, joined(scopes))}
	}
	now := time.Now().UTC()
	if !expires.IsZero() && !expires.After(now) {
		return t, "", &capture.FieldError{Field: "expires_at", Problem: "it is past"}
	}
	secret = capture.NewToken()
	made := capture.Token{
		Name: label, Scope: scope, Created: now, Expires: expires,
		SHA256: capture.Sum([]byte(secret)), Hint: capture.Keyring{Key: secret}.Masked(),
	}
	t, err = r.editToken(ctx, capture.NewID(capture.TokenID), func(t *capture.Token, _ bool) error {
		*t = made
		return nil
	})
	return t, secret, err
}

// RevokeToken ends a token at once. It stays in the list.
func (r *Registry) RevokeToken(ctx context.Context, id capture.ID) error {
	if _, err := capture.ParseID(capture.TokenID, string(id)); err != nil {
		return fmt.Errorf("%w: %w", capture.ErrNotFound, err)
	}
	_, err := r.editToken(ctx, id, func(t *capture.Token, found bool) error {
		if !found {
			return capture.ErrNotFound
		}
		if t.Revoked.IsZero() {
			t.Revoked = time.Now().UTC()
		}
		return nil
	})
	return err
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
