package relay

import (
	"fmt"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/provider"
	"code.hooktape.dev/hooktape/capture/sign"
)

// secrets are those known for a provider and the scheme it signs by: the app's
// own before those of the process, and of each those without a label first.
func (r *Registry) secrets(app, provider string, s *sign.Scheme) (known []sign.Secret) {
	a, _ := r.made(app)
	sets := []map[string]string{a.Secrets}
	if r.hooks.Secrets != nil {
		sets = append(sets, r.hooks.Secrets())
	}
	for _, set := range sets {
		known = append(known, SecretsOf(set, provider, s)...)
	}
	return known
}

// knowsSecrets reports whether any is known that an app's events could be
// verified with.
func (r *Registry) knowsSecrets(app string) bool {
	a, _ := r.made(app)
	return len(a.Secrets) > 0 || r.hooks.Secrets != nil && len(r.hooks.Secrets()) > 0
}

// SecretsOf are those of a set, by name, that are for a provider and the scheme
// it signs by: those without a label first.
func SecretsOf(set map[string]string, provider string, s *sign.Scheme) (known []sign.Secret) {
	if len(set) == 0 {
		return nil
	}
	for _, name := range sortedKeys(set) {
		whose, _, _ := strings.Cut(name, "/")
		if whose == s.Name() || whose == provider {
			known = append(known, sign.Secret{Name: name, Text: set[name]})
		}
	}
	return known
}

// CheckSecret refuses a secret that nothing could be verified with: under a
// name that is no provider's and no scheme's, or not of the scheme's kind. The
// error is a *capture.FieldError that does not tell the secret.
func CheckSecret(field, name, secret string) error {
	whose, label, labelled := strings.Cut(name, "/")
	scheme, ok := sign.Lookup(whose)
	if !ok && !slices.Contains(provider.Names(), whose) {
		like := capture.Meant("; did you mean %q?", whose, append(sign.Names(), provider.Names()...))
		return &capture.FieldError{Field: field, Problem: fmt.Sprintf("%q is no provider and no scheme that is known%s", whose, like)}
	}
	if labelled && !capture.IsSlug(label) {
		return &capture.FieldError{Field: field, Problem: fmt.Sprintf("%q: want lower-case letters, digits, - and _ behind the slash", label)}
	}
	switch {
	case secret == "":
		return &capture.FieldError{Field: field, Problem: "it is empty; null takes it away"}
	case secret == capture.HiddenSecret:
		return &capture.FieldError{Field: field, Problem: "there is no secret yet that this could stand for"}
	case len(secret) > 16<<10:
		return length(field, secret, 16<<10)
	}
	if ok {
		if err := scheme.Check(secret); err != nil {
			return &capture.FieldError{Field: field, Problem: err.Error()}
		}
	}
	return nil
}
