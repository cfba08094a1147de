// Package store is the program's memory: events, attempts and endpoints, kept
// in one directory by one process.
//
// What Keep has returned nil for is on disk and synced, whole, and stays
// through a crash, a kill -9 and a power cut. What is read is what was kept:
// records and bodies are checked, and damage is an error and never wrong
// bytes. A disk that runs full or fails a sync makes Keep fail, never lie.
//
// One goroutine writes, many changes in one synced transaction; readers do
// not wait for it. It stores; it does not decide: what is delivered when, and
// how often, is its caller's business.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/semaphore"

	"code.hooktape.dev/hooktape/capture"
)

// Options are how a store is kept. The zero Options keep everything.
type Options struct {
	// Memory keeps nothing on disk: the directory is not used, and all is
	// gone on Close. For tests and one-off use.
	Memory bool
	// Retain bounds what is kept.
	Retain Retain
	// MinFree is how many bytes of the volume must stay free for new events
	// to be kept; half of it for the results of attempts. 0: 5 % of the
	// volume, at least 48 MiB and at most 512 MiB, and never more than a
	// quarter of the volume.
	MinFree int64
	// Log is told what a caller is not: damage, a failing disk, what was
	// done to recover. nil: nobody is.
	Log *slog.Logger
	// Kept is told of each new event, in the order of the sequence, once it is
	// on disk and before who handed it in learns that. It is called on the
	// committer's goroutine, and so must be quick; event and body must not be
	// changed by anyone from then on. nil: nobody is told.
	Kept func(*capture.Event, []byte)
}

// Retain says how much is kept. Zero members bound nothing. Pinned events and
// those with pending attempts stay in any case.
type Retain struct {
	Age   time.Duration // since an event was kept
	Bytes int64         // on disk, roughly: see Sweep
	Count int64         // of events
}

// Store keeps events, attempts and endpoints. Its methods may be called by
// many goroutines.
type Store struct {
	db     *badger.DB
	dir    string
	id     string
	memory bool
	retain Retain
	kept   func(*capture.Event, []byte)
	log    *watchLog
	disk   *disk
	feed   feed
	queues queues
	opens  openBuckets // of statistics; the committer's

	room      *semaphore.Weighted // of the queue, in bytes
	queue     chan []*write       // to the committer; closed by Close
	committed chan struct{}       // closed when the committer has returned

	alive context.Context // done once Close is called
	kill  context.CancelFunc
	tasks sync.WaitGroup // those that Open started, beside the committer

	gate   sync.RWMutex // held for reading while something is handed in or read; guards closed
	closed bool
	ended  chan struct{} // closed when Close is through
	end    error         // what it returned

	mu     sync.Mutex // guards the two below, which only the committer adds to
	totals totals
	freed  int64 // bytes removed since Badger was last made to notice

	sweeping sync.Mutex // held by the one retention pass that runs; guards the two below
	forgot   time.Time  // when idempotency keys were last looked through
	swept    uint32     // since when buckets of minutes are left, as of the last pass

	commits atomic.Uint64 // transactions that were synced

	lost  uint64
	point *checkpoint
	owner *os.File // the lock; nil in memory
}

// Open opens the store in dir, and makes it if there is none. It fails with
// ErrLocked while another process has it open, ErrNewerFormat when a newer
// hooktape made it, and ErrForeign when the directory holds something else.
func Open(dir string, o Options) (*Store, error) {
	s, err := open(dir, o)
	if err != nil {
		return nil, fmt.Errorf("store: open %s: %w", dir, err)
	}
	return s, nil
}

func open(dir string, o Options) (s *Store, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s = &Store{
		dir:       dir,
		memory:    o.Memory,
		retain:    o.Retain,
		kept:      o.Kept,
		id:        ulid.Make().String(),
		log:       &watchLog{log: o.Log},
		opens:     openBuckets{log: o.Log},
		feed:      feed{watchers: map[chan struct{}]bool{}},
		room:      semaphore.NewWeighted(queueBytes),
		queue:     make(chan []*write, queueBytes/queueEach),
		committed: make(chan struct{}),
		ended:     make(chan struct{}),
		disk:      &disk{},
		point:     &checkpoint{},
	}
	options := memoryOptions()
	if !o.Memory {
		m, err := prepare(dir)
		if err != nil {
			return nil, err
		}
		// Badger has a lock too, but takes it only after what comes next.
		if s.owner, err = lock(filepath.Join(dir, "lock")); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				s.owner.Close()
			}
		}()
		if err = m.upgrade(dir); err != nil {
			return nil, err
		}
		s.id = m.ID
		if s.disk, err = openDisk(dir, o.MinFree, o.Log); err != nil {
			return nil, err
		}
		if err = mend(dir, o.Log); err != nil {
			return nil, err
		}
		options = diskOptions(dir, m.MemTable)
	}
	if s.db, err = openBadger(options.WithLogger(s.log)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.db.Close()
		}
	}()
	if err = s.recall(); err != nil {
		return nil, err
	}
	s.alive, s.kill = context.WithCancel(context.Background())
	go s.commitLoop()
	s.tasks.Go(func() { every(s.alive, time.Second, func() { s.mark(); s.disk.relieve(s.log.log) }) })
	s.tasks.Go(func() { every(s.alive, time.Minute, s.sweep) })
	return s, nil
}

// recall reads where the sequence stands, and what the checkpoint says of it.
func (s *Store) recall() error {
	err := guarded(s.db, func(txn *badger.Txn) error {
		raw, err := read(txn, keyTotals)
		if err != nil || raw == nil {
			return err
		}
		return decode(keyTotals, raw, &s.totals)
	})
	if err != nil {
		s.log.log.Error("the store's totals are damaged; counts are wrong until doctor has mended them", "error", err)
	}
	// The sequence must not step back, whatever became of the totals.
	for _, prefix := range []byte{prefixEvent, prefixLog} {
		err := guarded(s.db, func(txn *badger.Txn) error {
			l := newList(txn, []byte{prefix}, true)
			defer l.close()
			if seq, ok := l.seek(newest); ok {
				s.totals.Seq = max(s.totals.Seq, seq)
			}
			return nil
		})
		if err != nil {
			s.log.log.Error("the newest facts cannot be looked up", "error", err)
		}
	}
	if s.memory {
		return nil
	}
	marked, err := s.point.open(s.dir)
	if err != nil {
		return err
	}
	if marked > s.totals.Seq {
		s.lost = marked - s.totals.Seq
		s.log.log.Error("kept facts are missing: the disk lost what it had confirmed",
			"lost", s.lost, "newest", s.totals.Seq, "expected", marked)
		s.totals.Seq = marked
	}
	return nil
}

// ID tells the store's sequence from that of any other store.
func (s *Store) ID() string { return s.id }

// Writable is nil while events are kept, and else the error that Keep would
// return.
func (s *Store) Writable(ctx context.Context) error {
	return s.do(ctx, &write{needs: roomEvent, plan: func(*batch) error { return nil }})
}

// Lost is how many events and attempts were kept, by the checkpoint, and were
// no longer there when the store was opened. Anything but 0 is a disk that
// loses or changes what it has written.
func (s *Store) Lost() uint64 { return s.lost }

// Close finishes what was handed in, then closes the store. What comes later
// fails with capture.ErrUnavailable. A second Close waits for the first and
// returns the same.
func (s *Store) Close() error {
	s.kill() // long reads stop
	s.gate.Lock()
	if s.closed {
		s.gate.Unlock()
		<-s.ended
		return s.end
	}
	s.closed = true
	close(s.queue)
	s.gate.Unlock()

	<-s.committed
	s.tasks.Wait()
	s.feed.close()
	s.mark()
	s.end = errors.Join(s.point.close(), s.closeBadger())
	if s.owner != nil {
		s.end = errors.Join(s.end, s.owner.Close())
	}
	if s.end != nil {
		s.end = fmt.Errorf("store: close: %w", s.end)
	}
	close(s.ended)
	return s.end
}

// closeBadger gives Badger a while to close. On a disk that fails it, it would
// try for ever to write its tables. All that was acknowledged is in its logs.
func (s *Store) closeBadger() error {
	closed := make(chan error, 1)
	go func() { closed <- s.db.Close() }()
	patience := time.NewTimer(closePatience)
	defer patience.Stop()
	select {
	case err := <-closed:
		return err
	case <-patience.C:
		return fmt.Errorf("the disk takes no more tables (%s); what was acknowledged is in the logs, and is read when the store opens again", closePatience)
	}
}

const closePatience = 15 * time.Second

// view runs a read of the store as it stands.
func (s *Store) view(ctx context.Context, read func(*badger.Txn) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.closed {
		return fmt.Errorf("%w: it is closed", capture.ErrUnavailable)
	}
	return guarded(s.db, read)
}

// guarded runs a read. Damage that makes Badger panic is an error.
func guarded(db *badger.DB, read func(*badger.Txn) error) (err error) {
	txn := db.NewTransaction(false)
	defer func() {
		if r := recover(); r != nil {
			// Iterators may be open, of which Discard would complain.
			err = fmt.Errorf("%w: reading its tables: %v", capture.ErrDamaged, r)
			return
		}
		txn.Discard()
	}()
	return read(txn)
}

// stop is why a long read must not go on, or nil.
func (s *Store) stop(ctx context.Context) error {
	if s.alive.Err() != nil {
		return fmt.Errorf("%w: it is closing", capture.ErrUnavailable)
	}
	return ctx.Err()
}

// damaged tells the log of an event whose record cannot be read.
func (s *Store) damaged(seq uint64, err error) {
	s.log.log.Error("an event cannot be read", "seq", seq, "error", err)
}

// every calls f at intervals until ctx is done.
func every(ctx context.Context, interval time.Duration, f func()) {
	t := time.NewTicker(interval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			f()
		}
	}
}
