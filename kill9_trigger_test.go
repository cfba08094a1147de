//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// TestTriggeredIsKept_Kill9 kills the owner of the store while samples are
// fired at it. What trigger has said is made is there afterwards, once, and is
// delivered.
func TestTriggeredIsKept_Kill9(t *testing.T) {
	const lives = 3
	app := &moody{seen: map[string]int{}}
	srv := httptest.NewServer(app)
	defer srv.Close()
	dir := t.TempDir()
	env := append(os.Environ(), "GORACE=atexit_sleep_ms=0", "HOOKTAPE_STORE="+filepath.Join(dir, "store"), "HOOKTAPE_SECRET_GITHUB=hush")
	listen := listenAgain(t, dir, env, srv.URL, "--backoff", "50ms")

	said := map[capture.ID]bool{}
	for life := range lives {
		p, _ := listen(life)
		events := make(chan capture.ID) // closed when all triggers have ended
		var triggers sync.WaitGroup
		for _, rate := range []string{"", "200/s"} {
			triggers.Go(func() {
				trigger(t, env, events, "github:ping", "--count", "1000", "--rate", rate, "--timeout", "0s", "--json")
			})
		}
		go func() { triggers.Wait(); close(events) }()
		until, n := 30+rand.IntN(400), 0
		for id := range events {
			if said[id] {
				t.Errorf("%s was said twice", id)
			}
			if said[id], n = true, n+1; n == until {
				p.kill()
			}
		}
		if n < until {
			t.Fatalf("life %d: %d events were made, want %d", life, n, until)
		}
		p.kill()
	}

	p, ready := listen(lives)
	if !eventually(func() bool { return pending(t, ready.API) == 0 }) {
		t.Errorf("%d attempts still wait", pending(t, ready.API))
	}
	kept, own := map[capture.ID]bool{}, map[string]capture.ID{}
	for row := range lines[capture.Row](t, env, "events", "ls", "--json") {
		if twin := own[row.ProviderID]; twin != "" || kept[row.ID] {
			t.Errorf("%s is kept twice: %s", row.ID, twin)
		}
		kept[row.ID], own[row.ProviderID] = true, row.ID
		if row.Outcome.State != capture.OK || row.Signature.Verdict != capture.Valid {
			t.Errorf("%s: %+v, %+v", row.ID, row.Outcome, row.Signature)
		}
	}
	for id := range said {
		if !kept[id] {
			t.Errorf("%s was said to be made, and is missing", id)
		}
	}
	t.Logf("%d were said to be made, %d are kept", len(said), len(kept))
	p.Process.Signal(os.Interrupt)
	<-p.ended
	if report := command(t, env, "doctor", "--verify", "--ingest", "127.0.0.1:0", "--api", "127.0.0.1:0"); !strings.Contains(report, "all whole") {
		t.Error(report)
	}
}

// trigger fires samples until it ends, as it does when its owner is killed, and
// passes on the events that it says are made.
func trigger(t *testing.T, env []string, events chan<- capture.ID, args ...string) {
	cmd := exec.Command("hooktape", append([]string{"trigger"}, args...)...)
	cmd.Env = env
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Error(err)
		return
	}
	defer cmd.Wait() // with an error, mostly
	in := bufio.NewScanner(out)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var r capture.Record
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			t.Errorf("%v: %s", err, in.Text())
			return
		}
		if r.Event != nil {
			events <- r.Event.ID
		}
	}
}
