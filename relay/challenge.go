package relay

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/challenge"
	"code.hooktape.dev/hooktape/capture/sign"
)

// Challenge answers for an app that has it answered; see challenge.Answer.
func (r *Registry) Challenge(e *capture.Event, body []byte) (answer capture.Answer, provider string, ok bool) {
	a, _ := r.made(e.App)
	if !a.Challenges.Enabled {
		return answer, "", false
	}
	return challenge.Answer(e, body, func(provider string) string { return r.challengeSecret(&a, provider) })
}

// signedAlike are providers that sign their challenges like their events.
var signedAlike = []string{"slack", "zoom", "discord", "twitch", "xero", "x"}

// challengeSecret is an app's for the challenges of a provider; where it has
// none, what verifies the provider's events.
func (r *Registry) challengeSecret(a *capture.App, provider string) string {
	s, ok := sign.Lookup(provider)
	if own := a.Challenges.Secrets[provider]; own != "" || !ok || !slices.Contains(signedAlike, provider) {
		return own
	}
	known := r.secrets(a.Slug, provider, s)
	if len(known) == 0 {
		return ""
	}
	return checking(s, known[0].Text)
}

// checking is what a challenge is checked with: of a key pair the public half.
func checking(s *sign.Scheme, secret string) string { return cmp.Or(s.Public(secret), secret) }

// Judge holds the answer that an attempt got against what its event's sender
// wants to hear, if that is a challenge; see challenge.Judge. secret is what the
// provider signs with; "": what is known.
func (r *Registry) Judge(ctx context.Context, attempt capture.ID, secret string) (provider string, asked bool, wrong, err error) {
	a, err := r.store.Attempt(ctx, attempt)
	if err != nil || a.Response == nil {
		return "", false, nil, err
	}
	row, err := r.store.Event(ctx, a.Event)
	if err != nil {
		return "", false, nil, err
	}
	body, err := r.store.Body(ctx, a.Event)
	if err != nil {
		return "", false, nil, err
	}
	app, _ := r.made(row.App)
	app.Slug = row.App
	s, ok := sign.Lookup(row.Provider)
	if ok && secret == "" && row.Signature.Verdict == capture.Invalid {
		secret = s.NewSecret() // a forgery is one by whatever secret
	}
	provider, asked, wrong = challenge.Judge(&row.Event, body, func(provider string) string {
		switch {
		case !ok || secret == "":
			return r.challengeSecret(&app, provider)
		case provider == row.Provider:
			return checking(s, secret)
		}
		return ""
	}, a.Response)
	return provider, asked, wrong, nil
}

// unhide puts those secrets right that came back as they were read.
func unhide(secrets, old map[string]string) {
	for name, secret := range secrets {
		if known := old[name]; secret == capture.HiddenSecret && known != "" {
			secrets[name] = known
		}
	}
}

// checkChallenges refuses secrets that no challenge could be answered with.
func checkChallenges(c capture.Challenges) error {
	known := challenge.Secrets()
	for _, name := range sortedKeys(c.Secrets) {
		field, secret := "challenges.secrets."+name, c.Secrets[name]
		if !slices.Contains(known, name) {
			like := capture.Meant("did you mean %q? ", name, known)
			return &capture.FieldError{Field: field, Problem: fmt.Sprintf("%sthose whose challenges need a secret are %s", like, strings.Join(known, ", "))}
		}
		switch secret {
		case "":
			return &capture.FieldError{Field: field, Problem: "it is empty; null takes it away"}
		case capture.HiddenSecret:
			return &capture.FieldError{Field: field, Problem: "there is no secret yet that this could stand for"}
		}
		if !challenge.Usable(name, secret) {
			return &capture.FieldError{Field: field, Problem: "want the application's public key, 64 hexadecimal digits"}
		}
		if err := length(field, secret, 1<<10); err != nil {
			return err
		}
	}
	return nil
}
