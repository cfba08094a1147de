package store

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
)

// watchLog is Badger's logger, and listens to it: Badger 4.9 reports a failed
// sync of its value log nowhere but here, from within the commit that then
// succeeds.
type watchLog struct {
	log      *slog.Logger
	poisoned atomic.Pointer[string] // why nothing more may be kept; set once
}

// poison notes why the disk can no longer be trusted.
func (l *watchLog) poison(why string) {
	if l.poisoned.CompareAndSwap(nil, &why) {
		l.log.Error("the disk failed a write; nothing more is kept", "error", why)
	}
}

// Errorf implements badger.Logger.
func (l *watchLog) Errorf(format string, args ...any) {
	text := strings.TrimSpace(fmt.Sprintf(format, args...))
	if strings.Contains(strings.ToLower(format), "sync") {
		l.poison(text)
	}
	l.log.Error("badger: " + text)
}

// Warningf implements badger.Logger.
func (l *watchLog) Warningf(format string, args ...any) {
	l.log.Warn("badger: " + strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// Infof implements badger.Logger. Badger tells every compaction.
func (l *watchLog) Infof(string, ...any) {}

// Debugf implements badger.Logger.
func (l *watchLog) Debugf(string, ...any) {}
