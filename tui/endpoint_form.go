package tui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
)

// endpointForm makes an endpoint, or changes one: then only what was changed
// is sent, so that what the form does not show stays as it is.
type endpointForm struct {
	entry
	app string
	of  *capture.Endpoint // nil: a new one
}

// auto is the choice of a format for FormatAuto.
const auto = "auto"

func newEndpointForm(k *kit, app string, of *capture.Endpoint) *endpointForm {
	f := &endpointForm{entry: entry{base: newBase(k), in: inForm, asks: true}, app: app, of: of}
	var s capture.EndpointSpec
	if of != nil {
		s = of.EndpointSpec
	}
	types, source, plain := simple(s.Subscriptions)
	headers, legible := headerLine(s.Headers)
	concurrency := ""
	if s.Concurrency > 0 {
		concurrency = strconv.Itoa(s.Concurrency)
	}
	formats := []string{auto}
	for _, name := range capture.Formats {
		formats = append(formats, string(name))
	}
	f.inputs = []input{
		textInput("url", "URL", s.URL, "http:// or https://"),
		textInput("app", "App", app, "whose events it gets"),
		textInput("description", "Description", s.Description, "for people"),
		textInput("types", "Event types", types, "separated by commas: invoice.*, push; empty: all"),
		textInput("source", "Source", source, "of the events; * stands for any text; empty: any"),
		textInput("filter", "Filter", s.Filter, "a predicate that every event must match: body.amount:>100"),
		choiceInput("format", "Format", or(string(s.Format), auto), "← → choose; auto: as caught, or Standard Webhooks for what was made here", formats),
		textInput("timeout_ms", "Timeout", s.Timeout.Short(), "of an attempt, such as 30s; empty: 15s"),
		textInput("rate_limit", "Rate limit", limit(s.RateLimit), "attempts in a time, such as 10/s or 100/5m; empty: none"),
		textInput("concurrency", "At a time", concurrency, "attempts under way at a time; empty: 1, which keeps them in order"),
		retryInput(s.Retry),
		textInput("headers", "Headers", headers, "sent with every attempt: X-Team: billing; X-Env: test"),
	}
	f.find("filter").check = badFilter
	if of != nil {
		f.find("app").fixed = "an endpoint stays with its app"
	}
	if !plain {
		for _, name := range []string{"types", "source"} {
			*f.find(name) = textInput(name, f.find(name).label, "", "")
			f.find(name).fixed = subscribed(s.Subscriptions) + ": the API changes these, they say more than fits here"
		}
	}
	if !legible {
		*f.find("headers") = textInput("headers", "Headers", "", "")
		f.find("headers").fixed = "the API changes them, there is more in them than fits a line"
	}
	return f
}

// retryInput is the choice of a retry preset. A policy that was changed by
// hand is one more choice, and choosing another gives it up.
func retryInput(p *capture.RetryPolicy) input {
	presets := slices.Sorted(maps.Keys(capture.Schedules))
	presets = slices.Insert(slices.DeleteFunc(presets, func(s string) bool { return s == "default" }), 0, "default")
	now := "default"
	if p != nil {
		now = or(p.Preset, now)
		if custom(p) {
			now += ", changed"
			presets = append(presets, now)
		}
	}
	return choiceInput("retry", "Retries", now, "← → choose the schedule of retries", presets)
}

// badFilter says what is wrong with a predicate.
func badFilter(text string) string {
	var f filter
	if f.set(text); f.bad != nil {
		return f.verdict().text
	}
	return ""
}

func (f *endpointForm) Title() string {
	if f.of == nil {
		return "New endpoint"
	}
	return "Edit " + address(f.of.URL)
}

func (f *endpointForm) Update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		return f, f.key(msg, f.save)
	case saved:
		return f, f.take(msg)
	}
	return f, nil
}

// saving is a question to keep an endpoint, saved its answer.
type saving struct {
	Registry
	ctx   context.Context
	app   string
	spec  capture.EndpointSpec
	id    capture.ID // of the one that is there; "": none
	patch json.RawMessage
}

type saved struct {
	capture.Endpoint
	err error
}

func (s saving) run() tea.Msg {
	if s.id == "" {
		e, err := s.CreateEndpoint(s.ctx, s.app, s.spec)
		return saved{e, err}
	}
	e, err := s.UpdateEndpoint(s.ctx, s.id, s.patch)
	return saved{e, err}
}

func (f *endpointForm) save() tea.Cmd {
	if f.busy != "" {
		return nil
	}
	spec, ok := f.spec()
	s := saving{Registry: f.Registry, ctx: f.ctx, app: f.value("app"), spec: spec}
	var patch func() map[string]any
	if f.of != nil {
		s.id, patch = f.of.ID, func() map[string]any { return f.patch(spec) }
	}
	return f.keep(ok, patch, func(changes json.RawMessage) func() tea.Msg {
		s.patch = changes
		return s.run
	})
}

// take shows what was refused at its field.
func (f *endpointForm) take(a saved) tea.Cmd {
	f.busy = ""
	var field *capture.FieldError
	var clash *capture.ConflictError
	switch {
	case a.err == nil && f.of == nil:
		return tea.Batch(send(replaceMsg{newOnce(f.kit, a.Endpoint, "The endpoint is there. Its secret signs what it is sent:")}), send(changedMsg{}))
	case a.err == nil:
		return tea.Sequence(send(popMsg{}), note("saved "+a.URL), send(changedMsg{}))
	case errors.As(a.err, &field) && f.refuse(fieldOf(field.Field), field.Problem), errors.As(a.err, &clash) && f.refuse(fieldOf(clash.Field), clash.What):
		return send(noteMsg{"not saved: " + f.inputs[f.at].label + " is refused", true})
	case f.of == nil && errors.Is(a.err, capture.ErrNotFound):
		f.refuse("app", a.err.Error())
	}
	return send(noteMsg{"not saved: " + a.err.Error(), true})
}

// fieldOf is the field of the form in which a member of a spec is.
func fieldOf(path string) string {
	head := path
	if i := strings.IndexAny(path, ".["); i >= 0 {
		head = path[:i]
	}
	if head != "subscriptions" {
		return head
	}
	if strings.HasSuffix(path, ".source") {
		return "source"
	}
	return "types"
}

// spec is what the form says, and whether all of it can be read. What cannot
// is said at its field.
func (f *endpointForm) spec() (s capture.EndpointSpec, ok bool) {
	for i := range f.inputs {
		f.inputs[i].bad = ""
	}
	bad := ""
	refuse := func(name, problem string) {
		if f.of != nil && !f.find(name).changed() {
			return // it is not sent
		}
		if f.find(name).bad = problem; problem != "" && bad == "" {
			bad = name
		}
	}
	s.URL, s.Description, s.Filter = f.value("url"), f.value("description"), f.value("filter")
	if s.URL == "" {
		refuse("url", "where should events go?")
	}
	refuse("filter", badFilter(s.Filter))
	if format := f.value("format"); format != auto {
		s.Format = capture.Format(format)
	}
	var err error
	if t := f.value("timeout_ms"); t != "" {
		d, err := time.ParseDuration(t)
		if err != nil || d <= 0 {
			refuse("timeout_ms", "want a time such as 30s")
		}
		s.Timeout = capture.Duration(d)
	}
	if t := f.value("concurrency"); t != "" {
		if s.Concurrency, err = strconv.Atoi(t); err != nil || s.Concurrency < 1 {
			refuse("concurrency", "want a number from 1")
		}
	}
	if s.RateLimit, err = readLimit(f.value("rate_limit")); err != nil {
		refuse("rate_limit", err.Error())
	}
	if preset := f.value("retry"); preset != "default" {
		s.Retry = &capture.RetryPolicy{Preset: preset}
	}
	if s.Headers, err = readHeaders(f.value("headers")); err != nil {
		refuse("headers", err.Error())
	}
	if name := f.unseen(s.Headers); name != "" {
		refuse("headers", name+": type its value, or give it back the one it had")
	}
	s.Subscriptions = subscriptions(f.value("types"), f.value("source"))
	if bad != "" {
		return s, f.refuse(bad, f.find(bad).bad) && false
	}
	return s, true
}

// unseen is a header whose value would be the mask of a secret. What reads
// mask is kept where it comes back under its own name.
func (f *endpointForm) unseen(hs map[string]string) string {
	for _, name := range sorted(hs) {
		if strings.Contains(hs[name], "••••") && (f.of == nil || f.of.Headers[name] != hs[name]) {
			return name
		}
	}
	return ""
}

// patch is the JSON merge patch of what was changed.
func (f *endpointForm) patch(s capture.EndpointSpec) map[string]any {
	p := map[string]any{}
	f.put(p, "url", s.URL, false)
	f.put(p, "description", s.Description, s.Description == "")
	f.put(p, "filter", s.Filter, s.Filter == "")
	f.put(p, "format", s.Format, s.Format == "")
	f.put(p, "timeout_ms", s.Timeout, s.Timeout == 0)
	f.put(p, "concurrency", s.Concurrency, s.Concurrency == 0)
	f.put(p, "rate_limit", s.RateLimit, s.RateLimit == nil)
	if f.find("types").changed() || f.find("source").changed() {
		p["subscriptions"] = s.Subscriptions
	}
	if f.find("retry").changed() {
		// All that the policy said beside its preset goes.
		p["retry"] = map[string]any{"preset": f.value("retry"), "attempts": nil, "waits_ms": nil, "jitter": nil,
			"disable_after_exhausted": nil, "disable_after_failures": nil}
		if s.Retry == nil {
			p["retry"] = nil
		}
	}
	if f.find("headers").changed() {
		headers := map[string]any{}
		for k := range f.of.Headers {
			headers[k] = nil
		}
		for k, v := range s.Headers {
			headers[k] = v
		}
		p["headers"] = headers
	}
	return p
}

// simple says subscriptions as a list of types and a source, if that says all
// of them.
func simple(subs []capture.Subscription) (types, source string, ok bool) {
	var list []string
	for i, s := range subs {
		if s.Exact || s.Filter != "" || len(s.Conditions) > 0 || len(s.Rules) > 0 ||
			i > 0 && s.Source != source || strings.ContainsAny(s.Type, ", ") || s.Type == "" && len(subs) > 1 {
			return "", "", false
		}
		if source = s.Source; s.Type != "" {
			list = append(list, s.Type)
		}
	}
	return strings.Join(list, ", "), source, true
}

// subscriptions are what simple reads.
func subscriptions(types, source string) (subs []capture.Subscription) {
	for t := range strings.SplitSeq(types, ",") {
		if t = strings.TrimSpace(t); t != "" {
			subs = append(subs, capture.Subscription{Type: t, Source: source})
		}
	}
	if len(subs) == 0 && source != "" {
		subs = append(subs, capture.Subscription{Source: source})
	}
	return subs
}

// readLimit reads what limit writes.
func readLimit(text string) (*capture.RateLimit, error) {
	if text == "" {
		return nil, nil
	}
	most, per, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(strings.TrimSpace(most))
	if err != nil || n < 1 {
		return nil, errors.New("want attempts in a time, such as 10/s or 100/5m")
	}
	if per = strings.TrimSpace(per); per == "" {
		per = "s"
	}
	if per[0] < '0' || per[0] > '9' {
		per = "1" + per
	}
	d, err := time.ParseDuration(per)
	if err != nil || d <= 0 {
		return nil, fmt.Errorf("%s: want a time such as s, 5m or 1h behind the /", per)
	}
	return &capture.RateLimit{Max: n, Per: capture.Duration(d)}, nil
}

// between is where one header ends and the next begins. A value may hold
// semicolons of its own.
var between = regexp.MustCompile(`;\s*([!#$%&'*+.^_\x60|~0-9A-Za-z-]+:)`)

// readHeaders reads headers from a line.
func readHeaders(line string) (map[string]string, error) {
	if line == "" {
		return nil, nil
	}
	hs := map[string]string{}
	for h := range strings.SplitSeq(between.ReplaceAllString(line, "\n$1"), "\n") {
		name, value, ok := strings.Cut(h, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, fmt.Errorf("%q: want Name: value; Name: value", strings.TrimSpace(h))
		}
		hs[name] = strings.Trim(value, " ;")
	}
	return hs, nil
}

// headerLine is headers on a line, and whether they can be read from it.
func headerLine(hs map[string]string) (line string, ok bool) {
	var list []string
	for _, k := range sorted(hs) {
		list = append(list, k+": "+hs[k])
	}
	line = strings.Join(list, "; ")
	back, err := readHeaders(line)
	return line, err == nil && maps.Equal(back, hs)
}
