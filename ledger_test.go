//go:build unix

package main

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// ledger is what was sent, acknowledged and delivered.
type ledger struct {
	closed chan struct{} // when senders shall stop
	close  func()

	mu           sync.Mutex // guards the fields below
	sent         map[letter]capture.Digest
	acknowledged map[capture.ID]letter
	arrived      []delivered
	came         map[capture.ID]int // times
}

// letter is the n-th webhook of a sender.
type letter struct{ sender, n int }

// delivered is a request as the app got it.
type delivered struct {
	id capture.ID
	letter
}

func newLedger() *ledger {
	l := &ledger{closed: make(chan struct{}), sent: map[letter]capture.Digest{}, acknowledged: map[capture.ID]letter{}, came: map[capture.ID]int{}}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	return l
}

// write is the body of a webhook that is about to be sent.
func (l *ledger) write(sender, n, size int) []byte {
	body := fmt.Appendf(nil, "%d %d ", sender, n)
	body = append(body, bytes.Repeat([]byte{'x'}, size-len(body))...)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent[letter{sender, n}] = capture.Sum(body)
	return body
}

func (l *ledger) acknowledge(id capture.ID, sender, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acknowledged[id] = letter{sender, n}
}

func (l *ledger) arrive(id capture.ID, body []byte) {
	d := delivered{id: id}
	fmt.Sscanf(string(body[:min(len(body), 40)]), "%d %d", &d.sender, &d.n)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrived = append(l.arrived, d)
	l.came[id]++
}

func (l *ledger) count() (sent, acknowledged int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sent), len(l.acknowledged)
}

// from is how many of a sender's have come to the app.
func (l *ledger) from(sender int) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range l.arrived {
		if d.sender == sender {
			n++
		}
	}
	return n
}

// lost is how many were acknowledged and have not come to the app.
func (l *ledger) lost() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.acknowledged {
		if l.came[id] == 0 {
			n++
		}
	}
	return n
}

// overtaken is how many came to the app for the first time behind one that the
// same sender sent later. What was not acknowledged may have been taken at any
// time, and what is large may be overtaken.
func (l *ledger) overtaken() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen, newest := map[capture.ID]bool{}, map[int]int{}
	for _, d := range l.arrived {
		if _, ok := l.acknowledged[d.id]; !ok || seen[d.id] {
			continue
		}
		seen[d.id] = true
		if d.n < newest[d.sender] {
			n++
		}
		newest[d.sender] = max(newest[d.sender], d.n)
	}
	return n
}

// lossesHead is above what loss returns.
const lossesHead = "  sent acked relay listener   app  lost twice order"

// check holds what the relay and the listener have kept, and what came to the
// app, against what was acknowledged. It returns a line of the table of losses.
func (l *ledger) check(t *testing.T, relayed, here []capture.Row) string {
	t.Helper()
	lost, overtaken := l.lost(), l.overtaken()
	l.mu.Lock()
	defer l.mu.Unlock()
	at := func(rows []capture.Row) map[capture.ID]int {
		times := map[capture.ID]int{}
		for _, r := range rows {
			if r.Refused != nil {
				continue // the stub of one that broke off: not acknowledged, and not delivered
			}
			times[r.ID]++
			if want, ok := l.acknowledged[r.ID]; ok && l.sent[want] != r.SHA256 {
				t.Errorf("%s is not what was sent: %s", r.ID, r.SHA256)
			}
			if times[r.ID] > 1 {
				t.Errorf("%s is kept twice", r.ID)
			}
		}
		return times
	}
	there, kept := at(relayed), at(here)
	missing := 0
	for id := range l.acknowledged {
		if there[id] == 0 || kept[id] == 0 {
			missing++
		}
	}
	for id := range there {
		if kept[id] == 0 || l.came[id] == 0 {
			missing++
		}
	}
	for id := range kept {
		if there[id] == 0 {
			t.Errorf("%s is at the listener and not at the relay", id)
		}
	}
	for _, r := range here {
		if r.Refused == nil && r.Outcome.State != capture.OK {
			t.Errorf("%s: %+v", r.ID, r.Outcome)
		}
	}
	if missing > 0 || lost > 0 {
		t.Errorf("%d of %d are not where they should be, and %d never came to the app", missing, len(l.acknowledged), lost)
	}
	if overtaken > 0 {
		t.Errorf("%d came out of order", overtaken)
	}
	return fmt.Sprintf("%6d%6d%6d%9d%6d%6d%6d%6d", len(l.sent), len(l.acknowledged), len(there), len(kept), len(l.came), lost, len(l.arrived)-len(l.came), overtaken)
}
