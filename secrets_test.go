//go:build unix

package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecretsAreNeverPrinted looks for the secrets of the environment, of a
// file, of an app and of a command line in all that commands write, the log of
// the process that knows them and the API.
func TestSecretsAreNeverPrinted(t *testing.T) {
	const canary = "canary"
	dir := t.TempDir()
	app, err := startApp(filepath.Join(dir, "app"), []string{"200", "500"})
	if err == nil {
		err = app.up()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer app.close()
	put(t, filepath.Join(dir, "hooktape.yaml"), "secrets: {stripe: whsec_canary, stripe/test: whsec_canary2, linear: file:beside}\nrules: [{name: r, match: 'path:/mock', mock: {body: '{{event.id}}'}}]\n")
	put(t, filepath.Join(dir, "beside"), "lin_wh_canary\n")
	env := append(environ(dir), "HOOKTAPE_STORE="+filepath.Join(dir, "store"), "HOOKTAPE_INGEST=127.0.0.1:0", "HOOKTAPE_SECRET_GITHUB=canary-of-the-environment", "HOOKTAPE_SECRET_ZOOM=canary-zoom")
	run := func(line string, args ...string) string {
		t.Helper()
		args = append(strings.Fields(line), args...)
		cmd := exec.Command("hooktape", args...)
		var out bytes.Buffer
		cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = env, dir, &out, &out
		cmd.Run() // whatever it ends with
		if strings.Contains(out.String(), canary) {
			t.Errorf("hooktape %s: %s", line, &out)
		}
		if out.Len() == 0 || strings.Contains(out.String(), "did you mean") || strings.Contains(out.String(), "flag provided but not defined") {
			t.Errorf("hooktape %s says %q", line, &out)
		}
		return out.String()
	}

	p, err := begin(dir, "listen", env, "listen", app.url, "--json", "--log-level", "debug", "--backoff", "50ms")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	ready, err := p.ready()
	if err != nil {
		t.Fatal(err)
	}
	run("apps create shop --secret slack=canary-slack --secret", "github/old=canary-old", "--challenge-secret", "zoom=canary-challenge", "--challenges", "on")
	run("apps update shop --secret linear=lin_wh_canary3")
	run("apps update shop --secret", "adyen=canary, which is not hex")
	for _, tag := range []string{"github:push", "stripe:invoice.paid", "linear:Issue.create"} {
		run("trigger --json --seed 1 " + tag)
		run("trigger --json --seed 1 --forged --app shop " + tag)
		run("trigger --dry-run --json " + tag)
		run("trigger --dry-run " + tag)
	}
	run("trigger --secret canary-of-the-line --json github:push")
	run("trigger --no-store --count 3 --to "+app.url+" github:push --secret", "canary-of-the-line")
	run("trigger --secret", "canary, which is not hex", "adyen:AUTHORISATION")
	zoom := `{"event":"endpoint.url_validation","payload":{"plainToken":"q"}}`
	if _, err := send(strings.TrimPrefix(ready.Ingest, "http://"), request("POST /in/shop/x HTTP/1.1\nHost: x\nContent-Type: application/json\n\n"+zoom)); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"apps ls", "apps get shop", "config", "config -", "doctor", "rules ls", "types ls", "types get github:push", "events ls", "attempts ls", "endpoints ls",
		"stats", "events get last", "events get last --body", "events verify last", "events verify last --secret canary-given", "replay last", "replay last --as new", "rules explain last",
		"version", "completion bash", "apps update shop --secret slack=", "apps get nobody", "trigger nothing:at.all"} {
		run(line)
		if !strings.Contains(line, "--body") && !strings.HasPrefix(line, "completion") {
			run(line + " --json")
		}
	}
	for _, path := range []string{"/api/v1/apps", "/api/v1/apps/shop", "/api/v1/events", "/api/v1/attempts", "/api/v1/status", "/api/v1/rules", "/api/v1/types", "/metrics", "/version", "/openapi.json"} {
		res, err := http.Get(ready.API + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || bytes.Contains(body, []byte(canary)) {
			t.Errorf("%s: %v: %s", path, err, body)
		}
	}
	put(t, filepath.Join(dir, "hooktape.yaml"), "secrets: whsec_canary\nrules: [{match: '('}]\n")
	if !eventually(func() bool { return strings.Contains(p.diagnostics(), "cannot be used") }) {
		t.Error("the file was not read again")
	}
	run("events ls --last 1")
	p.Process.Signal(os.Interrupt)
	<-p.ended
	run("events ls") // nobody runs: it reads the file itself, with its mistake
	for _, file := range []string{"listen.out", "listen.err"} {
		if text, err := os.ReadFile(filepath.Join(dir, file)); err != nil || bytes.Contains(text, []byte(canary)) {
			t.Errorf("%s: %v: %s", file, err, text)
		}
	}
}
