package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// common are the flags that every command has.
type common struct {
	store    string
	profile  string
	color    string
	logLevel string
	json     bool

	relay, bearer string // of commands that talk to an owner, who may be far away
}

// flags are those of a command that talks to whoever owns the store.
func (o *common) flags() []cli.Flag {
	return append(o.here(),
		&cli.StringFlag{Name: "relay", Usage: "talk to the API at `URL`, instead of this machine's store", Destination: &o.relay},
		&cli.StringFlag{Name: "token", Usage: "show `TOKEN` to the --relay", Destination: &o.bearer})
}

// here are the flags of a command that is about this machine.
func (o *common) here() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "store", Usage: "keep events in `DIR`", DefaultText: "$XDG_DATA_HOME/hooktape", Destination: &o.store},
		&cli.BoolFlag{Name: "json", Usage: "write NDJSON records", Destination: &o.json},
		&cli.StringFlag{Name: "profile", Aliases: []string{"p"}, Usage: "use the `NAME`d profile of the configuration files", Destination: &o.profile},
		&cli.StringFlag{Name: "color", Usage: "`WHEN` to use colour: auto, on or off", Value: "auto", Destination: &o.color},
		&cli.StringFlag{Name: "log-level", Usage: "write diagnostics of `LEVEL` and above: debug, info, warn or error", Value: "warn", Destination: &o.logLevel},
	}
}

// far reports whether a relay is asked for.
func (o *common) far() bool { return o.relay != "" && o.relay != "off" }

// checkRelay refuses a --relay that is no URL.
func (o *common) checkRelay() error {
	if u, err := url.Parse(o.relay); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return usage("--relay %q: want a URL such as https://hooks.example", o.relay)
	}
	return nil
}

// dir is the data directory.
func (o *common) dir() (string, error) {
	if o.store != "" {
		return filepath.Abs(o.store)
	}
	if data := os.Getenv("XDG_DATA_HOME"); data != "" {
		return filepath.Join(data, "hooktape"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usage("no home directory to keep events in: name one with --store DIR")
	}
	return filepath.Join(home, ".local", "share", "hooktape"), nil
}

// logger writes diagnostics to w.
func (o *common) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, usage("--log-level %q: want debug, info, warn or error", o.logLevel)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})), nil
}

// colored reports whether w may be sent colour.
func (o *common) colored(w any) bool {
	switch {
	case o.color == "on":
		return true
	case o.color == "off", os.Getenv("NO_COLOR") != "":
		return false
	case os.Getenv("FORCE_COLOR") != "":
		return true
	}
	return terminal(w) && os.Getenv("TERM") != "dumb"
}

func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// selection is what commands that read events have in common.
type selection struct {
	filter, since, app string
	last               int
}

func (s *selection) flags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "filter", Aliases: []string{"f"}, Usage: "only events that match `EXPR`", Destination: &s.filter},
		&cli.StringFlag{Name: "since", Usage: "only events since `WHEN`: 2h or an RFC 3339 time", Destination: &s.since},
		&cli.StringFlag{Name: "app", Usage: "only events of the app `NAME`", Destination: &s.app},
		&cli.IntFlag{Name: "last", Aliases: []string{"n"}, Usage: "only the newest `N`", Destination: &s.last},
	}
}

// expr is the whole selection as one predicate.
func (s *selection) expr() string {
	switch {
	case s.since == "":
		return s.filter
	case s.filter == "":
		return "since:" + s.since
	}
	return "(" + s.filter + ") since:" + s.since
}

// check finds mistakes before anything is opened.
func (s *selection) check() error {
	if s.last < 0 {
		return usage("--last %d: want 0 (all) or more", s.last)
	}
	if _, err := match.Parse(s.filter); err != nil {
		return err
	}
	_, err := match.Parse(s.expr())
	return err
}

func (s *selection) empty() bool { return s.expr() == "" && s.last == 0 && s.app == "" }

// aliased is what cli gives a flag's other names once it has been read. Those
// that add up what they are given have seen it by then.
const aliased = "\x00"

// headersFlag is -H 'K: V', repeatable.
type headersFlag capture.Headers

func (h *headersFlag) Set(v string) error {
	if v == aliased {
		return nil
	}
	name, value, ok := strings.Cut(v, ":")
	if !ok || strings.TrimSpace(name) == "" {
		return fmt.Errorf("%q: want 'Name: value'", v)
	}
	*h = append(*h, capture.Header{strings.TrimSpace(name), strings.TrimSpace(value)})
	return nil
}

func (h *headersFlag) String() string {
	lines := make([]string, len(*h))
	for i, l := range *h {
		lines[i] = l[0] + ": " + l[1]
	}
	return strings.Join(lines, ", ")
}

// Serialize implements cli.Serializer.
func (h *headersFlag) Serialize() string { return aliased }

// sizeFlag is a number of bytes: 1000, 10k, 25MiB.
type sizeFlag int64

func (s *sizeFlag) Set(v string) error {
	number := strings.ToLower(strings.TrimSpace(v))
	number = strings.TrimSuffix(strings.TrimSuffix(number, "b"), "i")
	shift := 0
	if i := strings.IndexAny(number, "kmgt"); i == len(number)-1 && i > 0 {
		shift = 10 * (1 + strings.IndexByte("kmgt", number[i]))
		number = number[:i]
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > 1<<62>>shift {
		return fmt.Errorf("%q: want a size such as 512k, 25MiB or 1g", v)
	}
	*s = sizeFlag(n << shift)
	return nil
}

func (s *sizeFlag) String() string {
	n, unit := int64(*s), 0
	for n > 0 && n%1024 == 0 && unit < 4 {
		n /= 1024
		unit++
	}
	return strconv.FormatInt(n, 10) + []string{"", "KiB", "MiB", "GiB", "TiB"}[unit]
}

// spanFlag is a duration that may be of days: 36h, 7d.
type spanFlag time.Duration

func (s *spanFlag) Set(v string) error {
	if days, ok := strings.CutSuffix(v, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || n < 0 || n > 36500 {
			return fmt.Errorf("%q: want a time such as 90s, 36h or 7d", v)
		}
		*s = spanFlag(n * 24 * float64(time.Hour))
		return nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		return fmt.Errorf("%q: want a time such as 90s, 36h or 7d", v)
	}
	*s = spanFlag(d)
	return nil
}

func (s *spanFlag) String() string { return time.Duration(*s).String() }

// finish gives every command what all have: errors that exit with 2 and
// suggest, and flags filled from the environment and the files.
func finish(app *cli.App) {
	app.OnUsageError = func(c *cli.Context, err error, _ bool) error { return badFlag(err, c.App.Flags) }
	app.Before = func(c *cli.Context) error { return fill(c, app, c.App.Flags) }
	var each func(*cli.Command)
	each = func(cmd *cli.Command) {
		cmd.HideHelpCommand = true
		cmd.OnUsageError = func(_ *cli.Context, err error, _ bool) error { return badFlag(err, cmd.Flags) }
		if cmd.Before != nil {
			return
		}
		if len(cmd.Subcommands) == 0 {
			if action := cmd.Action; cmd.ArgsUsage == "" {
				cmd.Action = func(c *cli.Context) error {
					if c.NArg() > 0 {
						return usage("%s takes no arguments, and was given %q", strings.TrimPrefix(c.Command.HelpName, c.App.Name+" "), c.Args().First())
					}
					return action(c)
				}
			}
			cmd.Before = func(c *cli.Context) error { return fill(c, app, cmd.Flags) }
			return
		}
		cmd.Action = func(c *cli.Context) error { return noSuchCommand(c, cmd.FullName()+" ", cmd.Subcommands) }
		for _, sub := range cmd.Subcommands {
			each(sub)
		}
	}
	for _, cmd := range app.Commands {
		each(cmd)
	}
}

// noSuchCommand answers a word that names no command, or the lack of one.
func noSuchCommand(c *cli.Context, before string, commands []*cli.Command) error {
	if c.NArg() == 0 {
		return errors.Join(cli.ShowSubcommandHelp(c), exitError{exitUsage, errSilent})
	}
	given, like := c.Args().First(), ""
	var names []string
	for _, cmd := range commands {
		names = append(names, cmd.Names()...)
	}
	if s := nearest(given, names); s != "" {
		like = fmt.Sprintf("; did you mean %q?", before+s)
	}
	return usage("no command %q%s (hooktape --help lists them)", before+given, like)
}

func badFlag(err error, flags []cli.Flag) error {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return exitError{exitUsage, err}
	}
	if s := cli.SuggestFlag(flags, strings.TrimLeft(name, "-"), true); s != "" {
		return usage("no flag --%s; did you mean %s?", strings.TrimLeft(name, "-"), s)
	}
	return usage("no flag --%s", strings.TrimLeft(name, "-"))
}

// fill sets the flags that the command line left out from the environment
// (HOOKTAPE_MAX_BODY for --max-body), ./hooktape.yaml, the user's config.yaml,
// and what hooktape login has kept, in this order.
func fill(c *cli.Context, app *cli.App, flags []cli.Flag) error {
	files, err := readConfig(c.String("profile"), flagNames(app))
	if err != nil {
		return err
	}
	for _, f := range flags {
		name := f.Names()[0]
		if c.IsSet(name) {
			continue
		}
		values, origin := lookUp(name, files)
		for _, v := range values {
			if err := c.Set(name, v); err != nil {
				return usage("%s: %s: %v", origin, name, err)
			}
		}
	}
	return logIn(c, flags)
}

// lookUp finds the values of a flag that was not given, and where from.
func lookUp(name string, files []configFile) ([]string, string) {
	key := "HOOKTAPE_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	if v, ok := os.LookupEnv(key); ok && v != "" {
		return []string{v}, "$" + key
	}
	for _, f := range files {
		if v, ok := f.values[name]; ok {
			return v, f.path
		}
	}
	return nil, ""
}

// flagNames are the long names of all flags of all commands.
func flagNames(app *cli.App) (names []string) {
	add := func(flags []cli.Flag) {
		for _, f := range flags {
			names = append(names, f.Names()[0])
		}
	}
	add(app.Flags)
	for _, cmd := range app.Commands {
		add(cmd.Flags)
		for _, sub := range cmd.Subcommands {
			add(sub.Flags)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
