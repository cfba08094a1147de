package relay

import (
	"fmt"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/challenge"
	"code.hooktape.dev/hooktape/capture/match"
)

// Challenge answers for an app that has it answered; see challenge.Answer.
func (r *Registry) Challenge(e *capture.Event, body []byte) (answer capture.Answer, provider string, ok bool) {
	a, _ := r.made(e.App)
	if !a.Challenges.Enabled {
		return answer, "", false
	}
	return challenge.Answer(e, body, a.Challenges.Secrets)
}

// unhide puts those secrets right that came back as they were read.
func unhide(c, old capture.Challenges) {
	for name, secret := range c.Secrets {
		if known := old.Secrets[name]; secret == capture.HiddenSecret && known != "" {
			c.Secrets[name] = known
		}
	}
}

// checkChallenges refuses secrets that no challenge could be answered with.
func checkChallenges(c capture.Challenges) error {
	known := challenge.Secrets()
	for _, name := range sortedKeys(c.Secrets) {
		field, secret := "challenges.secrets."+name, c.Secrets[name]
		if !slices.Contains(known, name) {
			like := ""
			if near := match.Nearest(name, known); near != "" {
				like = fmt.Sprintf("did you mean %q? ", near)
			}
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
