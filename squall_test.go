//go:build unix

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// revoked ends the token that a listener has come with: the listener is out
// within a second, and goes on with another token where it was.
func revoked(t *storm) {
	o := t.outpost(setting{})
	o.more(50)
	o.listener.kill()
	token := func() (id capture.ID) {
		var made struct {
			ID    capture.ID
			Token string
		}
		_, api := o.address()
		if err := json.Unmarshal([]byte(o.manage("POST", api+"/api/v1/tokens", `{"name":"listener","scope":"listen"}`)), &made); err != nil {
			t.Fatal(err)
		}
		o.pass = made.Token
		return made.ID
	}
	id := token()
	o.startListener()
	o.more(50)
	_, api := o.address()
	o.manage("DELETE", api+"/api/v1/tokens/"+string(id), "")
	began := time.Now()
	<-o.listener.ended
	if took, code := time.Since(began), o.listener.ProcessState.ExitCode(); took > slack || code != exitAuth {
		t.Errorf("the listener ended with %d after %s: %s", code, took, o.listener.diagnostics())
	}
	o.more(50)
	token()
	o.startListener()
	o.more(50)
	o.settle()
}

// stopped has processes stand still for longer than their beats, as on a
// machine that is suspended.
func stopped(t *storm) {
	o := t.outpost(setting{})
	for n, p := range []*process{o.listener, o.relay} {
		o.more(50)
		p.Process.Signal(syscall.SIGSTOP)
		if p == o.relay {
			o.until("disconnected", n+1)
		} else if !eventually(func() bool { return !o.connected() }) {
			t.Error("the relay believes to be connected")
		}
		p.Process.Signal(syscall.SIGCONT)
		o.until("reconnected", n+1)
	}
	o.more(50)
	o.settle()
}

// proxyAlone has the relay away and a proxy before it that says of its own
// that nothing is there: 404, 502 and others.
func proxyAlone(t *storm) {
	o := t.outpost(setting{})
	_, api := o.address()
	relay := strings.TrimPrefix(api, "http://")
	for n, status := range []int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusNotFound, http.StatusBadRequest, http.StatusOK} {
		o.more(30)
		asked := make(chan struct{}, 100)
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			asked <- struct{}{}
		}))
		o.link.set(func(a *air) { a.cut = true })
		o.link.set(func(a *air) { *a = air{to: strings.TrimPrefix(proxy.URL, "http://")} })
		for range 2 {
			select {
			case <-asked:
			case <-o.listener.ended:
				t.Fatalf("an answer of %d ends the listener: %s", status, o.listener.diagnostics())
			}
		}
		o.link.set(func(a *air) { a.to = relay })
		o.until("reconnected", n+1)
		proxy.CloseClientConnections()
		proxy.Close()
	}
	o.settle()
}

// lateHello has the listener's first words on a connection come only when it
// has given that up and is connected anew: they are no reason to send it away.
func lateHello(t *storm) {
	o := t.outpost(setting{relayBeat: "10s"})
	o.more(50)
	o.link.set(func(a *air) { a.cut = true })
	o.until("disconnected", 1)
	// The answer to its dial comes, and what it says then waits on the way.
	o.link.set(func(a *air) { a.cut, a.hold = false, true })
	if !eventually(func() bool { return o.link.held() >= 1 }) {
		t.Fatal("it does not dial")
	}
	o.link.set(func(a *air) { a.hold = false })
	o.until("reconnected", 1)
	close(o.link.release)
	o.more(100)
	select {
	case <-o.listener.ended:
		t.Errorf("its own late words end it: %s", o.listener.diagnostics())
	default:
	}
	o.settle()
}

// large has a body of 25 MiB on a link of 4 MB/s, and small ones overtake it.
func large(t *storm) {
	o := t.outpost(setting{quiet: true, beat: "2s", relayBeat: "2s"})
	o.link.set(func(a *air) { a.rate = 4 << 20 })
	to, _ := o.address()
	o.post(http.DefaultClient, to, 100, 0, 25<<20-100)
	small := 0
	var slowest time.Duration
	for ; o.ledger.from(100) == 0; small++ {
		began := time.Now()
		o.post(http.DefaultClient, to, 101, small, 1<<10)
		if !eventually(func() bool { return o.ledger.from(101) > small }) {
			t.Fatal("a small one does not come")
		}
		slowest = max(slowest, time.Since(began))
	}
	t.Logf("%d small ones came before the large one, the slowest after %s", small, slowest)
	if small < 5 {
		t.Errorf("they do not overtake it")
	}
	if n := len(o.told("disconnected")); n > 0 {
		t.Errorf("it was disconnected %d times: %s", n, o.told("disconnected")[0].Link.Reason)
	}
	o.settle()
}

// largeInPieces cuts the link again and again while a body of 25 MiB is under
// way: what came of it is not asked for again.
func largeInPieces(t *storm) {
	const size = 25<<20 - 100
	o := t.outpost(setting{quiet: true})
	o.link.set(func(a *air) { a.rate = 16 << 20 })
	to, _ := o.address()
	o.post(http.DefaultClient, to, 100, 0, size)
	cuts := 0
	for ; o.ledger.from(100) == 0 && cuts < 20; cuts++ {
		before := o.link.down()
		eventually(func() bool { return o.link.down() > before+4<<20 || o.ledger.from(100) > 0 })
		o.link.set(func(a *air) { a.cut = true })
		o.link.set(func(a *air) { a.cut = false })
	}
	t.Logf("cut %d times, %d bytes came down", cuts, o.link.down())
	if o.link.down() > size+cuts<<21 {
		t.Errorf("%d bytes came down for %d, with %d cuts", o.link.down(), size, cuts)
	}
	o.settle()
}

// full has the listener's disk full: events wait at the relay until there is
// room.
func full(t *storm) {
	dir := smallDisk(t)
	o := t.outpost(setting{store: filepath.Join(dir, "store")})
	o.more(50)
	filler := fillUp(t, dir)
	o.until("disconnected", 1)
	o.more(50)
	os.Remove(filler)
	o.until("reconnected", 1)
	o.more(50)
	o.settle()
	if n := len(o.told("gap")); n > 2 {
		t.Errorf("%d gaps are kept of one", n)
	}
}

// relayFull has the relay's disk full: senders are told so, and who listens
// goes on listening.
func relayFull(t *storm) {
	dir := smallDisk(t)
	o := t.outpost(setting{relayStore: filepath.Join(dir, "store")})
	o.more(50)
	filler := fillUp(t, dir)
	if !eventually(func() bool {
		return o.status() == http.StatusServiceUnavailable || o.status() == http.StatusInsufficientStorage
	}) {
		t.Errorf("a sender is told %d", o.status())
	}
	o.listener.kill()
	o.startListener() // which finds the relay as it is
	for range 20 {
		o.status()
	}
	if n := len(o.told("disconnected")); n > 0 {
		t.Errorf("it was disconnected %d times: %s", n, o.told("disconnected")[0].Link.Reason)
	}
	os.Remove(filler)
	o.more(50)
	o.settle()
}

// smallDisk is a file system of 300 MiB.
func smallDisk(t *storm) (dir string) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED, NOT PROVEN: mounting needs root")
	}
	dir = t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, NOT PROVEN: no tmpfs: %v: %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", "-l", dir).Run() })
	return dir
}

// fillUp leaves less room on a small disk than a store wants for new events.
func fillUp(t *storm, dir string) (filler string) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	filler = filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, int64(st.Bavail)*int64(st.Bsize)-36<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return filler
}
