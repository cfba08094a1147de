package rules

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// Deliverer makes attempts to deliver events, as the senders of a dispatcher
// do.
type Deliverer interface {
	Send(ctx context.Context, e *capture.Event, body []byte, a *capture.Attempt)
	Reachable(context.Context) error
	Close()
}

// Sender is a Deliverer in whose place rules answer.
type Sender struct {
	Deliverer
	Rules *Set
	// Timeout is how long an answer is waited for, the Deliverer's part
	// included; 0: 60 s.
	Timeout time.Duration
}

// Send makes an attempt, as Deliverer does. Where a rule applies, the attempt
// names it, and says that it was answered as the rule has it; one that failed
// says in its error which rule it was. What was not sent has no request.
func (s *Sender) Send(ctx context.Context, e *capture.Event, body []byte, a *capture.Attempt) {
	act, ok := s.Rules.Delivery(e, body, a.Number)
	if !ok {
		a.Rule = ""
		s.Deliverer.Send(ctx, e, body, a)
		return
	}
	a.Rule, a.Started = act.Rule, time.Now().UTC()
	if act.Send {
		s.Deliverer.Send(ctx, e, body, a)
	}
	timeout := cmp.Or(s.Timeout, 60*time.Second)
	ctx, cancel := context.WithDeadline(ctx, a.Started.Add(timeout))
	defer cancel()
	inTime := wait(ctx, act.Delay)
	act.finish(a, inTime)
	a.Duration = capture.Duration(time.Since(a.Started))
}

// finish fills in what became of an attempt that waited for the act, to its
// end or not.
func (a *Act) finish(to *capture.Attempt, inTime bool) {
	switch {
	case !inTime || a.Fault == capture.FaultTimeout:
		waited := time.Since(to.Started).Round(time.Millisecond)
		a.broken(to, capture.FailTimeout, fmt.Sprintf("no answer within %s", waited))
	case a.Fault == capture.FaultReset:
		a.broken(to, capture.FailReset, "the connection was reset")
	case a.Fault == capture.FaultEmpty:
		a.broken(to, capture.FailReset, "the connection was closed before any answer")
	case a.Fault == capture.FaultMalformed:
		a.broken(to, capture.FailProtocol, "the answer was no HTTP")
	case a.Fault == capture.FaultLength:
		a.cut(to)
	case a.Fault == capture.FaultDrip && a.Send: // it was only slow
	default:
		a.answered(to)
	}
}

// broken is an attempt without an answer.
func (a *Act) broken(to *capture.Attempt, class, message string) {
	message = a.inPlace(to, message)
	to.Status, to.Code, to.Response = capture.AttemptFailed, 0, nil
	to.Error = &capture.Failure{Class: class, Message: message}
}

// cut is an attempt whose answer ended early: the app's, where there was one.
func (a *Act) cut(to *capture.Attempt) {
	message := a.inPlace(to, "the answer ended before its announced length")
	if to.Response == nil {
		to.Response = a.response()
	}
	res := *to.Response
	res.Body, res.Rest, res.Truncated = res.Body[:len(res.Body)/2], nil, true
	to.Status, to.Code, to.Response = capture.AttemptFailed, res.Status, &res
	to.Error = &capture.Failure{Class: capture.FailReset, Message: message}
}

// answered is an attempt that was answered by the rule.
func (a *Act) answered(to *capture.Attempt) {
	message := a.inPlace(to, fmt.Sprintf("answered %d", a.Status))
	to.Code, to.Response, to.Status, to.Error = a.Status, a.response(), capture.AttemptSucceeded, nil
	if a.Status/100 != 2 {
		to.Status, to.Error = capture.AttemptFailed, &capture.Failure{Class: capture.FailStatus, Message: message}
	}
}

func (a *Act) response() *capture.Response {
	return &capture.Response{Status: a.Status, Proto: "HTTP/1.1", Headers: a.Headers, Body: a.Body}
}

// inPlace is a message that says which rule it is of, and what it stands in
// place of.
func (a *Act) inPlace(of *capture.Attempt, message string) string {
	message = "rule " + a.Name + ": " + message
	switch {
	case !a.Send:
	case of.Code != 0:
		message += fmt.Sprintf(", in place of the app's %d", of.Code)
	case of.Error != nil:
		message += ", in place of: " + of.Error.Message
	}
	return message
}
