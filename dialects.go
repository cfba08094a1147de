package main

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
	"code.hooktape.dev/hooktape/relay/api/ark"
	"code.hooktape.dev/hooktape/relay/api/blocklet"
	"code.hooktape.dev/hooktape/relay/api/coviu"
	"code.hooktape.dev/hooktape/relay/api/ductape"
	"code.hooktape.dev/hooktape/relay/api/wacht"
)

// dialects are the other systems whose wire formats the management address
// speaks, and how they are asked to.
type dialects struct {
	ark      ark.Options
	coviu    coviu.Options
	ductape  ductape.Options
	blocklet blocklet.Options
	wacht    wacht.Options
}

// dialectSetting is a choice where a system's document and its servers differ.
type dialectSetting struct {
	name   string   // dialect.setting
	values []string // the default first; none: any
	about  string
	put    func(d *dialects, value string) error
}

// dialectSettings are all settings of --dialect, by name.
var dialectSettings = []dialectSetting{
	{"ark.put", []string{"whole", "partial"}, "whether PUT must have all members, as ARK's servers want, or those that it changes, as its document says", func(d *dialects, value string) error {
		d.ark.Partial = value == "partial"
		return nil
	}},
	{"ark.update", []string{"200", "204"}, "how PUT and DELETE are answered: {}, as ARK's document says, or nothing, as its servers do", func(d *dialects, value string) error {
		d.ark.NoContent = value == "204"
		return nil
	}},
	{"ark.whitelist", nil, "the addresses that may ask, such as 127.0.0.1,192.0.2.*; default: all", func(d *dialects, value string) error {
		d.ark.Whitelist = strings.Split(value, ",")
		for _, glob := range d.ark.Whitelist {
			if _, err := path.Match(glob, ""); err != nil {
				return fmt.Errorf("%q: want an address, * in it standing for any text", glob)
			}
		}
		return nil
	}},
	{"ductape.mode", []string{"lenient", "strict", "off"}, "how a webhook that is made over Ductape's API checks what it takes against its events' samples", func(d *dialects, value string) error {
		d.ductape.Mode = ductape.Mode(value)
		return nil
	}},
	{"blocklet.retry-count", []string{"0", "1"}, "the retryCount of a first attempt", func(d *dialects, v string) (err error) {
		d.blocklet.CountFrom, err = strconv.Atoi(v)
		return err
	}},
	{"blocklet.time", []string{"ms", "iso"}, "times as milliseconds since 1970, or as ISO 8601", func(d *dialects, v string) error {
		d.blocklet.ISO = v == "iso"
		return nil
	}},
	{"wacht.secrets", []string{"shown", "once"}, "an app's signing secret is in every read, or in that of who makes or rotates it",
		func(d *dialects, v string) error { d.wacht.MaskSecrets = v == "once"; return nil }},
	{"wacht.rotation", []string{"overlap", "at-once"}, "a rotated secret signs beside the new one for 24 hours, or no longer",
		func(d *dialects, v string) error { d.wacht.RotateAtOnce = v == "at-once"; return nil }},
	{"wacht.catalog", []string{"strict", "open"}, "endpoints subscribe to events of the app's catalog, or to any",
		func(d *dialects, v string) error { d.wacht.OpenCatalog = v == "open"; return nil }},
}

// parseDialects reads settings as --dialect has them: NAME=VALUE.
func parseDialects(given []string) (d dialects, err error) {
	names := make([]string, len(dialectSettings))
	for i, s := range dialectSettings {
		names[i] = s.name
	}
	for _, text := range given {
		name, value, ok := strings.Cut(text, "=")
		i := slices.Index(names, name)
		switch {
		case !ok:
			return d, usage("--dialect %q: want NAME=VALUE", text)
		case i < 0:
			return d, usage("--dialect %q: there is no such setting%s", name, capture.Meant("; did you mean %s?", name, names))
		case len(dialectSettings[i].values) > 0 && !slices.Contains(dialectSettings[i].values, value):
			return d, usage("--dialect %s=%s: want one of %s", name, value, strings.Join(dialectSettings[i].values, ", "))
		}
		if err := dialectSettings[i].put(&d, value); err != nil {
			return d, usage("--dialect %s: %v", name, err)
		}
	}
	return d, nil
}

// serve are the dialects of a Server.
func (d *dialects) serve(engine func(*http.Request) api.Engine) []api.Dialect {
	return []api.Dialect{
		ark.New(engine, d.ark),
		coviu.New(engine, d.coviu),
		ductape.New(engine, d.ductape),
		blocklet.New(engine, d.blocklet),
		wacht.New(engine, d.wacht),
	}
}
