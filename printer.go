package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// printer writes records: as NDJSON, or as lines a person reads. Not for
// concurrent use.
type printer struct {
	w     io.Writer
	json  bool
	color bool
}

func newPrinter(e *env, o *common) *printer {
	return &printer{w: e.stdout, json: o.json, color: o.colored(e.stdout)}
}

func (p *printer) print(r capture.Record) error {
	if p.json {
		return json.NewEncoder(p.w).Encode(r)
	}
	at := r.Time.Local().Format(time.TimeOnly)
	switch {
	case r.Event != nil:
		return p.line(at, p.event(r.Event))
	case r.Attempt != nil:
		return p.line(at, p.attempt(r.Attempt))
	case r.Gap != nil:
		return p.line(at, p.paint(yellow, "··· "+r.Gap.String()))
	case r.Link != nil:
		return p.line(at, p.link(r.Type, r.Link))
	case r.Error != nil:
		return p.line(at, "error: "+safe.Line(r.Error.Message))
	}
	return nil
}

func (p *printer) line(at, text string) error {
	_, err := fmt.Fprintf(p.w, "%s %s\n", at, text)
	return err
}

func (p *printer) event(e *capture.Event) string {
	what := safe.Line(e.Type)
	if what == "" {
		what = closed(e)
	}
	if what == "" {
		what = safe.Line(e.Method + " " + string(e.Target))
	}
	if e.Refused != nil {
		return p.paint(red, fmt.Sprintf("-x- %s refused with %s [%s]", what, e.Refused, e.ID))
	}
	return fmt.Sprintf("--> %s [%s]", what, e.ID)
}

func (p *printer) attempt(a *capture.Attempt) string {
	result, tail, paint := strconv.Itoa(a.Code), "", green
	if a.Status != capture.AttemptSucceeded {
		paint = red
		if a.Code == 0 && a.Error != nil {
			result, tail = a.Error.Class, " "+safe.Line(a.Error.Message)
		}
		if a.Code/100 == 4 {
			paint = yellow
		}
	}
	if a.Rule != "" && a.Error != nil {
		tail = " " + safe.Line(a.Error.Message)
	} else if a.Rule != "" {
		tail = " rule " + string(a.Rule)
	}
	to := strings.TrimSpace(a.Method + " " + a.URL) // what a rule has answered has no method
	return fmt.Sprintf("<-- %s %s %dms [%s]%s", p.paint(paint, "["+result+"]"), safe.Line(to), time.Duration(a.Duration).Milliseconds(), a.Event, tail)
}

// link says what has become of the connection to the relay.
func (p *printer) link(kind string, l *capture.Link) string {
	switch kind {
	case "disconnected":
		return p.paint(red, "-x- relay: "+safe.Line(l.Reason)+"; connecting again")
	case "reconnected":
		return p.paint(green, fmt.Sprintf("-o- relay: connected again, round trip %s, %d missed", l.RTT.Short(), l.Missed))
	}
	return p.paint(yellow, "-i- relay: "+safe.Line(l.Notice))
}

const red, green, yellow = "31", "32", "33"

func (p *printer) paint(color, s string) string {
	if !p.color {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}
