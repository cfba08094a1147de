//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// outpost is a relay, a bad network and a listener behind it with its app:
// real processes of the real binary. Senders send to the relay meanwhile, and
// all that they were told, and all that comes of it, is written down.
type outpost struct {
	*storm
	dir      string
	env      []string
	beat     string // of the listener; the relay's is relayBeat
	link     *chaos
	relay    *process
	listener *process
	token    string // that manages the relay,
	pass     string // and that the listener comes with
	home     string // store of the relay
	lives    int

	ledger *ledger
	app    *httptest.Server

	mu     sync.Mutex // guards the fields below
	ingest string     // where senders send to; "": nowhere, for now
	api    string     // the relay's
}

// setting is what an outpost is made with.
type setting struct {
	beat, relayBeat string // "": 500ms
	store           string // of the listener; "": in the test's directory
	relayStore      string
	quiet           bool // nobody sends
}

// storm is one kind of bad weather: a test that writes a line into the table.
type storm struct {
	*testing.T
	losses io.Writer
}

// environ is that of processes whose home is dir.
func environ(dir string) []string {
	return append(os.Environ(), "GORACE=atexit_sleep_ms=0", "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir,
		"XDG_STATE_HOME="+dir, "XDG_CACHE_HOME="+dir, "HOOKTAPE_API=127.0.0.1:0", "NO_PROXY=*")
}

// outpost starts all of it, and 16 senders of webhooks of 8 KiB.
func (t *storm) outpost(s setting) *outpost {
	o := &outpost{storm: t, dir: t.TempDir(), beat: or(s.beat, "500ms"), ledger: newLedger()}
	o.env = append(environ(o.dir), "HOOKTAPE_STORE="+or(s.store, filepath.Join(o.dir, "listener")))
	o.home = or(s.relayStore, filepath.Join(o.dir, "relay"))
	o.app = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			o.ledger.arrive(capture.ID(r.Header.Get("Hooktape-Event-Id")), body)
		}
		time.Sleep(time.Millisecond) // it is none of the fastest
	}))
	t.Cleanup(o.app.Close)
	o.startRelay("--heartbeat", or(s.relayBeat, "500ms"))
	o.startListener()
	if !s.quiet {
		o.send()
	}
	return o
}

func (o *outpost) begin(name string, env []string, args ...string) (*process, capture.Ready) {
	o.Helper()
	o.lives++
	name = fmt.Sprint(name, o.lives)
	p, err := begin(o.dir, name, env, args...)
	if err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() {
		p.kill()
		if strings.Contains(p.diagnostics(), "DATA RACE") || strings.Contains(p.diagnostics(), "panic") {
			o.Error(p.diagnostics())
		}
		if o.Failed() {
			o.Logf("%s: %s", name, p.diagnostics())
		}
	})
	ready, err := p.ready()
	if err != nil {
		o.Fatal(err)
	}
	return p, ready
}

// startRelay starts the relay on whatever port is free, behind the same link.
func (o *outpost) startRelay(args ...string) {
	o.Helper()
	env := append(o.env, "HOOKTAPE_STORE="+o.home)
	if len(args) == 0 {
		args = []string{"--heartbeat", "500ms"}
	}
	p, ready := o.begin("relay", env, append([]string{"relay", "--listen", "127.0.0.1:0", "--json", "--log-level", "debug"}, args...)...)
	to := strings.TrimPrefix(ready.API, "http://")
	if o.link == nil {
		o.link, o.token, o.pass = newChaos(o.T, to, 1), ready.Token, ready.Token
	}
	o.link.set(func(a *air) { a.to = to })
	o.relay = p
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ingest, o.api = ready.Ingest, ready.API
}

func (o *outpost) startListener() {
	o.Helper()
	o.listener, _ = o.begin("listener", o.env, "listen", o.app.URL, "--relay", o.link.url(), "--token", o.pass, "--json",
		"--heartbeat", o.beat, "--backoff", "50ms", "--log-level", "debug")
}

// address is where webhooks are sent to now, and where the relay is managed.
func (o *outpost) address() (ingest, api string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ingest, o.api
}

// send has 16 senders send until the ledger is closed to them.
func (o *outpost) send() {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 10 * time.Second}
	var wg sync.WaitGroup
	for sender := range 16 {
		wg.Go(func() {
			tick := time.NewTicker(40 * time.Millisecond)
			defer tick.Stop()
			for n := 0; ; n++ {
				select {
				case <-tick.C:
				case <-o.ledger.closed:
					return
				}
				to, _ := o.address()
				o.post(client, to, sender, n, 8<<10)
			}
		})
	}
	o.Cleanup(func() {
		o.ledger.close()
		wg.Wait()
		client.CloseIdleConnections()
	})
}

// post sends one webhook, and writes down whether it was acknowledged.
func (o *outpost) post(client *http.Client, to string, sender, n, size int) {
	body := o.ledger.write(sender, n, size)
	res, err := client.Post(to+"/load", "text/plain", bytes.NewReader(body))
	if err != nil {
		return
	}
	defer res.Body.Close()
	var answer struct{ ID capture.ID }
	if err := json.NewDecoder(res.Body).Decode(&answer); err == nil && res.StatusCode/100 == 2 {
		o.ledger.acknowledge(answer.ID, sender, n)
	}
}

// status is what a sender is answered now.
func (o *outpost) status() int {
	o.Helper()
	to, _ := o.address()
	res, err := http.Post(to+"/status", "text/plain", nil)
	if err != nil {
		o.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// more waits until so many more webhooks were acknowledged.
func (o *outpost) more(n int) {
	o.Helper()
	_, before := o.ledger.count()
	if !eventually(func() bool { _, now := o.ledger.count(); return now >= before+n }) {
		o.Fatalf("senders are not answered any more")
	}
}

// told are the records of a type that listeners have written.
func (o *outpost) told(kind string) (told []capture.Record) {
	files, _ := filepath.Glob(filepath.Join(o.dir, "listener*.out"))
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			o.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			var r capture.Record
			if strings.Contains(line, `"type":"`+kind+`"`) && json.Unmarshal([]byte(line), &r) == nil {
				told = append(told, r)
			}
		}
	}
	return told
}

// until waits until listeners have written n records of a type in all, and
// returns how long that took.
func (o *outpost) until(kind string, n int) time.Duration {
	o.Helper()
	began := time.Now()
	if !eventually(func() bool { return len(o.told(kind)) >= n }) {
		o.Fatalf("there are %d records of %s, want %d", len(o.told(kind)), kind, n)
	}
	return time.Since(began)
}

// connected reports whether the relay says that a listener is.
func (o *outpost) connected() bool {
	var rows struct{ Data []capture.ListenerRow }
	_, api := o.address()
	if err := json.Unmarshal([]byte(o.manage("GET", api+"/api/v1/listeners", "")), &rows); err != nil {
		o.Fatal(err)
	}
	return len(rows.Data) > 0 && rows.Data[0].Connected
}

// manage asks the relay.
func (o *outpost) manage(method, url, body string) string {
	o.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		o.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		o.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		o.Fatalf("%s: %s, %v: %s", url, res.Status, err, answer)
	}
	return string(answer)
}

// settle has the senders stop, waits until all has come, and holds what came
// against what was promised.
func (o *outpost) settle() {
	o.Helper()
	o.ledger.close()
	eventually(func() bool { return o.ledger.lost() == 0 })
	relayed := o.kept(append(o.env, "HOOKTAPE_STORE="+o.home))
	var here []capture.Row
	eventually(func() bool {
		here = o.kept(o.env)
		return len(here) >= len(relayed) && !pendingAny(here)
	})
	loss := o.ledger.check(o.T, relayed, here)
	o.Logf("\n%s\n%s; %d gaps, %d disconnected, %d reconnected", lossesHead, loss, len(o.told("gap")), len(o.told("disconnected")), len(o.told("reconnected")))
	_, name, _ := strings.Cut(o.Name(), "/")
	fmt.Fprintf(o.losses, "%s  %s\n", loss, name)
}

func (o *outpost) kept(env []string) (rows []capture.Row) {
	for row := range lines[capture.Row](o.T, env, "events", "ls", "--json") {
		rows = append(rows, row)
	}
	return rows
}

func pendingAny(rows []capture.Row) bool {
	for _, r := range rows {
		if r.Outcome.State == capture.Pending {
			return true
		}
	}
	return false
}

// terminate ends a process in good order.
func (o *outpost) terminate(p *process) {
	o.Helper()
	p.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		o.Fatalf("it does not end: %s", p.diagnostics())
	}
}
