package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/answer"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/tunnel"
	"code.hooktape.dev/hooktape/store"
)

func doctorCommand(e *env) *cli.Command {
	var o catching
	var verify bool
	var idle spanFlag
	return &cli.Command{
		Name: "doctor", Usage: "check ports, data directory, targets and the way to a relay", ArgsUsage: "[TARGET…]",
		Flags: append(o.flags(),
			&cli.GenericFlag{Name: "idle", Usage: "leave the connection to the relay silent for `TIME`, to see whether something cuts it; 30s or 60s tell most", DefaultText: "not tried", Value: &idle},
			&cli.BoolFlag{Name: "verify", Usage: "read every event and check its body", Destination: &verify}),
		Action: func(c *cli.Context) error {
			if time.Duration(idle) > tunnel.MostSilence {
				return usage("--idle %s: want %s at most", &idle, tunnel.MostSilence)
			}
			d := &doctor{env: e, json: o.json}
			d.check(c.Context, &o, verify, c.Args().Slice())
			if o.far() {
				d.relay(c.Context, o.relay, &checkup{token: o.token, beat: time.Duration(o.beat), idle: time.Duration(idle), proxy: http.ProxyFromEnvironment})
			}
			if d.code != exitOK {
				return exitError{d.code, errSilent}
			}
			return nil
		},
	}
}

// doctor tells what it found, a line a check.
type doctor struct {
	env  *env
	json bool
	code int // to exit with
}

// finding is what came of a check.
type finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	Found string `json:"found"`
	Hint  string `json:"hint,omitempty"`
}

// tell tells what is well, or what is wrong and what to do about it.
func (d *doctor) tell(check string, err error, found string) {
	if err == nil {
		d.write("ok  ", finding{check, true, found, ""})
		return
	}
	// That a relay is not reached, or lets nobody in, says more than that
	// something is wrong.
	switch code := exitCode(err); {
	case code == exitAuth, code == exitUnreachable, code == exitUsage && check == "relay":
		d.code = code
	case d.code == exitOK:
		d.code = exitFailed
	}
	d.write("FAIL", finding{check, false, err.Error(), hint(err)})
}

// note tells what is strange, and no mistake.
func (d *doctor) note(check, found, hint string) { d.write("note", finding{check, true, found, hint}) }

func (d *doctor) write(mark string, f finding) {
	if d.json {
		if b, err := json.Marshal(f); err == nil {
			fmt.Fprintln(d.env.stdout, string(b))
		}
		return
	}
	fmt.Fprintf(d.env.stdout, "%s  %-8s %s\n", mark, f.Check, safe.Line(f.Found))
	if f.Hint != "" {
		fmt.Fprintf(d.env.stdout, "      %-8s %s\n", "", f.Hint)
	}
}

func (d *doctor) check(ctx context.Context, o *catching, verify bool, targets []string) {
	dir, err := o.dir()
	if err != nil {
		d.tell("store", err, "")
		return
	}
	c := api.Dial(socketPath(dir))
	defer c.Close()
	if s, err := c.Status(ctx); err == nil {
		d.tell("store", nil, fmt.Sprintf("%s, %d events, %d attempts pending; owned by the hooktape (%s) that takes webhooks at %s", dir, s.Events, s.Pending, s.Version, or(s.Ingest, "no address")))
		targets = append(s.Targets, targets...)
	} else {
		d.openStore(ctx, dir, verify)
		if !o.far() || o.ingest != localIngest {
			d.port("ingest", o.ingest)
		}
		d.port("api", o.apiAddr)
	}
	for _, t := range targets {
		d.target(ctx, t)
	}
}

func (d *doctor) openStore(ctx context.Context, dir string, verify bool) {
	if !exists(dir) {
		d.tell("store", nil, dir+" is not there yet; the first listen makes it")
		return
	}
	s, err := store.Open(dir, store.Options{})
	if err != nil {
		d.tell("store", err, "")
		return
	}
	counts, err := s.Counts(ctx)
	d.tell("store", err, fmt.Sprintf("%s, %d events, %d attempts pending", dir, counts.Events, counts.Pending))
	if verify {
		damaged := 0
		err := s.Check(ctx, func(id capture.ID, err error) {
			damaged++
			d.tell("event", err, string(id))
		})
		if err == nil && damaged > 0 {
			err = fmt.Errorf("%d of %d events are damaged; the others are whole", damaged, counts.Events)
		}
		d.tell("bodies", err, "all whole")
	}
	if err := s.Close(); err != nil {
		d.tell("store", err, "")
	}
}

func (d *doctor) port(flag, addr string) {
	l, err := listen(flag, addr)
	if err == nil {
		err = l.Close()
	}
	d.tell(flag, err, addr+" is free")
}

func (d *doctor) target(ctx context.Context, arg string) {
	t, err := answer.ParseTarget(arg)
	if err != nil {
		d.tell("target", err, "")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := (&answer.Forward{Target: t}).Reachable(ctx); err != nil {
		var dns *net.DNSError
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			err = fmt.Errorf("%s: nothing listens there: start your app", t)
		case errors.As(err, &dns) && os.Getenv("container") != "":
			err = fmt.Errorf("%s: %w (from a container, the host is host.docker.internal)", t, err)
		default:
			err = fmt.Errorf("%s: %w", t, err)
		}
		d.tell("target", err, "")
		return
	}
	d.tell("target", nil, t.String()+" takes connections")
}
