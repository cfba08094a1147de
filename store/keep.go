package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"code.hooktape.dev/hooktape/capture"
)

// mostFanOut is how many attempts one transaction takes with an event: a
// fraction of what fits, for new events wait for it.
const mostFanOut = 500

// Keep puts changes on disk and returns when they are synced there. Each
// change is kept whole or not at all; one that is refused does not hold back
// the others, and its error is part of the one returned. ctx counts while the
// queue is full, not once the changes are in it.
//
// An event with more than 500 attempts is the exception: it is kept with the
// first of them, and the others in further transactions before Keep returns.
// When that fails between two, who is told so does not acknowledge the event.
//
// An event whose id is already kept is not kept twice: its Seq is set to that
// of the kept one, and its change is otherwise ignored. An attempt that is
// already finished stays as it is, too.
func (s *Store) Keep(ctx context.Context, changes ...*capture.Change) error {
	for i, c := range changes {
		if c.Event != nil && len(c.Attempts) > mostFanOut {
			return errors.Join(s.Keep(ctx, changes[:i]...), s.fanOut(ctx, c), s.Keep(ctx, changes[i+1:]...))
		}
	}
	if len(changes) == 0 {
		return nil
	}
	var refused []error
	ws := make([]*write, 0, len(changes))
	answers := make(chan error, len(changes))
	for _, c := range changes {
		w, err := s.keep(c, func(err error) { answers <- err })
		if err != nil {
			refused = append(refused, err)
			continue
		}
		ws = append(ws, w)
	}
	if len(ws) > 0 {
		if err := s.submit(ctx, ws...); err != nil {
			return errors.Join(append(refused, fmt.Errorf("store: keep: %w", err))...)
		}
	}
	for range ws {
		refused = append(refused, <-answers)
	}
	return errors.Join(refused...)
}

// fanOut keeps a change in pieces.
func (s *Store) fanOut(ctx context.Context, c *capture.Change) error {
	id := c.Event.ID
	rest := c.Attempts[mostFanOut:]
	first := *c
	first.Attempts = c.Attempts[:mostFanOut]
	if err := s.Keep(ctx, &first); err != nil || c.Event.ID != id {
		return err // the event was kept before
	}
	for some := range slices.Chunk(rest, mostFanOut) {
		if err := s.Keep(context.WithoutCancel(ctx), &capture.Change{Attempts: some}); err != nil {
			return err
		}
	}
	return nil
}

// KeepAsync hands a change to the same committer and returns. done is called
// once: on the committer's goroutine after the sync, and so must be quick, or
// before KeepAsync returns when the change cannot be handed in. The change is
// the store's until then. KeepAsync blocks only while the queue is full.
func (s *Store) KeepAsync(c *capture.Change, done func(error)) {
	w, err := s.keep(c, done)
	if err != nil {
		done(err)
		return
	}
	if err := s.submit(s.alive, w); err != nil {
		if s.alive.Err() != nil {
			err = fmt.Errorf("%w: it is closed", capture.ErrUnavailable)
		}
		done(fmt.Errorf("store: keep: %w", err))
	}
}

// keeping is a change on its way, with what could be prepared outside the
// committer.
type keeping struct {
	*capture.Change
	record []byte   // of the event, without the moment it is kept
	wires  [][]byte // by attempt, what went over the wire; nil where nothing did
	then   []*keeping

	seq  uint64     // given to the event,
	seqs []uint64   // and to the attempts
	same capture.ID // the event that was kept by the same key
	old  bool       // the event was kept before
	gap  uint64     // given to the gap
}

func (s *Store) keep(c *capture.Change, done func(error)) (*write, error) {
	k := &keeping{Change: c}
	if err := k.prepare(); err != nil {
		return nil, fmt.Errorf("store: keep %s: %w", k.name(), err)
	}
	w := &write{plan: k.plan, bytes: k.bytes(), needs: roomEvent}
	if c.Event == nil {
		w.needs = roomAttempt
	}
	w.done = func(err error) {
		if err != nil {
			done(fmt.Errorf("store: keep %s: %w", k.name(), err))
			return
		}
		k.tell(s)
		done(nil)
	}
	return w, nil
}

// bytes is how much there is to keep, roughly.
func (k *keeping) bytes() int64 {
	n := int64(len(k.Body))
	for _, b := range k.wires {
		n += int64(len(b))
	}
	for _, next := range k.then {
		n += next.bytes()
	}
	return n
}

// tell fills in what the change was given, once it is kept.
func (k *keeping) tell(s *Store) {
	c := k.Change
	if c.Event != nil {
		c.Event.Seq = k.seq
		c.Event.ID = cmp.Or(k.same, c.Event.ID)
		c.Known = k.old
		if s.kept != nil && !k.old {
			s.kept(c.Event, c.Body)
		}
	}
	if c.Gap != nil {
		c.Gap.Seq = k.gap
	}
	for i, seq := range k.seqs {
		c.Attempts[i].Seq = seq
	}
	for _, next := range k.then {
		next.tell(s)
	}
}

// name is what an error calls the change.
func (k *keeping) name() capture.ID {
	switch {
	case k.Event != nil:
		return k.Event.ID
	case len(k.Attempts) > 0:
		return k.Attempts[0].ID
	}
	return "nothing"
}

// prepare checks the change and encodes what needs no place in the sequence.
func (k *keeping) prepare() (err error) {
	k.wires = make([][]byte, len(k.Attempts))
	if e := k.Event; e != nil {
		if err := checkID(capture.EventID, e.ID); err != nil {
			return err
		}
		sum := capture.Sum(k.Body)
		if e.SHA256 == (capture.Digest{}) {
			e.SHA256 = sum
		}
		if e.Refused == nil && (e.Size != int64(len(k.Body)) || e.SHA256 != sum) {
			return fmt.Errorf("the body's %d bytes are not those of the event's size and digest", len(k.Body))
		}
		if e.Refused != nil && len(k.Attempts)+len(k.Body) > 0 {
			return errors.New("a refused request has no body and is never delivered")
		}
		if k.record, err = encoder.Marshal(e); err != nil {
			return err
		}
	}
	for i, a := range k.Attempts {
		if err := errors.Join(checkID(capture.AttemptID, a.ID), checkID(capture.EventID, a.Event), checkID(capture.EndpointID, a.Endpoint)); err != nil {
			return err
		}
		if a.Request == nil && a.Response == nil {
			continue
		}
		w := wire{a.Request, a.Response}
		if r := a.Request; r != nil && r.Around != nil {
			light := *r
			light.Made, w.Request = "", &light
		}
		if k.wires[i], err = encode(keyID(prefixWire, a.ID), w); err != nil {
			return err
		}
	}
	for _, c := range k.Then {
		next := &keeping{Change: c}
		if err := next.prepare(); err != nil {
			return err
		}
		k.then = append(k.then, next)
	}
	return nil
}

// plan stages the change.
func (k *keeping) plan(b *batch) error {
	k.seq, k.seqs, k.same, k.old, k.gap = 0, nil, "", false, 0
	if k.Gap != nil {
		k.gap = b.next()
		b.put(keySeq(prefixLog, k.gap), nil)
		if err := b.putRecord(keySeq(prefixGap, k.gap), k.Gap); err != nil {
			return err
		}
	}
	if k.Event != nil {
		kept, err := b.seq(k.Event.ID)
		if k.Key != "" && errors.Is(err, capture.ErrNotFound) {
			k.same, kept, err = b.once(k.Event, k.Key)
		}
		if err == nil {
			k.seq, k.old = kept, true
			return nil
		}
		if !errors.Is(err, capture.ErrNotFound) {
			return err
		}
		if err := k.planEvent(b); err != nil {
			return err
		}
	}
	k.seqs = make([]uint64, len(k.Attempts))
	tallies := map[uint64]*tallied{}
	for i, a := range k.Attempts {
		if int64(len(b.staged)) > b.maxCount {
			return errNoFit
		}
		seq, err := planAttempt(b, tallies, a, k.wires[i])
		if err != nil {
			return err
		}
		k.seqs[i] = seq
	}
	for event, t := range tallies {
		if err := b.putTally(event, t); err != nil {
			return err
		}
	}
	for _, next := range k.then {
		if err := next.plan(b); err != nil {
			return err
		}
	}
	return nil
}

func (k *keeping) planEvent(b *batch) error {
	k.seq = b.next()
	key := keyEvent(k.seq)
	b.putParts(key, seal(key, eventRecord(b.now, k.record)), 0)
	b.put(keyID(prefixID, k.Event.ID), keySeq(prefixEvent, k.seq)[1:])
	if err := b.putChunks(keySeq(prefixBody, k.seq), k.Body); err != nil {
		return err
	}
	for _, x := range fixed(k.Event) {
		if x.indexed() {
			b.put(keyIndexed(x.field, x.value, k.seq), nil)
		}
	}
	b.totals.Events++
	b.totals.Bytes += int64(len(k.record) + len(k.Body))
	b.totals.Kept = b.now
	b.stats.event(b, k.Event)
	return nil
}

// planAttempt stages an attempt, new or replacing the pending one of its id,
// and folds it into its event. It returns the place in the sequence of a
// finished one.
func planAttempt(b *batch, tallies map[uint64]*tallied, a *capture.Attempt, wire []byte) (seq uint64, err error) {
	event, err := b.seq(a.Event)
	if err != nil {
		return 0, fmt.Errorf("attempt %s of event %s: %w", a.ID, a.Event, err)
	}
	t := tallies[event]
	if t == nil {
		if t, err = b.tally(event); err != nil {
			return 0, err
		}
		tallies[event] = t
	}

	key := keyID(prefixAttempt, a.ID)
	raw, err := b.getParts(key)
	if err != nil {
		return 0, err
	}
	waited := int64(0)
	if raw != nil {
		var old capture.Attempt
		if err := decode(key, raw, &old); err != nil {
			return 0, err
		}
		if old.Event != a.Event {
			return 0, fmt.Errorf("attempt %s is one of event %s, not of %s", a.ID, old.Event, a.Event)
		}
		if old.Endpoint != a.Endpoint {
			return 0, fmt.Errorf("attempt %s is one at %s, not at %s", a.ID, old.Endpoint, a.Endpoint)
		}
		if old.Status != capture.AttemptPending {
			return old.Seq, nil // a fact
		}
		b.unqueue(&old)
		t.unwait(old.ID)
		waited = 1
	} else {
		b.put(keyOf(event, a.ID), nil)
		b.put(keyAt(a), nil)
	}

	light := *a
	light.Request, light.Response, light.Seq = nil, nil, 0
	if a.Status == capture.AttemptPending {
		b.totals.Pending++
		t.wait(a)
	} else {
		seq = b.next()
		light.Seq = seq
		id := a.ID.Bytes()
		b.put(keySeq(prefixLog, seq), id[:])
		if wire != nil {
			if err := b.putChunks(keyID(prefixWire, a.ID), wire); err != nil {
				return 0, err
			}
			b.totals.Bytes += int64(len(wire))
			t.Bytes += int64(len(wire))
		}
		t.finish(a)
		b.stats.attempt(b, a)
	}
	err = b.health(a.Endpoint, func(h *capture.Health) {
		if h.Fold(a); a.Status == capture.AttemptPending {
			h.Pending++
		}
		h.Pending = max(0, h.Pending-waited)
	})
	if err != nil {
		return 0, err
	}
	record, err := encode(key, light)
	b.putParts(key, record, len(raw))
	if a.Status == capture.AttemptPending {
		b.put(keyPending(a), beside(record))
	}
	return seq, err
}

// beside is the record of a pending attempt as its queue has it too, so that
// nobody who reads the queue has to look it up; nil where that is too long.
func beside(record []byte) []byte {
	if len(record) >= part {
		return nil
	}
	return record
}

// unqueue takes a pending attempt out of its queue.
func (b *batch) unqueue(a *capture.Attempt) {
	key := keyPending(a)
	b.del(key)
	if key[0] != prefixPending { // an older hooktape had one queue for all
		key := bytes.Clone(key)
		key[0] = prefixPending
		b.del(key)
	}
	b.totals.Pending--
}

// seq is the place of an event, or capture.ErrNotFound.
func (b *batch) seq(id capture.ID) (uint64, error) {
	raw, err := b.get(keyID(prefixID, id))
	if err != nil {
		return 0, err
	}
	if raw == nil {
		return 0, capture.ErrNotFound
	}
	return seqOf(raw), nil
}

// tallied is a tally that is being changed.
type tallied struct {
	tally
	before []entry // as the index has it
	length int     // of its record as it was
}

// tally is that of an event, empty where nothing has happened to it.
func (b *batch) tally(seq uint64) (*tallied, error) {
	t := new(tallied)
	key := keyTally(seq)
	raw, err := b.getParts(key)
	if err == nil && raw != nil {
		err = decode(key, raw, &t.tally)
		t.upgrade()
	}
	t.before, t.length = t.entries(), len(raw)
	return t, err
}

// putTally stages a tally and what it changes in the index.
func (b *batch) putTally(seq uint64, t *tallied) error {
	t.fold()
	after := t.entries()
	for _, x := range t.before {
		if x.indexed() && !slices.Contains(after, x) {
			b.del(keyIndexed(x.field, x.value, seq))
		}
	}
	for _, x := range after {
		if x.indexed() && !slices.Contains(t.before, x) {
			b.put(keyIndexed(x.field, x.value, seq), nil)
		}
	}
	key := keyTally(seq)
	record, err := encode(key, t.tally)
	b.putParts(key, record, t.length)
	t.length = len(record)
	return err
}
