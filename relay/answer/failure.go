package answer

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

type errTLS struct{ error }

func (e errTLS) Unwrap() error { return e.error }

type errProtocol struct{ error }

func (e errProtocol) Unwrap() error { return e.error }

// failure names what went wrong, and what to do where that is known.
func failure(err error, timeout time.Duration) *capture.Failure {
	var none errNoAnswer
	if errors.As(err, &none) {
		err = none.error
	}
	var (
		dns      *net.DNSError
		secure   errTLS
		protocol errProtocol
	)
	switch {
	case isTimeout(err):
		return &capture.Failure{Class: capture.FailTimeout, Message: "no answer within " + timeout.String()}
	case errors.As(err, &dns):
		return &capture.Failure{Class: capture.FailDNS, Message: dns.Error()}
	case errors.As(err, &secure):
		return &capture.Failure{Class: capture.FailTLS, Message: err.Error() + " (--insecure accepts any certificate)"}
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
