package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

func loginCommand(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "login", Usage: "keep the token of a relay, and listen there from now on", ArgsUsage: "URL",
		Description: "The token is --token, $HOOKTAPE_TOKEN, what is piped in, or asked for. It is tried, and kept in\n" +
			"credentials.json beside the user's config.yaml. At a relay whose token is kept already, none is\n" +
			"needed to make it the current one.",
		Flags: append(o.here(),
			&cli.StringFlag{Name: "token", Usage: "keep `TOKEN`; better pipe it in: others see what commands are given", Destination: &o.bearer}),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage("login: want one URL, that of a relay")
			}
			return logInTo(c.Context, e, &o, c.Args().First())
		},
	}
}

func logInTo(ctx context.Context, e *env, o *common, at string) error {
	relay, err := relayName(at)
	if err != nil {
		return err
	}
	kept, err := openCredentials()
	if err != nil {
		return err
	}
	token := o.bearer
	if token == "" {
		if token, err = askToken(ctx, e, relay); err != nil {
			return err
		}
	}
	if token = cmp.Or(token, kept.Relays[relay].Token); token == "" {
		return usage("login: want a token: --token TOKEN, $HOOKTAPE_TOKEN, or on standard input")
	}
	t, err := whoIs(ctx, relay, token)
	if err != nil {
		return err
	}
	kept.Current = relay
	kept.Relays[relay] = login{Token: token, ID: t.ID, App: t.App, Since: time.Now().UTC()}
	if err := kept.save(); err != nil {
		return err
	}
	if u, err := url.Parse(relay); err == nil && u.Scheme == "http" && !onThisMachine(u) {
		fmt.Fprintln(e.stderr, "The token travels in the clear to that address: use https beyond a network of your own.")
	}
	fmt.Fprintln(e.stderr, "From now on listen and record take webhooks there; with --relay off they take them here.")
	return showCaller(e, o, relay, &t)
}

// onThisMachine reports whether a URL leads to loopback.
func onThisMachine(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// askToken reads a token: unseen from a terminal, else the first line of what
// is piped in.
func askToken(ctx context.Context, e *env, relay string) (string, error) {
	if f, ok := e.stdin.(*os.File); ok && terminal(f) {
		fmt.Fprintf(e.stderr, "Token for %s (it is not shown): ", relay)
		defer fmt.Fprintln(e.stderr)
		return readHidden(ctx, f.Fd())
	}
	line, err := bufio.NewReader(io.LimitReader(e.stdin, 4<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("token on standard input: %w", err)
	}
	return strings.TrimSpace(line), nil
}

// readHidden reads a line from a terminal that does not show it. ^C leaves the
// terminal as it was, and the read to the end of the program: nothing else
// ends one.
func readHidden(ctx context.Context, fd uintptr) (string, error) {
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	type line struct {
		text []byte
		err  error
	}
	read := make(chan line, 1)
	go func() {
		b, err := term.ReadPassword(fd)
		read <- line{b, err}
	}()
	select {
	case l := <-read:
		return strings.TrimSpace(string(l.text)), l.err
	case <-ctx.Done():
		return "", errors.Join(errInterrupted, term.Restore(fd, before))
	}
}

// whoIs asks a relay whose a token is.
func whoIs(ctx context.Context, relay, token string) (t capture.Token, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*stepTime)
	defer cancel()
	c := api.DialURL(relay, token)
	defer c.Close()
	t, err = c.WhoAmI(ctx)
	switch down := new(url.Error); {
	case errors.As(err, &down):
		return t, exitError{exitUnreachable, hinted{fmt.Errorf("cannot reach %s: %w", relay, down.Err), "hooktape doctor --relay " + relay + " finds out where it fails."}}
	case err != nil && !errors.Is(err, api.ErrUnauthorized):
		return t, hinted{fmt.Errorf("%s is no hooktape that one can log in to: %w", relay, err), "Is that its address? hooktape doctor --relay " + relay + " looks closer."}
	case err != nil:
		return t, fmt.Errorf("%s: %w", relay, err)
	}
	return t, nil
}

func logoutCommand(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "logout", Usage: "forget the token of a relay: the current one's, or the one at URL", ArgsUsage: "[URL]", Flags: o.here(),
		Action: func(c *cli.Context) error {
			kept, err := openCredentials()
			if err != nil {
				return err
			}
			relay := kept.Current
			if c.NArg() > 0 {
				if relay, err = relayName(c.Args().First()); err != nil {
					return err
				}
			}
			was, ok := kept.Relays[relay]
			if !ok {
				return notLoggedIn(kept, relay)
			}
			delete(kept.Relays, relay)
			if kept.Current == relay {
				kept.Current = ""
			}
			if err := kept.save(); err != nil {
				return err
			}
			fmt.Fprintf(e.stderr, "logged out of %s\n", relay)
			if was.ID != "" {
				fmt.Fprintf(e.stderr, "  The token still counts; to end it: hooktape tokens revoke %s --relay %s --token …\n", was.ID, relay)
			}
			return nil
		},
	}
}

func notLoggedIn(kept *credentials, relay string) error {
	err := errors.New("not logged in")
	if relay != "" {
		err = fmt.Errorf("not logged in to %s", relay)
	}
	if all := kept.urls(); len(all) > 0 {
		return hinted{err, "There is a token for " + strings.Join(all, ", ") + ": hooktape login URL makes one of these the current relay."}
	}
	return hinted{err, "Log in with hooktape login https://hooks.example"}
}

func whoamiCommand(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name: "whoami", Usage: "show the current relay, or the one at --relay, and what its token may do", Flags: o.flags(),
		Action: func(c *cli.Context) error {
			kept, err := openCredentials()
			if err != nil {
				return err
			}
			relay := kept.Current
			if o.far() {
				if relay, err = relayName(o.relay); err != nil {
					return err
				}
			}
			token := cmp.Or(o.bearer, kept.Relays[relay].Token)
			if relay == "" || token == "" {
				return notLoggedIn(kept, relay)
			}
			t, err := whoIs(c.Context, relay, token)
			if err != nil {
				return err
			}
			return showCaller(e, &o, relay, &t)
		},
	}
}

// showCaller says whose token is used at a relay.
func showCaller(e *env, o *common, relay string, t *capture.Token) error {
	type shown struct {
		Relay string `json:"relay"`
		*capture.Token
	}
	return show(e, o, shown{relay, t}, func(w io.Writer) { fmt.Fprintf(w, "%s as %s\n", relay, tokenText(t)) })
}
