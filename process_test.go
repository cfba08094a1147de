//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// patience is how long a test waits for what must come. Nothing waits for
// this long when all is well.
const patience = 30 * time.Second

// eventually polls until is does.
func eventually(is func() bool) bool {
	for deadline := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// process is a hooktape in the background. What it writes is in files named
// after it: .out, .err and .ready.
type process struct {
	*exec.Cmd
	files string        // their path but for the extension
	ended chan struct{} // closed once it has been waited for
}

// begin starts hooktape args in dir.
func begin(dir, name string, env []string, args ...string) (*process, error) {
	p := &process{exec.Command("hooktape", args...), filepath.Join(dir, name), make(chan struct{})}
	if err := os.Remove(p.files + ".ready"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	out, err := os.Create(p.files + ".out")
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own
	diagnostics, err := os.Create(p.files + ".err")
	if err != nil {
		return nil, err
	}
	defer diagnostics.Close()
	p.Dir, p.Stdout, p.Stderr = dir, out, diagnostics
	p.Env = append(env, "HOOKTAPE_READY_FILE="+p.files+".ready")
	if err := p.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.Wait() // how it went is in p.ProcessState
		close(p.ended)
	}()
	return p, nil
}

// ready waits for the process to say that it is.
func (p *process) ready() (capture.Ready, error) {
	var r capture.Record
	var err error
	if !eventually(func() bool {
		line, noFile := os.ReadFile(p.files + ".ready")
		if noFile != nil { // commands that catch nothing say it on stdout
			line, _ = os.ReadFile(p.files + ".out")
			line, _, _ = bytes.Cut(line, []byte("\n"))
		}
		if json.Unmarshal(line, &r) == nil && r.Type == "ready" && r.Ready != nil {
			return true
		}
		select {
		case <-p.ended:
			err = fmt.Errorf("ended with %v: %s", p.ProcessState, p.diagnostics())
		default:
		}
		return err != nil
	}) {
		err = fmt.Errorf("not ready: %s", p.diagnostics())
	}
	if err != nil {
		return capture.Ready{}, err
	}
	return *r.Ready, nil
}

func (p *process) diagnostics() string {
	b, _ := os.ReadFile(p.files + ".err")
	return string(b)
}

// kill ends the process the hard way, if it has not ended.
func (p *process) kill() {
	p.Process.Kill()
	<-p.ended
}
