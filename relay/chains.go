package relay

import (
	"fmt"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// leadsTo is the name of a trigger that another follows, or "".
func leadsTo(all []capture.Trigger, name string) string {
	for _, t := range all {
		if name != "" && slices.ContainsFunc(t.Next, func(s capture.Sequel) bool { return s.Trigger == name }) {
			return t.Name
		}
	}
	return ""
}

func followed(id capture.ID, name, by string) error {
	return &capture.ConflictError{Field: "name", With: string(id), What: fmt.Sprintf("%q follows %q; take it out of that one's next first", name, by)}
}

// checkChains refuses a trigger that has another's name, or with which the chains
// of its app would name what is not there, come back to where they were, or
// grow too long.
func checkChains(others []capture.Trigger, t *capture.Trigger) error {
	if len(others) >= mostTriggers {
		return &capture.ConflictError{What: fmt.Sprintf("there are %d triggers of this app already; delete some first", len(others))}
	}
	byName := map[string]*capture.Trigger{t.Name: t}
	for i := range others {
		o := &others[i]
		if o.Name == t.Name {
			return &capture.ConflictError{Field: "name", With: string(o.ID), What: fmt.Sprintf("name: %s is %q already; change that one, or take another name", o.ID, t.Name)}
		}
		byName[o.Name] = o
	}
	for i, step := range t.Next {
		at := fmt.Sprintf("next[%d].", i)
		if byName[step.Trigger] == nil {
			return &capture.FieldError{Field: at + "trigger", Problem: fmt.Sprintf("there is no trigger %q", step.Trigger) + capture.Meant("; did you mean %q?", step.Trigger, sortedKeys(byName))}
		}
		if what, why := misfit(&step, byName[step.Trigger]); why != "" {
			return &capture.FieldError{Field: at + what, Problem: why}
		}
	}
	for _, o := range others {
		for _, step := range o.Next {
			if _, why := misfit(&step, t); step.Trigger == t.Name && why != "" {
				return &capture.ConflictError{With: string(o.ID), What: fmt.Sprintf("it follows %q: %s", o.Name, why)}
			}
		}
	}
	for _, name := range append([]string{t.Name}, sortedKeys(byName)...) { // whoever comes back, comes by this one
		if _, err := chainFrom(byName, name, nil); err != nil {
			return err
		}
	}
	return nil
}

// misfit says why a step cannot lead to a trigger, and which member of the step
// is wrong; "" where it can.
func misfit(s *capture.Sequel, to *capture.Trigger) (member, why string) {
	switch {
	case to.Encoding != "":
		return "trigger", fmt.Sprintf("%q wants %s, which no step of a chain can give it", to.Name, to.Encoding)
	case len(s.Map) > 0 && !to.TakesData():
		return "map", fmt.Sprintf("%q is a %s and takes no data", to.Name, to.Verb())
	}
	return "", ""
}

// chainFrom is how many firings follow from one of a trigger at most.
func chainFrom(byName map[string]*capture.Trigger, name string, before []string) (steps int, err error) {
	if slices.Contains(before, name) {
		return 0, &capture.FieldError{Field: "next", Problem: fmt.Sprintf("it comes back to where it was: %s", strings.Join(append(before, name), " → "))}
	}
	if before = append(before[:len(before):len(before)], name); len(before) > mostDeep {
		return 0, &capture.FieldError{Field: "next", Problem: fmt.Sprintf("the chain from %q is over %d long", before[0], mostDeep)}
	}
	for _, step := range byName[name].Next {
		n, err := chainFrom(byName, step.Trigger, before)
		if err != nil {
			return 0, err
		}
		if steps += 1 + n; steps > mostSteps {
			return 0, &capture.FieldError{Field: "next", Problem: fmt.Sprintf("from %q over %d firings would follow", name, mostSteps)}
		}
	}
	return steps, nil
}
