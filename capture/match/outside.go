package match

import (
	"encoding/json"
	"strings"

	"code.hooktape.dev/hooktape/capture"
)

// Outside is the first path that Wacht's filter rules ask about and a JSON
// Schema does not name, below properties within properties. What is no rules or
// no object of a schema is not judged.
func Outside(rules, schema json.RawMessage) (path string, outside bool) {
	if operandProblem(rules) != "" || !json.Valid(schema) || depth(string(schema)) > maxSchemaLevels {
		return "", false
	}
	has, isSchema := decode(string(schema)).(object)
	if !isSchema {
		return "", false
	}
	return outsideOf(decode(string(rules)), has)
}

const maxSchemaLevels = 1000

func outsideOf(rules any, schema object) (path string, outside bool) {
	all, _ := rules.(object)
	for _, m := range all {
		if m.name == "$and" || m.name == "$or" {
			list, _ := m.value.([]any)
			for _, rules := range list {
				if path, outside := outsideOf(rules, schema); outside {
					return path, true
				}
			}
			continue
		}
		if !names(schema, strings.Split(m.name, ".")) {
			return m.name, true
		}
	}
	return "", false
}

// names reports whether a schema has a property of that path.
func names(schema object, path []string) bool {
	for _, key := range path {
		properties, _ := schema.member("properties").(object)
		below, ok := properties.member(key).(object)
		if !ok && properties.member(key) != true {
			return false
		}
		schema = below
	}
	return true
}

// member is the value of a member; nil where there is none.
func (o object) member(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// Names reports whether one of an endpoint's subscriptions names an event's
// type and source, whatever else it asks.
func Names(e *capture.Endpoint, of *capture.Event) bool {
	row := &capture.Row{Event: *of}
	for _, s := range e.Subscriptions {
		if s.Type == "" {
			continue
		}
		if p, err := Subscribe(&capture.EndpointSpec{Subscriptions: []capture.Subscription{{Type: s.Type, Source: s.Source, Exact: s.Exact}}}); err == nil && p.Match(Subject{Row: row}) {
			return true
		}
	}
	return false
}
