package main

import (
	"net/http"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// dialects are the other systems whose wire formats the management address
// speaks, and how they are asked to.
type dialects struct{}

// dialectSetting is a choice where a system's document and its servers differ.
type dialectSetting struct {
	name   string   // dialect.setting
	values []string // the default first; none: any
	about  string
	put    func(d *dialects, value string) error
}

// dialectSettings are all settings of --dialect, by name.
var dialectSettings = []dialectSetting{}

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
	return []api.Dialect{}
}
