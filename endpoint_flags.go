package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// endpointFlags are what an EndpointSpec can be given beside its URL. What
// chooses events goes into chosen, everything else into p.
func endpointFlags(e *env, p patch, chosen *choice) []cli.Flag {
	return append(chosen.flags(e),
		p.flag("description", "`TEXT` for people", asText, "description"),
		p.flag("filter", "only events that match `EXPR`, whatever else chooses them", asText, "filter"),
		p.header("header", "H", "send the header `'K: V'` with every attempt; repeatable", "headers"),
		p.flag("metadata", "keep `JSON`, or @FILE, with it: an object, merged into what is there", e.asJSON, "metadata"),
		p.flag("format", "put events into requests in `FORMAT`: auto, "+listed(capture.Formats), oneOf(append([]capture.Format{"auto"}, capture.Formats...)...), "format"),
		p.flag("timeout", "give up an attempt after `TIME`", asSpan, "timeout_ms"),
		p.flag("concurrency", "have up to `N` attempts under way at a time; 1 keeps events in order", asNumber, "concurrency"),
		p.flag("rate-limit", "begin at most so many attempts in a time: `10/1s`", asRate, "rate_limit"),
		setter("retry", "try again by `PRESET` ("+strings.Join(presets(), ", ")+"), or after waits: 5s,1m,10m", p.retry),
		p.flag("attempts", "give a delivery up after `N` attempts", asNumber, "retry", "attempts"),
	)
}

func listed[T ~string](words []T) string {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	return strings.Join(names, ", ")
}

func presets() []string { return slices.Sorted(maps.Keys(capture.Schedules)) }

// checkFilter finds a mistake in the filter while it still knows where.
func (p patch) checkFilter() error {
	expr, _ := p["filter"].(string)
	_, err := match.Parse(expr)
	return err
}

func asRate(v string) (any, error) {
	count, span, ok := strings.Cut(v, "/")
	if strings.Trim(span, "dhms") == "" { // 10/s
		span = "1" + span
	}
	n, err := strconv.Atoi(count)
	per, wrong := asSpan(span)
	if !ok || err != nil || wrong != nil {
		return nil, fmt.Errorf("%q: want a number and a time such as 10/1s", v)
	}
	return capture.RateLimit{Max: n, Per: per.(capture.Duration)}, nil
}

// retry sets a preset, or waits in place of one. The number of attempts is
// then the preset's or what the waits make it, unless --attempts says.
func (p patch) retry(v string) error {
	if v == "" {
		p.set(nil, "retry")
		return nil
	}
	var preset, waits any
	if v[0] >= '0' && v[0] <= '9' {
		var list []capture.Duration
		for text := range strings.SplitSeq(v, ",") {
			span, err := asSpan(strings.TrimSpace(text))
			if err != nil {
				return err
			}
			list = append(list, span.(capture.Duration))
		}
		waits = list
	} else {
		name, err := oneOf(presets()...)(v)
		if err != nil {
			return err
		}
		preset = name
	}
	if below, ok := p["retry"].(patch); !ok || below["attempts"] == nil {
		p.set(nil, "retry", "attempts")
	}
	p.set(preset, "retry", "preset")
	p.set(waits, "retry", "waits_ms")
	return nil
}

// choice is what flags say about the events that an endpoint gets: one
// subscription for each type, all with the same source, conditions and rules.
// What is nil was not given.
type choice struct {
	types      []string
	source     *string
	conditions []capture.Condition
	rules      json.RawMessage
}

func (c *choice) flags(e *env) []cli.Flag {
	return []cli.Flag{
		setter("type", "get events of `TYPE`; * stands for any text; repeatable, or a list with commas", func(v string) error {
			c.types = append(c.types, strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })...)
			if c.types == nil {
				c.types = []string{}
			}
			return nil
		}),
		setter("source", "get events from `SOURCE`; * stands for any text", func(v string) error {
			c.source = &v
			return nil
		}),
		setter("condition", "get events for which `'KEY OP VALUE'` holds, such as 'amount gt 100'; repeatable, one is enough", func(v string) error {
			if v == "" {
				c.conditions = []capture.Condition{}
				return nil
			}
			row, err := asCondition(v)
			c.conditions = append(c.conditions, row)
			return err
		}),
		setter("rules", "get events by the filter rules in `JSON`, or @FILE", func(v string) (err error) {
			c.rules = json.RawMessage{}
			if v != "" {
				c.rules, err = e.text(v)
			}
			if err == nil && len(c.rules) > 0 {
				err = checkJSON(c.rules)
			}
			return err
		}),
	}
}

// asCondition reads a row: the value is JSON, or text that is not.
func asCondition(v string) (capture.Condition, error) {
	key, rest, _ := strings.Cut(strings.TrimSpace(v), " ")
	op, value, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if op == "" {
		return capture.Condition{}, fmt.Errorf("%q: want 'KEY OP VALUE', such as 'amount gt 100'", v)
	}
	row := capture.Condition{Key: key, Condition: op}
	if value = strings.TrimSpace(value); value == "" {
		return row, nil
	}
	if row.Value = json.RawMessage(value); !json.Valid(row.Value) {
		b, err := json.Marshal(value)
		row.Value = b
		return row, err
	}
	return row, nil
}

func (c *choice) given() bool {
	return c.types != nil || c.source != nil || c.conditions != nil || c.rules != nil
}

// into puts the subscriptions into p: the old ones with what was given in
// place of theirs. It fails when the old ones differ in more than their
// types, which flags cannot say.
func (c *choice) into(p patch, old []capture.Subscription) error {
	if !c.given() {
		return nil
	}
	var each capture.Subscription
	var types []string
	for i, s := range old {
		types, s.Type = append(types, s.Type), ""
		if i > 0 && !reflect.DeepEqual(s, each) {
			return usage("the endpoint's subscriptions differ in more than their types, so that flags cannot say which to change")
		}
		each = s
	}
	if c.types != nil {
		types, each.Exact = c.types, false
	}
	if c.source != nil {
		each.Source, each.Exact = *c.source, false
	}
	if c.conditions != nil {
		each.Conditions = c.conditions
	}
	if c.rules != nil {
		each.Rules = c.rules
	}
	if len(types) == 0 {
		types = []string{""}
	}
	var subscriptions []capture.Subscription
	for _, t := range types {
		each.Type = t
		subscriptions = append(subscriptions, each)
	}
	if len(types) == 1 && len(each.Conditions) == 0 && len(each.Rules) == 0 && each.Type+each.Source+each.Filter == "" {
		p.set(nil, "subscriptions")
		return nil
	}
	p.set(subscriptions, "subscriptions")
	return nil
}
