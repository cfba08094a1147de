package tui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// ruleForm makes a rule, or changes one: then only what was changed is sent,
// so that what the form does not show stays as it is.
type ruleForm struct {
	entry
	of *capture.Rule // nil: a new one
}

// What a rule does, as the form offers it; the faults besides.
const (
	doesMock = "mock"
	doesPass = "pass"
)

func newRuleForm(k *kit, of *capture.Rule) *ruleForm {
	f := &ruleForm{entry: entry{base: newBase(k), in: inForm, asks: true}, of: of}
	s := capture.RuleSpec{Mock: &capture.Mock{}}
	if of != nil {
		s = of.RuleSpec
	}
	choices := []string{doesMock, doesPass}
	for _, kind := range capture.Faults {
		choices = append(choices, string(kind))
	}
	does, status, body, delay := doesPass, 0, "", (*capture.Delay)(nil)
	switch {
	case s.Mock != nil:
		does, status, body, delay = doesMock, s.Mock.Status, s.Mock.Body, s.Mock.Delay
	case s.Fault != nil:
		does, status, delay = string(s.Fault.Kind), s.Fault.Status, s.Fault.Delay
	}
	f.inputs = []input{
		textInput("name", "Name", s.Name, "for people"),
		textInput("match", "Match", s.Match, "a predicate: type:push body.ref:refs/heads/main; empty: everything"),
		choiceInput("on", "Side", string(or(s.On, capture.OnIngest)), "← → ingest: what the sender is told; delivery: what the app's answer becomes", []string{string(capture.OnIngest), string(capture.OnDelivery)}),
		textInput("app", "App", s.App, "whose events; empty: every app's"),
		choiceInput("does", "Does", does, "← → mock: an answer; pass: as without rules; else a fault", choices),
		textInput("status", "Status", digits(status), "of a mock (200) or of the fault status (503)"),
		textInput("body", "Body", body, "of a mock; {{…}} in it are filled in"),
		textInput("delay", "Delay", "", "before it: 500ms, or 1s-3s for a time between"),
		textInput("probability", "Probability", percent(s.Probability), "how often it applies, such as 30%; empty: always"),
		textInput("times", "Times", digits(s.Times), "applies so many times, then it is spent; empty: without end"),
	}
	f.find("match").check = badFilter
	if line, ok := delayLine(delay); ok {
		*f.find("delay") = textInput("delay", "Delay", line, f.find("delay").hint)
	} else {
		f.find("delay").fixed = delayText(delay) + ": the API changes it"
	}
	if s.Mock != nil && len(s.Mock.Sequence) > 0 {
		for _, name := range []string{"does", "status", "body"} {
			f.find(name).fixed = "it answers in turn: the API changes that"
		}
	}
	return f
}

// digits is a number as it is typed, nothing for 0.
func digits(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// percent is a probability as it is typed.
func percent(p *float64) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("%g%%", *p*100)
}

// spanOf is a duration as it is typed.
func spanOf(d capture.Duration) string {
	if d == 0 {
		return ""
	}
	return time.Duration(d).String()
}

// delayLine is a delay as it is typed, and whether it can be.
func delayLine(d *capture.Delay) (line string, ok bool) {
	switch {
	case d == nil:
		return "", true
	case d.Median > 0:
		return "", false
	case d.Max > 0:
		return spanOf(d.Min) + "-" + spanOf(d.Max), true
	}
	return spanOf(d.Fixed), true
}

// readDelay reads what delayLine writes.
func readDelay(line string) (*capture.Delay, error) {
	if line == "" {
		return nil, nil
	}
	from, to, between := strings.Cut(line, "-")
	least, err := time.ParseDuration(strings.TrimSpace(or(from, "0s")))
	if err != nil || least < 0 {
		return nil, errors.New("want a time such as 500ms, or 1s-3s")
	}
	if !between {
		return &capture.Delay{Fixed: capture.Duration(least)}, nil
	}
	most, err := time.ParseDuration(strings.TrimSpace(to))
	if err != nil || most <= least {
		return nil, errors.New("want a longer time behind the -, such as 1s-3s")
	}
	return &capture.Delay{Min: capture.Duration(least), Max: capture.Duration(most)}, nil
}

// readRate reads 30%, 30 or 0.3 as a probability.
func readRate(text string) (*float64, error) {
	if text == "" {
		return nil, nil
	}
	number, cent := strings.CutSuffix(text, "%")
	p, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if cent || p > 1 {
		p /= 100
	}
	if err != nil || !(p >= 0 && p <= 1) {
		return nil, errors.New("want a part such as 30%")
	}
	return &p, nil
}

func (f *ruleForm) Title() string {
	if f.of == nil {
		return "New rule"
	}
	return "Edit rule " + safe.Line(or(f.of.Name, string(f.of.ID)))
}

func (f *ruleForm) Update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		return f, f.key(msg, f.save)
	case ruleSaved:
		return f, f.take(msg)
	}
	return f, nil
}

// ruleSaving is a question to keep a rule, ruleSaved its answer.
type ruleSaving struct {
	Rules
	ctx   context.Context
	spec  capture.RuleSpec
	id    capture.ID // of the one that is there; "": none
	patch json.RawMessage
}

type ruleSaved struct {
	capture.RuleRow
	err error
}

func (s ruleSaving) run() tea.Msg {
	if s.id == "" {
		row, err := s.CreateRule(s.ctx, s.spec)
		return ruleSaved{row, err}
	}
	row, err := s.UpdateRule(s.ctx, s.id, s.patch)
	return ruleSaved{row, err}
}

func (f *ruleForm) save() tea.Cmd {
	if f.busy != "" {
		return nil
	}
	spec, ok := f.spec()
	s := ruleSaving{Rules: f.Rules, ctx: f.ctx, spec: spec}
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
func (f *ruleForm) take(a ruleSaved) tea.Cmd {
	f.busy = ""
	var field *capture.FieldError
	switch {
	case a.err == nil:
		return tea.Sequence(send(popMsg{}), note("saved "+called(&a.RuleRow)))
	case errors.As(a.err, &field) && f.refuse(ruleField(field.Field), field.Problem):
		return send(noteMsg{"not saved: " + f.inputs[f.at].label + " is refused", true})
	}
	return send(noteMsg{"not saved: " + a.err.Error(), true})
}

// ruleField is the field of the form in which a member of a spec is.
func ruleField(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "mock."), "fault.")
	head, _, _ := strings.Cut(path, ".")
	return head
}

// spec is what the form says, and whether all of it can be read. What cannot
// is said at its field.
func (f *ruleForm) spec() (s capture.RuleSpec, ok bool) {
	for i := range f.inputs {
		f.inputs[i].bad = ""
	}
	s.Name, s.Match, s.App = f.value("name"), f.value("match"), f.value("app")
	if s.On = capture.Side(f.value("on")); s.On == capture.OnIngest {
		s.On = ""
	}
	if problem := badFilter(s.Match); problem != "" {
		return s, f.refuse("match", problem) && false
	}
	status, err := readCount(f.value("status"))
	if err != nil {
		return s, f.refuse("status", err.Error()) && false
	}
	delay, err := readDelay(f.value("delay"))
	if err != nil {
		return s, f.refuse("delay", err.Error()) && false
	}
	switch does := f.value("does"); does {
	case doesMock:
		s.Mock = &capture.Mock{Status: status, Body: f.value("body"), Delay: delay}
	case doesPass:
		s.Pass = true
	default:
		s.Fault = &capture.Fault{Kind: capture.FaultKind(does), Status: status, Delay: delay}
	}
	if s.Probability, err = readRate(f.value("probability")); err != nil {
		return s, f.refuse("probability", err.Error()) && false
	}
	if s.Times, err = readCount(f.value("times")); err != nil {
		return s, f.refuse("times", err.Error()) && false
	}
	return s, true
}

// readCount reads a number, 0 where there is none.
func readCount(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s: want a number from 1", text)
	}
	return n, nil
}

// patch is the JSON merge patch of what was changed.
func (f *ruleForm) patch(s capture.RuleSpec) map[string]any {
	p := map[string]any{}
	f.put(p, "name", s.Name, s.Name == "")
	f.put(p, "match", s.Match, s.Match == "")
	f.put(p, "on", s.On, s.On == "")
	f.put(p, "app", s.App, s.App == "")
	f.put(p, "probability", s.Probability, s.Probability == nil)
	f.put(p, "times", s.Times, s.Times == 0)
	if f.find("does").changed() {
		p["mock"], p["fault"], p["pass"] = s.Mock, s.Fault, s.Pass
		return p
	}
	answer := map[string]any{}
	switch {
	case s.Mock != nil:
		f.put(answer, "status", s.Mock.Status, s.Mock.Status == 0)
		f.put(answer, "body", s.Mock.Body, s.Mock.Body == "")
		f.put(answer, "delay", whole(s.Mock.Delay), s.Mock.Delay == nil)
	case s.Fault != nil:
		f.put(answer, "status", s.Fault.Status, s.Fault.Status == 0)
		f.put(answer, "delay", whole(s.Fault.Delay), s.Fault.Delay == nil)
	}
	if len(answer) > 0 {
		p[map[bool]string{true: "mock", false: "fault"}[s.Mock != nil]] = answer
	}
	return p
}

// whole is a delay for a merge patch: what it leaves out goes.
func whole(d *capture.Delay) map[string]any {
	if d == nil {
		return nil
	}
	p := map[string]any{"fixed_ms": nil, "min_ms": nil, "max_ms": nil, "median_ms": nil, "sigma": nil}
	for name, value := range map[string]capture.Duration{"fixed_ms": d.Fixed, "min_ms": d.Min, "max_ms": d.Max} {
		if value > 0 {
			p[name] = value
		}
	}
	return p
}
