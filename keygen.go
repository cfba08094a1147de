package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture/seal"
)

func keygenCommand(e *env) *cli.Command {
	var o common
	var file string
	return &cli.Command{
		Name: "keygen", Usage: "make the key that opens sealed webhooks, and show whom to seal to",
		Description: "The key is in a file that only you can read: who loses it loses what was sealed to it.\n" +
			"What is shown is its recipient, for hooktape apps update SLUG --seal-to. A key that is there stays.",
		Flags: append(o.here(), identityFlag(&file, "keep the key in `FILE`")),
		Action: func(*cli.Context) error {
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
