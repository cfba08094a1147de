package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"code.hooktape.dev/hooktape/capture/provider"
	"code.hooktape.dev/hooktape/capture/sign"
	"code.hooktape.dev/hooktape/relay"
)

// secretsOf are the secrets that a file names: under a provider the secret
// itself, env:NAME or file:PATH, or several of these by their labels. files are
// those that were read for them.
func secretsOf(in map[string]any, dir string) (found map[string]string, files []string, err error) {
	found = make(map[string]string)
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
			files = append(files, path)
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
			return nil, nil, err
		}
	}
	return found, files, nil
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
