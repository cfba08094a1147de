package tui

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		notices, asked := make(chan struct{}, 1), 0
		f := feed{floor: 50 * time.Millisecond, watch: func(context.Context) <-chan struct{} { asked++; return notices }}
		go func() { // an event each millisecond of a second
			for range 1000 {
				select {
				case notices <- struct{}{}:
				default:
				}
				time.Sleep(time.Millisecond)
			}
			close(notices)
		}()
		began, frames := time.Now(), 0
		for {
			msg := f.wait(ctx)
			if lost, ok := msg.(lostMsg); ok {
				if !errors.Is(lost.why, errGone) {
					t.Errorf("lost for %v", lost.why)
				}
				break
			}
			frames++
		}
		if took := time.Since(began); frames < 18 || frames > 22 || took > 1100*time.Millisecond {
			t.Errorf("%d changes in %v, want 20 a second", frames, took)
		}
		began, notices = time.Now(), make(chan struct{}, 1)
		if _, ok := f.wait(ctx).(changedMsg); !ok || time.Since(began) != retryAfter || asked != 2 {
			t.Errorf("tried again after %v, asked %d times, want 2s and 2", time.Since(began), asked)
		}
		time.AfterFunc(time.Hour, cancel)
		if msg := f.wait(ctx); msg != nil {
			t.Errorf("after the end: %v", msg)
		}
	})
}

func TestRate(t *testing.T) {
	var r rate
	r.note(1000)
	if _, bars := r.draw(); bars != "" {
		t.Errorf("bars %q before anything came", bars)
	}
	if !r.note(1037) || r.note(1037) {
		t.Error("the first change starts the ticks, and only it")
	}
	r.tick()
	if now, bars := r.draw(); now != 37 || bars != "▁▁▁▁▁▁▁▁▁█" {
		t.Errorf("got %d %q", now, bars)
	}
	for range len(r.seconds) - 2 {
		if !r.tick() {
			t.Fatal("ticks end while there is something to see")
		}
	}
	if r.tick() {
		t.Error("an idle rate ticks")
	}
}
