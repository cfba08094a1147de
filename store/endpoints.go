package store

import (
	"context"
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Endpoint is the endpoint of e's App, URL and Filter: the one there is, or e
// itself, kept as a new one with an id and a time if it has none.
func (s *Store) Endpoint(ctx context.Context, e capture.Endpoint) (capture.Endpoint, error) {
	if e.ID == "" {
		e.ID = capture.NewID(capture.EndpointID)
	}
	if e.Created.IsZero() {
		e.Created = time.Now().UTC()
	}
	err := checkID(capture.EndpointID, e.ID)
	if err == nil {
		err = s.do(ctx, &write{needs: roomAttempt, plan: func(b *batch) error {
			unique := keyURL(e)
			id, err := b.get(unique)
			if err != nil {
				return err
			}
			if id == nil {
				id := e.ID.Bytes()
				b.put(unique, id[:])
				return b.putRecord(keyID(prefixEndpoint, e.ID), e)
			}
			key := append([]byte{prefixEndpoint}, id...)
			raw, err := b.get(key)
			if err != nil {
				return err
			}
			var found capture.Endpoint
			if err := decode(key, raw, &found); err != nil {
				return err
			}
			e = found
			return nil
		}})
	}
	if err != nil {
		return capture.Endpoint{}, fmt.Errorf("store: endpoint %s: %w", e.URL, err)
	}
	return e, nil
}

// Endpoints are all endpoints of every kind, oldest first.
func (s *Store) Endpoints(ctx context.Context) ([]capture.Endpoint, error) {
	return records[capture.Endpoint](ctx, s, prefixEndpoint, "endpoints")
}
