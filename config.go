package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"
)

// configFile is a configuration file: flags by their long names, and the same
// again under profiles.NAME, which go first for that profile.
type configFile struct {
	path   string
	values map[string][]string
}

func configPaths() []string {
	paths := []string{"hooktape.yaml"}
	if dir, err := os.UserConfigDir(); err == nil { // $XDG_CONFIG_HOME, or the system's place for it
		paths = append(paths, filepath.Join(dir, "hooktape", "config.yaml"))
	}
	return paths
}

// readConfig reads the files that are there, the one that wins first. A key
// that no flag has is an error that names it.
func readConfig(profile string, names []string) (files []configFile, err error) {
	if profile == "" {
		profile = os.Getenv("HOOKTAPE_PROFILE")
	}
	found := profile == ""
	for _, path := range configPaths() {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var file struct {
			Profiles map[string]map[string]any `yaml:"profiles"`
			Secrets  any                       `yaml:"secrets"` // what is in these two, a book reads
			Rules    any                       `yaml:"rules"`
			Values   map[string]any            `yaml:",inline"`
		}
		if err := yaml.Unmarshal(text, &file); err != nil {
			return nil, usage("%s: %v", path, err)
		}
		if p, ok := file.Profiles[profile]; ok {
			found = true
			values, err := flatten(path, p, names)
			if err != nil {
				return nil, err
			}
			files = append(files, configFile{path + " (profile " + profile + ")", values})
		}
		values, err := flatten(path, file.Values, names)
		if err != nil {
			return nil, err
		}
		files = append(files, configFile{path, values})
	}
	if !found {
		return nil, usage("no profile %q in %s", profile, strings.Join(configPaths(), " or "))
	}
	return files, nil
}

func flatten(path string, in map[string]any, names []string) (map[string][]string, error) {
	out := make(map[string][]string, len(in))
	for key, v := range in {
		name := strings.ReplaceAll(key, "_", "-")
		if !slices.Contains(names, name) {
			like := ""
			if s := nearest(name, names); s != "" {
				like = fmt.Sprintf("; did you mean %q?", s)
			}
			return nil, usage("%s: no setting %q%s", path, key, like)
		}
		items, ok := v.([]any)
		if !ok {
			items = []any{v}
		}
		for _, item := range items {
			if _, nested := item.(map[string]any); nested || item == nil {
				return nil, usage("%s: %s: want a value or a list of values", path, key)
			}
			out[name] = append(out[name], fmt.Sprint(item))
		}
	}
	return out, nil
}

// nearest is the name most like s, or "" when none is.
func nearest(s string, names []string) string {
	flags := make([]cli.Flag, len(names))
	for i, n := range names {
		flags[i] = &cli.StringFlag{Name: n}
	}
	return strings.TrimLeft(cli.SuggestFlag(flags, s, true), "-")
}

func configCommand(e *env) *cli.Command {
	var o common
	return &cli.Command{
		Name:  "config",
		Usage: "show every setting and where its value comes from",
		Description: "A setting is a flag's long name. What counts, in this order: the flag, the environment\n" +
			"(HOOKTAPE_MAX_BODY for --max-body), ./hooktape.yaml, the user's config.yaml, what hooktape\n" +
			"login has kept, the default.",
		Flags:  o.here(),
		Before: func(*cli.Context) error { return nil }, // flags stay as given, so that their origin shows
		Action: func(c *cli.Context) error {
			files, err := readConfig(o.profile, flagNames(c.App))
			if err != nil {
				return err
			}
			kept, err := openCredentials()
			if err != nil {
				return err
			}
			given := func(name string) string {
				values, _ := lookUp(name, files)
				return strings.Join(values, ", ")
			}
			listen := find(c.App.Commands, "listen")
			w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
			for _, f := range listen.Flags {
				doc, name := f.(cli.DocGenerationFlag), f.Names()[0]
				if name == "help" {
					continue
				}
				values, origin := lookUp(name, files)
				value := strings.Join(values, ", ")
				if c.IsSet(name) {
					value, origin = fmt.Sprint(c.Value(name)), "flag"
				} else if v := kept.value(name, true, given); len(values) == 0 && v != "" {
					value, origin = v, kept.path
				} else if len(values) == 0 {
					value, origin = or(doc.GetDefaultText(), doc.GetValue()), "default"
				}
				if value = strings.Trim(value, `"`); name == "store" && origin == "default" {
					if value, err = o.dir(); err != nil {
						return err
					}
				}
				if name == "token" && value != "" {
					value = "••••••••" // secrets are not shown
				}
				if o.json {
					line, err := json.Marshal(map[string]string{"name": name, "value": value, "origin": origin})
					if err != nil {
						return err
					}
					fmt.Fprintln(e.stdout, string(line))
					continue
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", name, value, origin)
			}
			return w.Flush()
		},
	}
}
