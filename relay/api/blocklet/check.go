package blocklet

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf16"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// words are an error as its servers have it, to the letter.
type words string

func (w words) Error() string { return string(w) }

const (
	errMissing     = words("Missing required parameters")
	errMissingDid  = words("Missing required parameter: did")
	errMissingTeam = words("Missing required parameter: teamDid")
	errTeam        = words("Invalid teamDid: ")
	errOther       = words("You cannot request other blocklet's data")
	errURL         = words("Invalid parameter: internal")
	errSameURL     = words("webhook endpoint with same url already exist")
	errNoEndpoint  = words("webhook endpoint not found")
	errNoAttempt   = words("webhook attempt not found")
	errDisabled    = words("webhook endpoint disabled")
)

// mostText is how many characters, as JavaScript counts them, a URL and a
// description have.
const mostText = 512

// check is what is wrong with an endpoint as a client writes it, in the order
// and the words of its servers; the first thing alone.
func check(o object, update bool) error {
	if u, ok := o["url"]; (!ok || u == nil || u == "") && !(update && !ok) {
		return errURL
	}
	if err := checkText(o, "url", mostText, false); err != nil {
		return err
	}
	if err := checkText(o, "description", mostText, !update); err != nil {
		return err
	}
	if err := checkText(o, "apiVersion", 16, true); err != nil {
		return err
	}
	if _, ok := o["enabledEvents"]; !ok && !update {
		return errors.New(`"enabledEvents" is required`)
	}
	if err := checkEvents(o); err != nil {
		return err
	}
	if m, ok := o["metadata"]; ok {
		if _, is := m.(map[string]any); !is {
			return errors.New(`"metadata" must be of type object`)
		}
	}
	if s, ok := o["status"]; ok && s != "enabled" && s != "disabled" {
		return errors.New(`"status" must be one of [enabled, disabled]`)
	}
	return nil
}

func checkText(o object, name string, most int, empty bool) error {
	v, ok := o[name]
	s, is := v.(string)
	switch {
	case !ok:
		return nil
	case !is:
		return fmt.Errorf("%q must be a string", name)
	case s == "" && !empty:
		return fmt.Errorf("%q is not allowed to be empty", name)
	case len(utf16.Encode([]rune(s))) > most:
		return fmt.Errorf("%q length must be less than or equal to %d characters long", name, most)
	}
	return nil
}

func checkEvents(o object) error {
	v, ok := o["enabledEvents"]
	if !ok {
		return nil
	}
	if v == nil {
		return errors.New(`"enabledEvents" must be an array`)
	}
	for i, v := range listed(v) {
		field := fmt.Sprintf("enabledEvents[%d]", i)
		entry, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("%q must be of type object", field)
		}
		for _, name := range []string{"type", "source"} {
			if _, ok := entry[name]; !ok {
				return fmt.Errorf(`"%s.%s" is required`, field, name)
			}
			if err := checkText(object{field + "." + name: entry[name]}, field+"."+name, 1<<20, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// listed is a value where GraphQL wants a list: one alone is a list of it.
func listed(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// worded is an error of the engine in the words of its servers, where they have
// some.
func worded(err error) error {
	var field *capture.FieldError
	var conflict *capture.ConflictError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &field) && field.Field == "url":
		return fmt.Errorf("%w (%s)", errURL, field.Problem)
	case errors.As(err, &conflict) && conflict.Field == "url":
		return errSameURL
	}
	_, detail := api.StatusOf(err)
	return errors.New(detail)
}

// wanted are the subscriptions that enabled events are: each exactly.
func wanted(v any) []capture.Subscription {
	subs := []capture.Subscription{}
	for _, v := range listed(v) {
		entry := object(v.(map[string]any)) // see checkEvents
		subs = append(subs, capture.Subscription{Type: entry.text("type"), Source: entry.text("source"), Exact: true})
	}
	if len(subs) == 0 {
		return []capture.Subscription{none}
	}
	return subs
}

// none matches no event: where no events are enabled an endpoint gets none,
// and with no subscriptions it would get all.
var none = capture.Subscription{Filter: `app:""`}

// enabled are the events that subscriptions choose. * stands for any text, as
// in what was not registered here.
func enabled(subs []capture.Subscription) []event {
	events := []event{}
	if len(subs) == 0 {
		return []event{{"*", "*"}}
	}
	for _, s := range subs {
		if s.Filter == none.Filter && s.Type == "" && s.Source == "" {
			continue
		}
		events = append(events, event{either(s.Type), either(s.Source)})
	}
	return slices.Clip(events)
}

func either(pattern string) string {
	if pattern == "" {
		return "*"
	}
	return pattern
}
