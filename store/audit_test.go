package store

import (
	"slices"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"code.hooktape.dev/hooktape/capture"
)

// audit derives every key of the store from its events and attempts and
// compares: nothing is half there, nothing is left over, nothing is twice.
// Keys of the given kinds may be left over.
func audit(t testing.TB, s *Store, over ...byte) {
	t.Helper()
	if err := s.Check(t.Context(), func(id capture.ID, err error) { t.Errorf("check: %s: %v", id, err) }); err != nil {
		t.Fatal(err)
	}
	want, got := map[string]bool{"c": true}, map[string]bool{}
	var sums totals
	err := s.view(t.Context(), func(txn *badger.Txn) error {
		bySeq := map[capture.ID]uint64{}
		tallies := map[capture.ID]tally{}
		walk := newWalk(txn, false)
		for walk.seek(0); ; {
			k, ok := walk.next()
			if !ok {
				break
			}
			var row capture.Row
			if err := decodeRow(k, &row); err != nil {
				return err
			}
			e := &row.Event
			if _, twice := bySeq[e.ID]; twice {
				t.Errorf("%s is kept twice", e.ID)
			}
			bySeq[e.ID] = e.Seq
			for n := range parts(len(k.record)) {
				want[string(keyPart(keyEvent(e.Seq), n))] = true
			}
			want[string(keyID(prefixID, e.ID))] = true
			for n := range (stored(e) + chunk - 1) / chunk {
				want[string(keyChunk(keySeq(prefixBody, e.Seq), int(n)))] = true
			}
			list := fixed(e)
			if k.tally != nil {
				var ty tally
				if err := decode(keyTally(k.seq), k.tally, &ty); err != nil {
					return err
				}
				ty.upgrade()
				for n := range parts(len(k.tally)) {
					want[string(keyPart(keyTally(e.Seq), n))] = true
				}
				list = append(list, ty.entries()...)
				tallies[e.ID] = ty
			}
			for _, x := range list {
				if x.indexed() {
					want[string(keyIndexed(x.field, x.value, e.Seq))] = true
				}
			}
			sums.Events++
			sums.Bytes += int64(len(k.record)) - recordHead + stored(e)
		}
		walk.close()

		waits := map[capture.ID]int{}
		it := iterate(txn, nil, false)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			key := it.Item().KeyCopy(nil)
			got[string(key)] = true
			id := tailID(capture.AttemptID, key)
			switch key[0] {
			case prefixAttempt:
				if len(key) > 17 {
					want[string(key)] = true // a further part
					continue
				}
				a, err := readAttempt(txn, id)
				if err != nil {
					return err
				}
				seq, ok := bySeq[a.Event]
				if !ok {
					t.Errorf("%s has lost its event", id)
				}
				want[string(key)] = true
				want[string(keyOf(seq, id))] = true
				want[string(keyAt(&a))] = true
				if a.Status == capture.AttemptPending {
					sums.Pending++
					waits[a.Event]++
					want[string(keyPending(&a))] = true
				} else {
					want[string(keySeq(prefixLog, a.Seq))] = true
				}
			case prefixWire:
				id := capture.IDFrom(capture.AttemptID, [16]byte(key[1:17]))
				if a, err := readAttempt(txn, id); err != nil || a.Status == capture.AttemptPending {
					t.Errorf("%q belongs to no finished attempt (%v)", key, err)
				}
				want[string(key)] = true
				sums.Bytes += it.Item().ValueSize()
			case prefixGap:
				want[string(key)] = true
				want[string(keySeq(prefixLog, seqOf(key[1:])))] = true
			case prefixEndpoint, prefixURL, prefixFiller, prefixHealth, prefixClaim, prefixApp, prefixToken, prefixOnce, prefixSeries, prefixListener, prefixSeat, prefixType, prefixCatalog, prefixRule, prefixTrigger:
				want[string(key)] = true
			}
		}
		for id, ty := range tallies {
			if len(ty.Waiting) != waits[id] {
				t.Errorf("%s waits for %d attempts, and %d are pending", id, len(ty.Waiting), waits[id])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range want {
		if !got[key] {
			t.Errorf("key %q is missing", key)
		}
	}
	for key := range got {
		if !want[key] && !slices.Contains(over, key[0]) {
			t.Errorf("key %q is left over", key)
		}
	}
	if counts, _ := s.Counts(t.Context()); counts.Events != sums.Events || counts.Pending != sums.Pending {
		t.Errorf("counts = %+v, want %d events and %d pending", counts, sums.Events, sums.Pending)
	}
	if s.totals.Bytes != sums.Bytes && s.memory { // in the value log sizes are rough
		t.Errorf("bytes = %d, want %d", s.totals.Bytes, sums.Bytes)
	}
}
