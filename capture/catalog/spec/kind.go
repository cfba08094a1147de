package spec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// kindOf is what a document is.
func kindOf(roots []any, o Options) (Kind, error) {
	if o.Kind != "" {
		if len(roots) > 1 && o.Kind != Types {
			return "", fmt.Errorf("there are %d JSON documents in it: give one at a time", len(roots))
		}
		return o.Kind, nil
	}
	one := asObject(roots[0])
	if list := asList(roots[0]); len(list) > 0 && len(roots) == 1 {
		switch one := asObject(list[0]); {
		case one.has("tag"):
			return Types, nil
		case one.has("name") && one.has("examples"):
			return GitHub, nil
		}
		return "", errors.New("a JSON array of neither event types (tag) nor GitHub's examples (name, examples)")
	}
	switch {
	case one.has("tag") && one.has("sample"):
		return Types, nil
	case len(roots) > 1:
		return "", errors.New("several JSON documents that are no event types: give one at a time")
	case one.has("openapi"):
		return OpenAPI, nil
	case one.has("swagger"):
		return "", errors.New("swagger 2.0 has no webhooks: convert it to OpenAPI 3 and add them")
	case one.has("asyncapi"):
		return AsyncAPI, nil
	case asObject(one.get("resources")) != nil:
		return Stripe, nil
	case strings.HasSuffix(o.Name, payloadSuffix):
		return GitHub, nil
	case slices.ContainsFunc([]string{"$schema", "$defs", "$ref", "type", "properties", "allOf", "anyOf", "oneOf", "items", "const", "enum"}, one.has):
		return Schema, nil
	case one == nil:
		return "", errors.New("no document of webhooks: want OpenAPI 3, AsyncAPI, a JSON Schema, GitHub's examples, Stripe's fixtures or event types")
	}
	return "", fmt.Errorf("an object with the members %s is no document of webhooks that is known: want OpenAPI 3, AsyncAPI, a JSON Schema, GitHub's examples, Stripe's fixtures or event types",
		cut(strings.Join(one.keys[:min(5, len(one.keys))], ", "), 200))
}
