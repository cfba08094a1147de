package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/provider"
	"code.hooktape.dev/hooktape/capture/seal"
)

// identityFlag names a file of keys in place of the store's.
func identityFlag(to *string, use string) cli.Flag {
	return &cli.StringFlag{Name: "identity", Usage: use, DefaultText: "age.key in the store", Destination: to}
}

// identity is the file of keys that a flag names, or the store's.
func (o *common) identity(flag string) (path string, err error) {
	if flag != "" {
		return flag, nil
	}
	dir, err := o.dir()
	return filepath.Join(dir, "age.key"), err
}

// readKeys are the keys in the file that a flag names; without it, those of the
// store, if it has any.
func readKeys(o *common, flag string) (k seal.Keys, err error) {
	path, err := o.identity(flag)
	if err != nil {
		return k, err
	}
	f, err := os.Open(path)
	if flag == "" && errors.Is(err, os.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, usage("--identity %v", err)
	}
	defer f.Close()
	if k, err = seal.ReadKeys(f); err != nil {
		return k, usage("--identity %s: %v", path, err)
	}
	return k, nil
}

// unsealed is a sealed event as it was before, and its body.
func unsealed(row capture.Row, body []byte, keys seal.Keys) (capture.Row, []byte, error) {
	e, plain, err := seal.Open(&row.Event, body, keys)
	if err != nil {
		return row, body, err
	}
	provider.Describe(e, plain)
	e.Seq = row.Seq
	row.Event = *e
	return row, plain, nil
}

// warnUnsealed tells of apps that relays seal, where webhooks come in as they
// are: here they go on to targets, which must read them.
func (n *node) warnUnsealed(ctx context.Context, log *slog.Logger) error {
	apps, err := n.registry.Apps(ctx)
	for _, a := range apps {
		if len(a.SealTo) > 0 {
			log.Warn("webhooks that come in here are not sealed; hooktape relay does that", "app", a.Slug)
		}
	}
	return err
}
