package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// What owners decide: apps, registered endpoints, tokens. Each changes by a
// function that is given the record as it is, inside the transaction that
// writes what it makes of it; it may be called more than once.

// EditApp changes an app, or makes it where there is none: edit is told which.
func (s *Store) EditApp(ctx context.Context, slug string, edit func(a *capture.App, found bool) error) (capture.App, error) {
	app, err := amend(ctx, s, keyApp(slug), func(a *capture.App, found bool) error {
		err := edit(a, found)
		a.Slug = slug
		return err
	})
	if err != nil {
		return app, fmt.Errorf("store: app %s: %w", slug, err)
	}
	return app, nil
}

// amend edits the record of a key, or makes it where there is none: edit is
// told which.
func amend[T any](ctx context.Context, s *Store, key []byte, edit func(v *T, found bool) error) (T, error) {
	var v, none T
	err := s.do(ctx, &write{needs: roomAttempt, plan: func(b *batch) error {
		v = none
		found, err := b.record(key, &v)
		if err == nil {
			err = edit(&v, found)
		}
		if err != nil {
			return err
		}
		return b.putRecord(key, v)
	}})
	if err != nil {
		return none, err
	}
	return v, nil
}

// RemoveApp forgets an app. Its events stay. It returns capture.ErrNotFound,
// wrapped, where there is none.
func (s *Store) RemoveApp(ctx context.Context, slug string) error {
	if err := s.forget(ctx, keyApp(slug)); err != nil {
		return fmt.Errorf("store: app %s: %w", slug, err)
	}
	return nil
}

// forget removes a record, or returns capture.ErrNotFound.
func (s *Store) forget(ctx context.Context, key []byte) error {
	return s.do(ctx, &write{needs: roomAttempt, plan: func(b *batch) error {
		raw, err := b.get(key)
		if err != nil {
			return err
		}
		if raw == nil {
			return capture.ErrNotFound
		}
		b.del(key)
		return nil
	}})
}

// Apps are the apps that were made, by slug.
func (s *Store) Apps(ctx context.Context) ([]capture.App, error) {
	return records[capture.App](ctx, s, prefixApp, "apps")
}

// App is one app. It returns capture.ErrNotFound, wrapped, for one that was
// not made, whether or not it has caught events.
func (s *Store) App(ctx context.Context, slug string) (app capture.App, err error) {
	err = s.lookUp(ctx, keyApp(slug), &app)
	if err != nil {
		return capture.App{}, fmt.Errorf("store: app %s: %w", slug, err)
	}
	return app, nil
}

// Caught reports whether an app other than the default one has caught events.
func (s *Store) Caught(ctx context.Context, app string) (found bool, err error) {
	err = s.view(ctx, func(txn *badger.Txn) error {
		l := newList(txn, keyIndex(fieldApp, app), true)
		defer l.close()
		_, found = l.seek(newest)
		return nil
	})
	return found, err
}

// NewEndpoint keeps a registered endpoint. With unique, a *capture.ConflictError
// is returned when another of its app has its URL.
func (s *Store) NewEndpoint(ctx context.Context, e capture.Endpoint, unique bool) error {
	err := checkID(capture.EndpointID, e.ID)
	if err == nil {
		err = s.do(ctx, &write{needs: roomAttempt, plan: func(b *batch) error {
			if unique {
				if err := b.claim(e); err != nil {
					return err
				}
			}
			return b.putRecord(keyID(prefixEndpoint, e.ID), e)
		}})
	}
	if err != nil {
		return fmt.Errorf("store: endpoint %s: %w", e.URL, err)
	}
	return nil
}

// EditEndpoint changes a registered endpoint. It returns capture.ErrNotFound,
// wrapped, when there is none of that id or it is deleted, and a
// *capture.ConflictError when another of its app has its new URL. edit is given
// its health too, which it may change.
func (s *Store) EditEndpoint(ctx context.Context, id capture.ID, edit func(*capture.Endpoint, *capture.Health) error) (capture.Endpoint, error) {
	var e capture.Endpoint
	err := s.do(ctx, &write{needs: roomAttempt, plan: func(b *batch) error {
		var old capture.Endpoint
		key := keyID(prefixEndpoint, id)
		found, err := b.record(key, &old)
		if err != nil {
			return err
		}
		if !found || old.ID != id || old.Status == "" || old.Status == capture.EndpointDeleted {
			return capture.ErrNotFound
		}
		e = old
		var edited error
		if err := b.health(id, func(h *capture.Health) { edited = edit(&e, h) }); err != nil || edited != nil {
			return errors.Join(edited, err)
		}
		e.ID, e.App = id, old.App
		if err := b.reclaim(old, e); err != nil {
			return err
		}
		return b.putRecord(key, e)
	}})
	if err != nil {
		return capture.Endpoint{}, fmt.Errorf("store: endpoint %s: %w", id, err)
	}
	return e, nil
}

// reclaim moves the claim on a URL along when it changes, and gives it up
// when the endpoint is deleted.
func (b *batch) reclaim(old, e capture.Endpoint) error {
	if e.URL == old.URL && e.Status != capture.EndpointDeleted {
		return nil
	}
	id := old.ID.Bytes()
	holder, err := b.get(keyClaim(old))
	if err != nil {
		return err
	}
	held := bytes.Equal(holder, id[:])
	if held {
		b.del(keyClaim(old))
	}
	if !held || e.Status == capture.EndpointDeleted {
		return nil
	}
	return b.claim(e)
}

// claim takes an endpoint's URL for it.
func (b *batch) claim(e capture.Endpoint) error {
	key := keyClaim(e)
	holder, err := b.get(key)
	if err != nil {
		return err
	}
	if len(holder) == 16 {
		with := string(capture.IDFrom(capture.EndpointID, [16]byte(holder)))
		return &capture.ConflictError{Field: "url", With: with, What: fmt.Sprintf("url: %s has %s already; change that one, or add a query to the URL to tell the two apart", with, e.URL)}
	}
	id := e.ID.Bytes()
	b.put(key, id[:])
	return nil
}

func keyApp(slug string) []byte { return append([]byte{prefixApp}, slug...) }

func keyClaim(e capture.Endpoint) []byte { return digestKey(prefixClaim, e.App, e.URL) }

// digestKey is a key of parts of any length.
func digestKey(prefix byte, parts ...string) []byte {
	h := sha256.New()
	for _, s := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	return h.Sum([]byte{prefix})
}

// EndpointRows are endpoints with their health, oldest first. By itself it
// lists registered ones that are not deleted and those of listeners.
func (s *Store) EndpointRows(ctx context.Context, q capture.EndpointQuery) (rows []capture.EndpointRow, err error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	err = s.view(ctx, func(txn *badger.Txn) error {
		it := iterate(txn, []byte{prefixEndpoint}, false)
		defer it.Close()
		from := keyID(prefixEndpoint, q.Cursor)
		for it.Seek(from); it.Valid() && len(rows) < q.Limit; it.Next() {
			if err := s.stop(ctx); err != nil {
				return err
			}
			var row capture.EndpointRow
			if err := item(it.Item(), &row.Endpoint); err != nil {
				s.log.log.Error("an endpoint cannot be read", "error", err)
				continue
			}
			if row.ID == q.Cursor || !wanted(&row.Endpoint, q) {
				continue
			}
			if row.Health, err = readHealth(txn, row.ID); err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: endpoints: %w", err)
	}
	return rows, nil
}

func wanted(e *capture.Endpoint, q capture.EndpointQuery) bool {
	if q.App != "" && e.App != q.App {
		return false
	}
	if q.Status != "" {
		return e.Status == q.Status
	}
	return e.Listener || e.Status != "" && e.Status != capture.EndpointDeleted
}

// EndpointRow is one endpoint of any kind with its health. It returns
// capture.ErrNotFound, wrapped, for an unknown id.
func (s *Store) EndpointRow(ctx context.Context, id capture.ID) (row capture.EndpointRow, err error) {
	err = s.view(ctx, func(txn *badger.Txn) error {
		if row.Endpoint, err = readEndpoint(txn, id); err != nil {
			return err
		}
		row.Health, err = readHealth(txn, id)
		return err
	})
	if err != nil {
		return capture.EndpointRow{}, fmt.Errorf("store: endpoint %s: %w", id, err)
	}
	return row, nil
}

// readEndpoint looks an endpoint up.
func readEndpoint(txn *badger.Txn, id capture.ID) (e capture.Endpoint, err error) {
	if checkID(capture.EndpointID, id) != nil {
		return e, capture.ErrNotFound
	}
	err = find(txn, keyID(prefixEndpoint, id), &e)
	return e, err
}

// health changes the health of an endpoint.
func (b *batch) health(id capture.ID, change func(*capture.Health)) error {
	var h capture.Health
	key := keyID(prefixHealth, id)
	if _, err := b.record(key, &h); err != nil && !errors.Is(err, errSeal) {
		return err // damaged counts begin anew
	}
	was := h
	if change(&h); h == was {
		return nil
	}
	return b.putRecord(key, h)
}

func readHealth(txn *badger.Txn, id capture.ID) (h capture.Health, err error) {
	key := keyID(prefixHealth, id)
	raw, err := read(txn, key)
	if err != nil || raw == nil {
		return h, err
	}
	if decode(key, raw, &h) != nil {
		return capture.Health{}, nil
	}
	return h, nil
}

// EditToken keeps a token, or changes it: edit is told whether it was there.
func (s *Store) EditToken(ctx context.Context, id capture.ID, edit func(t *capture.Token, found bool) error) (t capture.Token, err error) {
	if err = checkID(capture.TokenID, id); err == nil {
		t, err = amend(ctx, s, keyID(prefixToken, id), func(t *capture.Token, found bool) error {
			err := edit(t, found)
			t.ID = id
			return err
		})
	}
	if err != nil {
		return t, fmt.Errorf("store: token %s: %w", id, err)
	}
	return t, nil
}

// Tokens are all tokens, oldest first, the revoked among them.
func (s *Store) Tokens(ctx context.Context) ([]capture.Token, error) {
	return records[capture.Token](ctx, s, prefixToken, "tokens")
}

// record decodes the record of a key as the batch leaves it into v, if there
// is one.
func (b *batch) record(key []byte, v any) (found bool, err error) {
	raw, err := b.get(key)
	if err != nil || raw == nil {
		return false, err
	}
	return true, decode(key, raw, v)
}

// lookUp decodes the record of a key into v, or returns capture.ErrNotFound.
func (s *Store) lookUp(ctx context.Context, key []byte, v any) error {
	return s.view(ctx, func(txn *badger.Txn) error { return find(txn, key, v) })
}

func find(txn *badger.Txn, key []byte, v any) error {
	raw, err := read(txn, key)
	if err != nil {
		return err
	}
	if raw == nil {
		return capture.ErrNotFound
	}
	return decode(key, raw, v)
}

// records are all those under a prefix, in the order of their keys.
func records[T any](ctx context.Context, s *Store, prefix byte, name string) (all []T, err error) {
	err = s.view(ctx, func(txn *badger.Txn) error {
		it := iterate(txn, []byte{prefix}, false)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if err := s.stop(ctx); err != nil {
				return err
			}
			var v T
			if err := item(it.Item(), &v); err != nil {
				return err
			}
			all = append(all, v)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", name, err)
	}
	return all, nil
}

// item decodes the record an iterator stands on.
func item(it *badger.Item, v any) error {
	raw, err := it.ValueCopy(nil)
	if err != nil {
		return err
	}
	return decode(it.KeyCopy(nil), raw, v)
}
