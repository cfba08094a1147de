package store

import (
	"context"
	"errors"
	"fmt"

	"code.hooktape.dev/hooktape/capture"
)

// PinnedError is returned by Remove for a pinned event, which stays.
type PinnedError struct{ ID capture.ID }

func (e *PinnedError) Error() string { return "pinned; unpin it to remove it" }

// Unwrap makes it a capture.ErrPinned.
func (e *PinnedError) Unwrap() error { return capture.ErrPinned }

// Remove takes events away, with their bodies and attempts. Pending attempts
// are cancelled by it; finishing one that was under way meanwhile fails with
// capture.ErrNotFound. Events that are pinned stay, and the error holds a
// PinnedError for each; the others go all the same. The space comes back
// with a later Sweep.
func (s *Store) Remove(ctx context.Context, ids ...capture.ID) error {
	r := &removal{ids: ids}
	err := s.remove(ctx, r)
	if err = errors.Join(append(r.refused, err)...); err != nil {
		return fmt.Errorf("store: remove: %w", err)
	}
	return nil
}

// removal takes events away one after the other, over as many transactions as
// it takes. An event whose attempts fill more than one loses them first.
type removal struct {
	ids     []capture.ID
	seqs    []uint64 // or these, by retention: those that must stay are passed over
	refused []error
	removed int
}

func (s *Store) remove(ctx context.Context, r *removal) error {
	for len(r.ids)+len(r.seqs) > 0 {
		if err := s.stop(ctx); err != nil {
			return err
		}
		if err := s.do(ctx, &write{plan: r.plan, alone: true}); err != nil {
			return err
		}
	}
	return nil
}

// removeKeys bounds the deletions of one transaction, which new events wait
// for: some 300 events.
const removeKeys = 4000

func (r *removal) plan(b *batch) error {
	for len(r.ids) > 0 && len(b.staged) < removeKeys {
		id := r.ids[0]
		seq, err := b.seq(id)
		whole := true
		if err == nil {
			whole, err = b.removeEvent(seq, id, false)
		}
		if err != nil {
			r.refused = append(r.refused, fmt.Errorf("%s: %w", id, err))
		}
		if !whole {
			return nil
		}
		r.ids = r.ids[1:]
	}
	for len(r.seqs) > 0 && len(b.staged) < removeKeys {
		whole, err := b.removeEvent(r.seqs[0], "", true)
		if err != nil {
			r.refused = append(r.refused, err)
		}
		if !whole {
			return nil
		}
		r.seqs = r.seqs[1:]
		r.removed++
	}
	return nil
}

// removeEvent stages the deletion of an event and of all that hangs on it, or
// of the first of its attempts when there are too many for one transaction;
// then it is not whole, and must be called again. With spare, an event that
// is pinned or pending is left alone; else a pinned one is an error.
func (b *batch) removeEvent(seq uint64, id capture.ID, spare bool) (whole bool, err error) {
	raw, err := b.getParts(keyEvent(seq))
	if err != nil {
		return true, err
	}
	var e capture.Event
	damage := decodeEvent(seq, raw, &e) // what cannot be read goes as far as it is known
	if damage != nil {
		e.ID = id
	}
	t, err := b.tally(seq)
	if err != nil && !errors.Is(err, errSeal) {
		return true, err
	}
	switch {
	case spare && (t.Pinned || len(t.Waiting) > 0):
		return true, nil
	case t.Pinned:
		return true, &PinnedError{ID: e.ID}
	}

	attempts := iterate(b.txn, keySeq(prefixOf, seq), false)
	defer attempts.Close()
	for attempts.Rewind(); attempts.Valid(); attempts.Next() {
		if len(b.staged) >= removeKeys {
			return false, b.putTally(seq, t)
		}
		if err := b.removeAttempt(attempts.Item().KeyCopy(nil), &t.tally); err != nil {
			return true, err
		}
	}

	for n := range (stored(&e) + chunk - 1) / chunk {
		b.del(keyChunk(keySeq(prefixBody, seq), int(n)))
	}
	for _, x := range append(fixed(&e), t.before...) {
		if x.indexed() {
			b.del(keyIndexed(x.field, x.value, seq))
		}
	}
	b.delParts(keyEvent(seq), len(raw))
	b.delParts(keyTally(seq), t.length)
	if e.ID != "" {
		b.del(keyID(prefixID, e.ID))
	}
	b.totals.Events--
	b.totals.Bytes -= max(0, int64(len(raw))-recordHead) + stored(&e) + t.Bytes
	return true, nil
}

// removeAttempt stages the deletion of an attempt by its key under its event.
func (b *batch) removeAttempt(of []byte, t *tally) error {
	id := tailID(capture.AttemptID, of)
	key := keyID(prefixAttempt, id)
	raw, _ := readParts(b.txn, key)
	var a capture.Attempt
	if decode(key, raw, &a) == nil {
		if a.Status == capture.AttemptPending {
			b.unqueue(&a)
			if err := b.health(a.Endpoint, func(h *capture.Health) { h.Pending = max(0, h.Pending-1) }); err != nil {
				return err
			}
			t.unwait(id)
		} else {
			b.del(keySeq(prefixLog, a.Seq))
		}
		b.del(keyAt(&a))
	}
	b.del(of)
	b.delParts(key, len(raw))
	wire := keyID(prefixWire, id)
	for n := 0; ; n++ {
		key := keyChunk(wire, n)
		if _, err := b.txn.Get(key); err != nil {
			return nil
		}
		b.del(key)
	}
}
