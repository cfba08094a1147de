// Hooktape catches webhooks, shows them, forwards them and sends them again.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/tunnel"
	"code.hooktape.dev/hooktape/store"
)

func main() {
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// Exit codes, as --help lists them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitAssertion   = 3
	exitAuth        = 4
	exitUnreachable = 5
	exitInterrupted = 130
)

// run is the whole program but for the exit.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	interrupt, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, stopTerm := signal.NotifyContext(interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stopTerm()
	context.AfterFunc(ctx, func() { stop(); stopTerm() }) // a second signal ends the program at once
	e := &env{stdin: stdin, stdout: stdout, stderr: stderr, interrupted: func() bool {
		cause := context.Cause(interrupt) // a signal has a cause of its own, stop has not
		return cause != nil && cause != context.Canceled
	}}

	app := newApp(e)
	err := app.RunContext(ctx, arrange(app, args))
	if err == nil || errors.Is(err, errSilent) {
		return exitCode(err)
	}
	fmt.Fprintf(stderr, "hooktape: %s\n", safe.Line(err.Error()))
	if h := hint(err); h != "" {
		fmt.Fprintln(stderr, "  "+strings.ReplaceAll(h, "\n", "\n  "))
	}
	return exitCode(err)
}

// exitError gives an error an exit code of its own.
type exitError struct {
	code int
	error
}

func (e exitError) Unwrap() error { return e.error }

// errSilent is for failures that have been told already.
var errSilent = errors.New("told already")

func usage(format string, a ...any) error {
	return exitError{exitUsage, fmt.Errorf(format, a...)}
}

func exitCode(err error) int {
	var exit exitError
	var syntax *match.SyntaxError
	var field *capture.FieldError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.Is(err, api.ErrUnauthorized), errors.Is(err, tunnel.ErrUnauthorized):
		return exitAuth
	case errors.Is(err, tunnel.ErrUnreachable):
		return exitUnreachable
	case errors.As(err, &field), errors.As(err, &syntax), errors.Is(err, capture.ErrBadID), errors.Is(err, capture.ErrBadTarget):
		return exitUsage
	}
	return exitFailed
}

// hint says what to do next about an error.
func hint(err error) string {
	var syntax *match.SyntaxError
	var own hinted
	var there *capture.ConflictError
	switch {
	case errors.As(err, &own):
		return own.hint
	case errors.As(err, &syntax):
		return syntax.Caret()
	case errors.As(err, &there) && strings.HasPrefix(there.With, capture.EndpointID):
		return "See it with hooktape endpoints get " + there.With
	case errors.As(err, &there) && strings.HasPrefix(there.With, capture.RuleID):
		return "See it with hooktape rules get " + there.With
	case errors.As(err, &there) && strings.Contains(there.With, ":"):
		return "See it with hooktape types get " + there.With
	case errors.As(err, &there) && there.Field == "catalog":
		return "See it with hooktape catalogs get " + there.With
	case errors.As(err, &there) && there.With != "":
		return "See it with hooktape apps get " + there.With
	case errors.Is(err, tunnel.ErrUnreachable):
		return "hooktape doctor --relay URL finds out where it fails. What was caught before can be seen with hooktape events ls;\n" +
			"--relay off takes webhooks on this machine."
	case errors.Is(err, tunnel.ErrUnauthorized):
		return "Give a token that may listen, with --token or once with hooktape login:\n" +
			"hooktape tokens create NAME --scope listen makes one at the relay."
	case errors.Is(err, api.ErrUnauthorized):
		return "Give a token that may do this, with --token or once with hooktape login; hooktape tokens create NAME makes one."
	case errors.Is(err, capture.ErrDisabled):
		return "Let it go on with hooktape endpoints enable ID, or hooktape apps activate SLUG."
	case errors.Is(err, capture.ErrNoTarget):
		return "Name one with --to http://localhost:3000/hooks, or run: hooktape listen 3000"
	case errors.Is(err, capture.ErrSealed):
		return "hooktape events get ID --identity FILE shows what is in an event. hooktape apps update SLUG --seal-to off ends sealing, for what comes from then on."
	case errors.Is(err, capture.ErrPinned):
		return "Unpin it first: hooktape events unpin ID"
	case errors.Is(err, store.ErrLocked):
		return "Watch it with hooktape or hooktape events tail, stop it, or name another store with --store DIR."
	case errors.Is(err, store.ErrNewerFormat):
		return "Update hooktape, or name another store with --store DIR."
	case errors.Is(err, capture.ErrNotFound):
		return "hooktape events ls shows what is there."
	case errors.Is(err, errRunning):
		return "Follow it with hooktape events tail, or stop it first to listen anew."
	case errors.Is(err, syscall.EADDRINUSE):
		return "Another program has the port" + whoHas(err) + ". Stop it, or choose others with --ingest 127.0.0.1:0 --api 127.0.0.1:0"
	case errors.Is(err, os.ErrPermission):
		return "Choose a directory you may write to with --store DIR."
	}
	return ""
}

// whoHas says how to find the program that has the port of err.
func whoHas(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Addr == nil {
		return ""
	}
	_, port, err := net.SplitHostPort(op.Addr.String())
	if err != nil {
		return ""
	}
	return " (lsof -i :" + port + " names it)"
}

// env is the world outside: what commands read and write.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	interrupted    func() bool // by ^C; a script mode then exits with 130, while SIGTERM is the orderly end
}

// newApp lists the commands.
func newApp(e *env) *cli.App {
	app := &cli.App{
		Name:      "hooktape",
		Usage:     "catch, see, forward and replay webhooks",
		UsageText: "hooktape [command] [flags]",
		Description: "Without a command: the terminal interface on this machine's tape.\n" +
			"Flags may stand before or behind a command and its arguments.\n\n" +
			"Exit codes: 0 ok, 1 failed, 2 usage, 3 an assertion failed or a wait timed out,\n" +
			"4 not authorised, 5 cannot reach the relay, 130 interrupted.",
		Version:                   version(),
		HideHelpCommand:           true,
		EnableBashCompletion:      true,
		Suggest:                   true,
		DisableSliceFlagSeparator: true,
		Reader:                    e.stdin, Writer: e.stdout, ErrWriter: e.stderr,
		ExitErrHandler: func(*cli.Context, error) {}, // run has the last word
		Commands: []*cli.Command{
			listenCommand(e), relayCommand(e), recordCommand(e), eventsCommand(e), attemptsCommand(e), deliveriesCommand(e), replayCommand(e), triggerCommand(e), waitCommand(e),
			appsCommand(e), endpointsCommand(e), typesCommand(e), catalogsCommand(e), importCommand(e), rulesCommand(e), triggersCommand(e), tokensCommand(e), listenersCommand(e), statsCommand(e),
			loginCommand(e), logoutCommand(e), whoamiCommand(e), keygenCommand(e),
			doctorCommand(e), configCommand(e), completionCommand(e), versionCommand(e),
		},
	}
	top := topCommand(e)
	app.Flags, app.Action = top.Flags, top.Action
	finish(app)
	return app
}
