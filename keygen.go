package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/seal"
	"code.hooktape.dev/hooktape/capture/sign"
)

func keygenCommand(e *env) *cli.Command {
	var o common
	var file string
	return &cli.Command{
		Name: "keygen", Usage: "make the key that opens sealed webhooks, or a secret that signs like a provider's", ArgsUsage: "[SCHEME]",
		Description: "Without a SCHEME: the key is in a file that only you can read; who loses it loses what was\n" +
			"sealed to it. What is shown is its recipient, for hooktape apps update SLUG --seal-to. A key\n" +
			"that is there stays.\n" +
			"With a SCHEME such as stripe or discord, a secret of its kind is shown and not kept, and where\n" +
			"the receiver has another half, that too. It is for trying receivers out, with trigger --secret.",
		Flags: append(o.here(), identityFlag(&file, "keep the key in `FILE`")),
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 {
				return usage("keygen: want one SCHEME at most")
			}
			if c.NArg() == 1 {
				return showSecret(e, &o, c.Args().First())
			}
			path, err := o.identity(file)
			if err != nil {
				return err
			}
			if err := makeKey(e, path); err != nil {
				return err
			}
			keys, err := readKeys(&o, path)
			if err != nil {
				return err
			}
			shown := struct {
				File       string   `json:"file"`
				Recipients []string `json:"recipients"`
			}{path, keys.Recipients()}
			return show(e, &o, shown, func(w io.Writer) { fmt.Fprintln(w, strings.Join(shown.Recipients, "\n")) })
		},
	}
}

// showSecret makes a secret of a scheme.
func showSecret(e *env, o *common, scheme string) error {
	s, ok := sign.Lookup(scheme)
	if !ok {
		return usage("keygen: no scheme %q%s", scheme, capture.Meant("; did you mean %q?", scheme, sign.Names()))
	}
	secret := s.NewSecret()
	shown := struct {
		Scheme string `json:"scheme"`
		Secret string `json:"secret"`
		Public string `json:"public,omitempty"`
	}{s.Name(), secret, s.Public(secret)}
	return show(e, o, shown, func(w io.Writer) {
		fmt.Fprintln(w, shown.Secret)
		if shown.Public != "" {
			fmt.Fprintf(w, "\nThe receiver's half:\n%s\n", shown.Public)
		}
	})
}

// makeKey makes a file with a key, unless it is there.
func makeKey(e *env, path string) error {
	text, err := seal.NewKey()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path)) // half a key would stay for ever
	}
	fmt.Fprintf(e.stderr, "Made a key in %s. Keep a copy of it, but not at the relay.\n", path)
	return nil
}
