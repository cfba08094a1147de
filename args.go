package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// arrange puts a command line into the order that urfave/cli needs: the
// command first, then flags, then arguments. People write flags anywhere.
func arrange(app *cli.App, args []string) []string {
	if len(args) > 1 && args[1] == "help" { // hooktape help listen
		args = append(append(args[:1:1], args[2:]...), "--help")
	}
	commands, flags := app.Commands, app.Flags
	path, given, rest := args[:1:1], []string(nil), []string(nil)
	for i := 1; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(a) > 1 && a[0] == '-':
			name, _, whole := strings.Cut(strings.TrimLeft(a, "-"), "=")
			f := lookFlag(app, flags, name)
			if f == nil {
				given = append(given, a)
				continue
			}
			// By its long name: cli takes -H and --header in one line for a mistake.
			given = append(given, "--"+f.Names()[0]+strings.TrimLeft(a, "-")[len(name):])
			if !whole && takesValue(f) && i+1 < len(args) {
				i++
				given = append(given, args[i])
			}
		default:
			if c := find(commands, a); c != nil && len(rest) == 0 {
				path, commands, flags = append(path, a), c.Subcommands, append(slices.Clone(c.Flags), subFlags(c)...)
				continue
			}
			rest = append(rest, a)
		}
	}
	out := append(path, given...)
	if len(rest) > 0 && !slices.Contains(given, "--generate-bash-completion") {
		// An unknown command must stay in the place where cli looks for it.
		if len(commands) > 0 {
			return append(append(path, rest...), given...)
		}
		out = append(out, "--")
	}
	return append(out, rest...)
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

// subFlags are those of a command's subcommands: a flag may stand before the
// word that names its command.
func subFlags(c *cli.Command) (flags []cli.Flag) {
	for _, s := range c.Subcommands {
		flags = append(flags, s.Flags...)
	}
	return flags
}

// lookFlag looks a flag up where it may be meant: at the command so far, or
// at any command that may still follow. It is nil when none has the name.
func lookFlag(app *cli.App, flags []cli.Flag, name string) cli.Flag {
	for _, c := range app.Commands {
		flags = append(slices.Clone(flags), append(slices.Clone(c.Flags), subFlags(c)...)...)
	}
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func takesValue(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}
