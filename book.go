package main

import (
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

	// Of watch alone, once the book is open:
	named []string // files that secrets are in
	seen  string   // what all files looked like when they were read

	mu      sync.Mutex // guards the fields below
	secrets map[string]string
	filed   []capture.Rule // of files
	made    []capture.Rule // of the store
}

// openBook reads the files that are there.
func openBook(log *slog.Logger) (*book, error) {
	env, err := secretsIn(os.Environ())
	if err != nil {
		return nil, err
	}
	b := &book{Set: rules.New(nil), paths: configPaths(), env: env, log: log}
	b.seen = look(b.paths)
	err = b.read()
	b.seen += look(b.named)
	return b, err
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
		seen := look(b.paths)
		if seen+look(b.named) == b.seen {
			continue
		}
		err := b.read()
		b.seen = seen + look(b.named) // which may be others now
		if err != nil {
			b.log.Error("the configuration has changed and cannot be used; what it said before still counts", "err", err)
			continue
		}
		b.log.Info("the rules and secrets of the configuration were read again", "files", b.paths)
	}
}

// look is what tells one state of files from another.
func look(paths []string) string {
	var seen strings.Builder
	for _, path := range paths {
		if fi, err := os.Stat(path); err == nil {
			fmt.Fprintln(&seen, fi.ModTime().UnixNano(), fi.Size())
		}
		fmt.Fprintln(&seen)
	}
	return seen.String()
}

// read takes everything from the files, or nothing.
func (b *book) read() error {
	secrets, filed, files := map[string]string{}, []capture.Rule(nil), []string(nil)
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
		found, in, err := secretsOf(named, filepath.Dir(path))
		if err != nil {
			return usage("%s: %v", path, err)
		}
		maps.Copy(secrets, found)
		files = append(files, in...)
		own, err := rulesOf(path, file.Rules)
		if err != nil {
			return err
		}
		filed = append(own, filed...)
	}
	maps.Copy(secrets, b.env)
	b.named = files
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
		if err := capture.Decode(text, &r.RuleSpec); err != nil {
			return nil, usage("%s: rules[%d]%s", path, i, strings.TrimPrefix("."+err.Error(), ".body"))
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
