//go:build unix

package main

import (
	"strings"
	"testing"
	"time"
)

const (
	beat  = 500 * time.Millisecond // the heart's of most outposts
	slack = 2 * time.Second        // that a busy machine may take on top of what is promised
)

// TestOfflineIsADelay_BadWeather has real relays and listeners under load meet
// everything that ends connections. Whatever the relay acknowledged is with the
// listener once, came to its app, and the first time in order.
func TestOfflineIsADelay_BadWeather(t *testing.T) {
	losses := new(strings.Builder)
	for _, w := range []struct {
		name string
		play func(*storm)
	}{
		{"relay killed", relayKilled},
		{"listener killed", listenerKilled},
		{"both killed", bothKilled},
		{"relay restarted elsewhere", relayRestarted},
		{"cut and healed", cutAndHealed},
		{"half open", halfOpen},
		{"ghost", ghost},
		{"nothing goes up", nothingGoesUp},
		{"nothing comes down", nothingComesDown},
		{"one in twenty is late", late},
		{"stopped", stopped},
		{"token revoked", revoked},
		{"proxy alone", proxyAlone},
		{"late hello", lateHello},
		{"large body, narrow link", large},
		{"large body in pieces", largeInPieces},
		{"listener's disk full", full},
		{"relay's disk full", relayFull},
	} {
		t.Run(w.name, func(t *testing.T) { w.play(&storm{t, losses}) })
	}
	t.Logf("\n%s\n%s", lossesHead, losses)
}

func relayKilled(t *storm) {
	o := t.outpost(setting{})
	o.more(100)
	for range 2 {
		o.relay.kill()
		o.startRelay()
		o.more(100)
	}
	o.until("reconnected", 2)
	o.settle()
}

func listenerKilled(t *storm) {
	o := t.outpost(setting{})
	for range 2 {
		o.more(100)
		o.listener.kill()
		o.more(50)
		o.startListener()
	}
	o.until("gap", 2)
	o.settle()
}

func bothKilled(t *storm) {
	o := t.outpost(setting{})
	for range 2 {
		o.more(100)
		o.listener.kill()
		o.relay.kill()
		o.startRelay()
		o.more(20)
		o.startListener()
	}
	o.until("gap", 2)
	o.settle()
}

// relayRestarted ends the relay in good order: listeners are told, and come
// back to where it is then.
func relayRestarted(t *storm) {
	o := t.outpost(setting{})
	o.more(100)
	o.terminate(o.relay)
	o.until("disconnected", 1)
	if why := o.told("disconnected")[0].Link.Reason; why != "the relay restarts" {
		t.Errorf("the listener says %q", why)
	}
	o.startRelay()
	if took := o.until("reconnected", 1); took > slack {
		t.Errorf("it took %s to come back", took)
	}
	o.more(100)
	o.settle()
}

func cutAndHealed(t *storm) {
	o := t.outpost(setting{})
	fastest := patience
	for n := 1; n <= 3; n++ {
		o.more(50)
		o.link.set(func(a *air) { a.cut = true })
		o.until("disconnected", n)
		o.more(50)
		o.link.heal()
		took := o.until("reconnected", n)
		t.Logf("reconnected %s after it healed", took)
		fastest = min(fastest, took)
	}
	if fastest > slack {
		t.Errorf("it never took less than %s", fastest)
	}
	o.until("gap", 3)
	o.settle()
}

func halfOpen(t *storm) {
	o := t.outpost(setting{})
	o.more(100)
	o.link.set(func(a *air) { a.still = [2]bool{true, true} })
	o.link.lose()
	if took := o.until("disconnected", 1); took > 2*beat+slack {
		t.Errorf("the listener noticed after %s", took)
	}
	began := time.Now()
	if !eventually(func() bool { return !o.connected() }) || time.Since(began) > 2*beat+slack {
		t.Errorf("the relay noticed later still by %s", time.Since(began))
	}
	o.more(50)
	o.link.heal()
	t.Logf("reconnected %s after it healed", o.until("reconnected", 1))
	o.settle()
}

// ghost loses a connection that the relay is patient with: the listener is let
// in all the same.
func ghost(t *storm) {
	o := t.outpost(setting{relayBeat: "10s"})
	o.more(100)
	o.link.lose()
	o.until("disconnected", 1)
	if took := o.until("reconnected", 1); took > slack {
		t.Errorf("it took %s to be let in", took)
	}
	if notice := o.told("reconnected")[0].Link.Notice; !strings.HasPrefix(notice, "took over from ") {
		t.Errorf("it was told %q", notice)
	}
	o.more(100)
	o.settle()
}

func nothingGoesUp(t *storm)    { stall(t, up) }
func nothingComesDown(t *storm) { stall(t, down) }

func stall(t *storm, way int) {
	o := t.outpost(setting{})
	o.more(100)
	o.link.set(func(a *air) { a.still[way] = true })
	if took := o.until("disconnected", 1); took > 2*beat+slack {
		t.Errorf("the listener noticed after %s", took)
	}
	o.more(50)
	o.link.heal()
	t.Logf("reconnected %s after it healed", o.until("reconnected", 1))
	o.more(50)
	o.settle()
}

func late(t *storm) {
	o := t.outpost(setting{beat: "3s", relayBeat: "3s"})
	o.link.set(func(a *air) { a.late, a.by = 0.05, 2*time.Second })
	o.more(600)
	o.link.heal()
	o.settle()
}
