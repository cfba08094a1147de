package spec

import (
	"errors"
	"fmt"
	"strings"
)

const payloadSuffix = ".payload.json"

// github reads GitHub's published payloads: the index.json of the npm package
// @octokit/webhooks-examples, or one payload whose file's name says the event,
// as push.payload.json or issues/opened.payload.json do.
func (r *reader) github(root any) error {
	if list, ok := root.([]any); ok {
		return r.githubIndex(list)
	}
	event, err := githubEvent(r.Name)
	if err != nil {
		return err
	}
	return r.githubPayload(event, "", root, "")
}

func (r *reader) githubIndex(list []any) error {
	for i, v := range list {
		e := asObject(v)
		name := asText(e.get("name"))
		if name == "" {
			r.note("", at("", fmt.Sprint(i)), "it has no name")
			continue
		}
		for n, payload := range asList(e.get("examples")) {
			place := at("", fmt.Sprint(i), "examples", fmt.Sprint(n))
			if err := r.githubPayload(name, asText(e.get("description")), payload, place); err != nil {
				return err
			}
		}
	}
	if len(r.types) == 0 {
		return errNoTypes
	}
	return nil
}

// githubPayload makes an event type, called by the event and the payload's
// action: issues.opened. The header has the event only.
func (r *reader) githubPayload(event, description string, payload any, place string) error {
	o := asObject(payload)
	if o == nil {
		return errors.New("a payload is no JSON object")
	}
	name := event
	if action := asText(o.get("action")); action != "" {
		name += "." + action
	}
	return r.add(orElse(r.App, "github"), webhook{
		place: place, event: name, name: name, description: description, provider: "github",
		headers: []param{
			{"User-Agent", "GitHub-Hookshot/0000000"},
			{"X-GitHub-Event", event},
			{"X-GitHub-Delivery", newGenerator(r.Seed+uint64(len(r.types))).format("uuid", "")},
		},
		examples: []example{{place, payload}},
	})
}

// githubEvent is the event that a file's name says.
func githubEvent(name string) (string, error) {
	folder, file := "", name
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		folder, file = name[:i], name[i+1:]
		folder = folder[strings.LastIndexAny(folder, `/\`)+1:]
	}
	file, _, _ = strings.Cut(strings.TrimSuffix(file, payloadSuffix), ".")
	switch {
	case file == "payload" || folder != "" && folder != "." && folder != "..":
		return orElse(folder, file), nil
	case file == "":
		return "", errors.New("one payload does not say which event it is of: name the file, as push.payload.json or issues/opened.payload.json")
	}
	return file, nil
}

// githubOperation mends what GitHub's OpenAPI document says of each webhook:
// that X-GitHub-Event is issues. The event is in an extension of its own.
func (o *openAPI) githubOperation(w *webhook, category string) {
	w.provider = "github"
	for i, h := range w.headers {
		if strings.EqualFold(h.name, "X-GitHub-Event") {
			w.headers[i].value = strings.ReplaceAll(category, "-", "_")
		}
	}
}
