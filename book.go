package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/provider"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/relay/rules"
)

// book is what the configuration files say beside flags: rules, and the secrets
// of providers. Files are read again when they change; what is wrong then is
// told, and counts for nothing. It is a relay.RuleBook.
type book struct {
	*rules.Set
	paths []string
	env   map[string]string // secrets from the environment
	log   *slog.Logger

	mu      sync.Mutex // guards the fields below
	secrets map[string]string
	filed   []capture.Rule // of files
	made    []capture.Rule // of the store
	seen    string         // what the files looked like when they were read
}

// openBook reads the files that are there.
func openBook(log *slog.Logger) (*book, error) {
	env, err := secretsIn(os.Environ())
	if err != nil {
		return nil, err
	}
	b := &book{Set: rules.New(nil), paths: configPaths(), env: env, log: log}
	b.seen = b.look()
	return b, b.read()
}

// Secrets are those of the process, by name. Who gets them must not change
// them.
func (b *book) Secrets() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.secrets
}

// Check implements relay.RuleBook.
func (b *book) Check(spec *capture.RuleSpec) error { return rules.Check(spec) }

// Put implements relay.RuleBook.
func (b *book) Put(made []capture.Rule) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.Set.Put(slices.Concat(b.filed, made)); err != nil {
		return err
	}
	b.made = made
	return nil
}

// watch reads the files again when they have changed, until ctx is done.
func (b *book) watch(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		seen := b.look()
		if seen == b.seen {
			continue
		}
		b.seen = seen
		if err := b.read(); err != nil {
			b.log.Error("the configuration has changed and cannot be used; what it said before still counts", "err", err)
			continue
		}
		b.log.Info("the rules and secrets of the configuration were read again", "files", b.paths)
	}
}

// look is what tells one state of the files from another.
func (b *book) look() string {
	var seen strings.Builder
	for _, path := range b.paths {
		if fi, err := os.Stat(path); err == nil {
			fmt.Fprintln(&seen, fi.ModTime().UnixNano(), fi.Size())
		}
		fmt.Fprintln(&seen)
	}
	return seen.String()
}

// read takes everything from the files, or nothing.
func (b *book) read() error {
	secrets, filed := map[string]string{}, []capture.Rule(nil)
	for _, path := range slices.Backward(b.paths) { // the first wins
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		var file struct {
			Secrets any   `yaml:"secrets"` // any, for the error of another type quotes it
			Rules   []any `yaml:"rules"`
		}
		if err := yaml.Unmarshal(text, &file); err != nil {
			return usage("%s: %v", path, err)
		}
		named, ok := file.Secrets.(map[string]any)
		if !ok && file.Secrets != nil {
			return usage("%s: secrets: want the names of providers, and a secret behind each", path)
		}
		found, err := secretsOf(named, filepath.Dir(path))
		if err != nil {
			return usage("%s: %v", path, err)
		}
		maps.Copy(secrets, found)
		in, err := rulesOf(path, file.Rules)
		if err != nil {
			return err
		}
		filed = append(in, filed...)
	}
	maps.Copy(secrets, b.env)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.Set.Put(slices.Concat(filed, b.made)); err != nil {
		return usage("%s: %v", strings.Join(b.paths, " or "), err)
	}
	b.secrets, b.filed = secrets, filed
	return nil
}

// rulesOf are the rules of a file, in their order. A rule's id is that of its
// name or, without one, of what it says, so that it stays the same while others
// change.
func rulesOf(path string, in []any) (filed []capture.Rule, err error) {
	seen := make(map[string]int) // of those that say the same
	for i, v := range in {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, usage("%s: rules[%d]: %v", path, i, err)
		}
		r := capture.Rule{File: path}
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&r.RuleSpec); err != nil {
			return nil, usage("%s: rules[%d]: %s", path, i, strings.TrimPrefix(err.Error(), "json: "))
		}
		if err := rules.Check(&r.RuleSpec); err != nil {
			return nil, usage("%s: rules[%d].%v", path, i, err)
		}
		of := string(text)
		if r.Name != "" {
			of = r.Name
		}
		sum := sha256.Sum256(fmt.Append(nil, path, "\n", of, "\n", seen[of]))
		r.ID = capture.IDFrom(capture.RuleID, [16]byte(sum[:16]))
		seen[of]++
		filed = append(filed, r)
	}
	return filed, nil
}

// secretsOf are the secrets that a file names: under a provider the secret
// itself, env:NAME or file:PATH, or several of these by their labels.
func secretsOf(in map[string]any, dir string) (map[string]string, error) {
	found := make(map[string]string)
	var add func(name string, v any) error
	add = func(name string, v any) error {
		if labels, ok := v.(map[string]any); ok && !strings.Contains(name, "/") {
			for label, below := range labels {
				if err := add(name+"/"+label, below); err != nil {
					return err
				}
			}
			return nil
		}
		secret, ok := v.(string)
		if !ok {
			return fmt.Errorf("secrets.%s: want text in quotes, env:NAME or file:PATH", name)
		}
		if variable, ok := strings.CutPrefix(secret, "env:"); ok {
			if secret = os.Getenv(variable); secret == "" {
				return nil // set on another machine, or in CI alone
			}
		} else if path, ok := strings.CutPrefix(secret, "file:"); ok {
			if !filepath.IsAbs(path) {
				path = filepath.Join(dir, path)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return fmt.Errorf("secrets.%s: %w", name, err)
			}
			secret = strings.TrimRight(string(text), "\r\n")
		}
		found[name] = secret
		return relay.CheckSecret("secrets."+name, name, secret)
	}
	for name, v := range in {
		if err := add(name, v); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// secretsIn are the secrets in the environment: $HOOKTAPE_SECRET_STRIPE, and
// with a label behind the provider's name $HOOKTAPE_SECRET_STRIPE_TEST.
func secretsIn(environ []string) (map[string]string, error) {
	found := make(map[string]string)
	known := append(sign.Names(), provider.Names()...)
	for _, line := range environ {
		variable, secret, _ := strings.Cut(line, "=")
		word, ok := strings.CutPrefix(variable, "HOOKTAPE_SECRET_")
		if !ok || secret == "" {
			continue
		}
		word = strings.ToLower(strings.ReplaceAll(word, "_", "-"))
		name := ""
		for _, k := range known {
			if (word == k || strings.HasPrefix(word, k+"-")) && len(k) > len(name) {
				name = k
			}
		}
		if name == "" {
			return nil, usage("$%s: no provider of that name is known; did you mean %s?", variable, "$HOOKTAPE_SECRET_"+strings.ToUpper(strings.ReplaceAll(nearest(word, known), "-", "_")))
		}
		if label := strings.TrimPrefix(word[len(name):], "-"); label != "" {
			name += "/" + label
		}
		if err := relay.CheckSecret("$"+variable, name, secret); err != nil {
			return nil, usage("%v", err)
		}
		found[name] = secret
	}
	return found, nil
}
