package answer

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

type errTLS struct{ error }

func (e errTLS) Unwrap() error { return e.error }

type errProtocol struct{ error }

func (e errProtocol) Unwrap() error { return e.error }

type errBlocked struct{ error }

func (e errBlocked) Unwrap() error { return e.error }

// finish fills in what became of an attempt whose good answers are those.
func finish(a *capture.Attempt, res *capture.Response, err error, timeout time.Duration, good func(status int) bool) {
	a.Duration, a.Response = capture.Duration(time.Since(a.Started)), res
	if res != nil {
		a.Code = res.Status
	}
	if err == nil && good(res.Status) {
		a.Status = capture.AttemptSucceeded
		return
	}
	a.Status = capture.AttemptFailed
	if err != nil {
		a.Error = failure(err, timeout)
		return
	}
	a.Error = &capture.Failure{Class: capture.FailStatus, Message: "answered " + strconv.Itoa(res.Status)}
	if redirects(res) {
		a.Error.Message += ", and redirects are not followed"
	}
}

func is2xx(status int) bool { return status/100 == 2 }

// failure names what went wrong, and what to do where that is known.
func failure(err error, timeout time.Duration) *capture.Failure {
	var none errNoAnswer
	if errors.As(err, &none) {
		err = none.error
	}
	var (
		blocked  errBlocked
		dns      *net.DNSError
		secure   errTLS
		protocol errProtocol
	)
	switch {
	case errors.As(err, &blocked):
		return &capture.Failure{Class: capture.FailBlocked, Message: err.Error()}
	case isTimeout(err):
		return &capture.Failure{Class: capture.FailTimeout, Message: "no answer within " + timeout.String()}
	case errors.As(err, &dns):
		return &capture.Failure{Class: capture.FailDNS, Message: dns.Error()}
	case errors.As(err, &secure):
		return &capture.Failure{Class: capture.FailTLS, Message: err.Error()}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &capture.Failure{Class: capture.FailRefused, Message: "nothing listens there: " + err.Error()}
	case errors.Is(err, os.ErrNotExist):
		return &capture.Failure{Class: capture.FailRefused, Message: "no such socket: " + err.Error()}
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return &capture.Failure{Class: capture.FailOffline, Message: err.Error()}
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &capture.Failure{Class: capture.FailReset, Message: "connection closed before the answer was whole: " + err.Error()}
	case errors.As(err, &protocol), errors.Is(err, errUnsendable):
		return &capture.Failure{Class: capture.FailProtocol, Message: err.Error()}
	}
	return &capture.Failure{Class: capture.FailProtocol, Message: err.Error()}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.As(err, &t) && t.Timeout()
}
