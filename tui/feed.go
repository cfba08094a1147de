package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// feed turns a source's notices of change into messages, no more than one in
// a floor's time however many events come: Bubble Tea runs Update and View
// for every message, and would make their sender wait. One command at a time
// waits on it.
type feed struct {
	watch func(context.Context) <-chan struct{} // nil: nothing ever changes
	floor time.Duration

	notices <-chan struct{}
	last    time.Time
	lost    bool
}

// wait blocks until something has changed, and the floor has passed.
func (f *feed) wait(ctx context.Context) tea.Msg {
	if f.watch == nil {
		return nil
	}
	if f.lost {
		if !sleep(ctx, retryAfter) {
			return nil
		}
		f.lost, f.notices = false, f.watch(ctx)
		return changedMsg{}
	}
	if f.notices == nil {
		f.notices = f.watch(ctx)
	}
	select {
	case <-ctx.Done():
		return nil
	case _, ok := <-f.notices:
		if ctx.Err() != nil {
			return nil
		}
		if !ok {
			f.lost = true
			return lostMsg{errGone}
		}
	}
	if !sleep(ctx, f.floor-time.Since(f.last)) {
		return nil
	}
	f.last = time.Now()
	return changedMsg{}
}

// sleep reports whether the time has passed before ctx was done.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
