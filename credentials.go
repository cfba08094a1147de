package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
)

// credentials are what hooktape login has kept: a token for each relay, by its
// URL, and which relay listen and record get webhooks from.
type credentials struct {
	Current string           `json:"current,omitempty"`
	Relays  map[string]login `json:"relays"`

	path string
}

// login is a token with what the relay has said of it.
type login struct {
	Token string     `json:"token"`
	ID    capture.ID `json:"token_id,omitempty"` // "": the relay's own
	App   string     `json:"app,omitempty"`      // the one it is for; "": any
	Since time.Time  `json:"since"`
}

// openCredentials reads them; none are there before the first login.
func openCredentials() (*credentials, error) {
	c := &credentials{Relays: map[string]login{}}
	dir, err := os.UserConfigDir()
	if err != nil {
		return c, nil // then there is no place where they could be
	}
	c.path = filepath.Join(dir, "hooktape", "credentials.json")
	b, err := os.ReadFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		err = json.Unmarshal(b, c)
	}
	if err != nil {
		return nil, hinted{fmt.Errorf("%s: %w", c.path, err), "Remove the file and log in again, or name relay and token with --relay and --token."}
	}
	if c.Relays == nil {
		c.Relays = map[string]login{}
	}
	return c, nil
}

// save writes them for this user alone, and all at once.
func (c *credentials) save() error {
	if c.path == "" {
		return usage("no home directory to keep the token in: name one with $XDG_CONFIG_HOME")
	}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(c.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".credentials-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), c.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// at is the login at a relay, whose URL may be spelt in another way.
func (c *credentials) at(relay string) (login, bool) {
	name, err := relayName(relay)
	if err != nil {
		return login{}, false
	}
	l, ok := c.Relays[name]
	return l, ok
}

// urls are those of all relays, in order.
func (c *credentials) urls() []string { return slices.Sorted(maps.Keys(c.Relays)) }

// relayName is a relay's URL in the one spelling by which tokens are kept: a
// token must go to no other address than it was given for.
func relayName(relay string) (string, error) {
	u, err := url.Parse(relay)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", usage("%q: want a URL such as https://hooks.example", relay)
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		port = ""
	}
	switch {
	case port != "":
		host = net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		host = "[" + host + "]"
	}
	return u.Scheme + "://" + host + strings.TrimRight(u.EscapedPath(), "/"), nil
}

// value is what --relay, --token or --app is to be where nothing gives it: the
// token of the relay that is given and the app it is for, and for a command
// that takes webhooks in, the current relay, unless it is said where they come
// from.
func (c *credentials) value(flag string, takesIn bool, given func(flag string) string) string {
	relay := given("relay")
	if relay == "" && takesIn && given("ingest") == "" {
		relay = c.Current
	}
	l, _ := c.at(relay)
	switch {
	case given(flag) != "":
	case flag == "relay":
		return relay
	case flag == "token":
		return l.Token
	case flag == "app" && takesIn:
		return l.App
	}
	return ""
}

// logIn sets the flags that nothing has set, by what login has kept.
func logIn(c *cli.Context, flags []cli.Flag) error {
	has := func(name string) bool {
		return slices.ContainsFunc(flags, func(f cli.Flag) bool { return f.Names()[0] == name })
	}
	if takesIn := has("ingest"); has("relay") && (takesIn || c.IsSet("relay")) {
		kept, err := openCredentials()
		if err != nil {
			return err
		}
		given := func(name string) string {
			if !c.IsSet(name) {
				return ""
			}
			return c.String(name)
		}
		for _, name := range []string{"relay", "app", "token"} {
			if v := kept.value(name, takesIn, given); has(name) && v != "" {
				if err := c.Set(name, v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
