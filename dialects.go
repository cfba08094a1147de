package main

import (
	"net/http"
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
	blocklet blocklet.Options
	ductape  ductape.Options
	wacht    wacht.Options
}

// serve are the dialects of a Server.
func (d *dialects) serve(engine func(*http.Request) api.Engine) []api.Dialect {
	return []api.Dialect{
		ark.New(engine, d.ark),
		blocklet.New(engine, d.blocklet),
		coviu.New(engine),
		ductape.New(engine, d.ductape),
		wacht.New(engine, d.wacht),
	}
}

// dialectSetting is a choice where a system's document and its servers differ.
// docs/compatibility.md says what each is about.
type dialectSetting struct {
	name   string   // system.setting
	values []string // the default first; none: any
	put    func(d *dialects, value string) error
}

// dialectSettings are all settings of --dialect.
var dialectSettings = []dialectSetting{
	{"ark.put", []string{"whole", "partial"}, is("partial", func(d *dialects) *bool { return &d.ark.Partial })},
	{"ark.update", []string{"auto", "200", "204"}, func(d *dialects, value string) error {
		d.ark.Done, _ = strconv.Atoi(value) // auto is 0
		return nil
	}},
	{"ark.whitelist", nil, func(d *dialects, value string) (err error) {
		d.ark.Whitelist, err = ark.ParseWhitelist(value)
		return err
	}},
	{"blocklet.retry-count", []string{"0", "1"}, is("1", func(d *dialects) *bool { return &d.blocklet.FromOne })},
	{"blocklet.time", []string{"ms", "iso"}, is("iso", func(d *dialects) *bool { return &d.blocklet.ISO })},
	{"ductape.mode", []string{"lenient", "strict", "off"}, func(d *dialects, value string) error {
		d.ductape.Mode = ductape.Mode(value)
		return nil
	}},
	{"wacht.catalog", []string{"strict", "open"}, is("open", func(d *dialects) *bool { return &d.wacht.OpenCatalog })},
	{"wacht.rotation", []string{"overlap", "at-once"}, is("at-once", func(d *dialects) *bool { return &d.wacht.RotateAtOnce })},
	{"wacht.secrets", []string{"shown", "once"}, is("once", func(d *dialects) *bool { return &d.wacht.MaskSecrets })},
}

// is sets an option that one of two values stands for.
func is(value string, option func(*dialects) *bool) func(*dialects, string) error {
	return func(d *dialects, given string) error {
		*option(d) = given == value
		return nil
	}
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
			return d, usage("--dialect %q: want one of %s%s", name, strings.Join(names, ", "), capture.Meant("; did you mean %s?", name, names))
		}
		s := dialectSettings[i]
		if len(s.values) > 0 && !slices.Contains(s.values, value) {
			return d, usage("--dialect %s=%s: want one of %s", name, value, strings.Join(s.values, ", "))
		}
		if err := s.put(&d, value); err != nil {
			return d, usage("--dialect %s: %v", name, err)
		}
	}
	return d, nil
}
