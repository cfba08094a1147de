package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	answering "code.hooktape.dev/hooktape/relay/rules"
)

// filedRule is a rule of a configuration file.
var filedRule = capture.Rule{ID: number(capture.RuleID, 1), File: "/home/ada/shop/hooktape.yaml",
	RuleSpec: capture.RuleSpec{Name: "pings", Match: "type:ping*", Mock: &capture.Mock{Status: 204}}}

// ruled is a store with three rules that were made, behind one of a file.
func ruled(t testing.TB, w, h int) (*driver, *relay.Registry, ruleBook) {
	t.Helper()
	s := memory(t)
	keep(t, s, 0, 6)
	half := 0.5
	for n, spec := range []capture.RuleSpec{
		{Name: "slow start", Match: "type:charge.*", Times: 2, Mock: &capture.Mock{Status: 503, Body: `{"error":"warming up"}`, Delay: &capture.Delay{Fixed: capture.Duration(300 * time.Millisecond)}}},
		{Name: "flaky " + evil, Match: `"` + evil + `"`, On: capture.OnDelivery, Probability: &half, Fault: &capture.Fault{Kind: capture.FaultReset}},
		{Disabled: true, Pass: true},
	} {
		_, err := s.EditRule(t.Context(), number(capture.RuleID, n+2), func(r *capture.Rule, _ bool) error {
			*r = capture.Rule{ID: r.ID, RuleSpec: spec, Place: int64(n + 1), Created: noon, Updated: noon}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	book := ruleBook{answering.New(nil), []capture.Rule{filedRule}}
	d, r := manage(t, s, w, h, func(h *relay.Hooks) { h.Rules = book })
	d.press("6")
	return d, r, book
}

func TestRuleFrames(t *testing.T) {
	for _, size := range [][2]int{{40, 10}, {80, 24}, {160, 45}} {
		for name, keys := range map[string][]string{"list": nil, "hostile": {"j", "j"}, "one": {"j", "enter"}, "new": {"n"}, "edit": {"j", "e"},
			"refused": {"n", "tab", "tab", "tab", "tab", "right", "right", "tab", "99", "enter"}, "delete": {"j", "x"}, "explain": {"1", "k", "E"}} {
			name := fmt.Sprintf("rules_%s_%dx%d", name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d, _, _ := ruled(t, size[0], size[1])
				d.press(keys...)
				d.golden(name)
			})
		}
	}
	d, _ := manage(t, memory(t), 80, 24)
	d.press("6")
	d.golden("rules_none_80x24")
}

func TestRulesAreChanged(t *testing.T) {
	d, r, _ := ruled(t, 80, 24)
	order := func() (names string) {
		rows, err := r.Rules(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			names += " " + strings.Fields(or(row.Name, "unnamed"))[0]
			if row.Disabled {
				names += "(off)"
			}
		}
		return names[1:]
	}
	d.want("3 of 4 rules on", "> ", "pings", "mock 204")
	for _, k := range []string{"p", "J", "K", "e", "x"} {
		d.press(k)
		d.want("it is from /home/ada/shop/hooktape.yaml: change it there, and it counts at once")
	}
	d.press("j", "p")
	d.want("disabled slow start", "2 of 4 rules on")
	d.press("p")
	d.want("enabled slow start", "3 of 4 rules on")
	d.press("K")
	d.want("the first already, but for those of files")
	d.press("J")
	d.want("is asked later: slow start")
	if got := order(); got != "pings flaky slow unnamed(off)" {
		t.Errorf("the order is %s", got)
	}
	d.press("J", "J")
	d.want("it is the last already")
	d.press("K", "K")
	if got := order(); got != "pings slow flaky unnamed(off)" {
		t.Errorf("the order is %s", got)
	}
	d.press("x")
	d.want("delete the rule slow start?")
	d.press("y")
	d.want("deleted slow start", "2 of 3 rules on")
	if got := order(); got != "pings flaky unnamed(off)" {
		t.Errorf("the order is %s", got)
	}
	d.press("enter")
	d.want("Rule flaky", "applies to: 50 % of what matches", "does: fault reset")
	d.press("x", "y")
	d.want("deleted flaky", "6·Rules")
	d.press("esc")
	d.want("1·Events")
}

func TestHitsAreFollowed(t *testing.T) {
	d, r, book := ruled(t, 80, 24)
	hit := func() {
		t.Helper()
		e := numbered(0)
		if act, ok := book.Ingest(e.Event, e.Body); !ok || act.Rule != number(capture.RuleID, 2) {
			t.Fatalf("the rule does not apply: %v", act)
		}
	}
	hit()
	ticks := 0
	d.kit.tick = func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { ticks++; return nil }
	second := answer{d.top().ID(), clockMsg{}}
	d.kit.now = func() time.Time { return time.Now().Add(time.Second) }
	d.press("j")
	d.send(second)
	d.want("1  ", "last applied 1s ago to evt_")
	hit()
	d.kit.now = func() time.Time { return time.Now().Add(10 * time.Second) }
	d.send(second)
	d.want("· SPENT")
	d.press("z")
	d.want("forgot what was done by slow start", "● ON    slow start")
	d.press("1")
	ticks = 0
	d.send(second)
	if ticks != 0 {
		t.Error("they are read while they are not on view")
	}
	d.kit.Rules = away{r}
	d.press("6")
	d.want("the relay is busy", "slow start")
}

// away are rules that cannot be read.
type away struct{ *relay.Registry }

func (away) Rules(context.Context, string) ([]capture.RuleRow, error) {
	return nil, errors.New("the relay is busy")
}

func TestRuleIsMade(t *testing.T) {
	d, r, _ := ruled(t, 80, 24)
	d.press("n", "no pushes", "tab", "type:push", "tab", "right", "tab", "tab", "right", "right", "tab", "tab", "tab", "1s-3s", "tab", "30%", "tab", "5", "enter")
	d.want("saved no pushes", "4 of 5 rules on")
	rows, err := r.Rules(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	got := rows[4].RuleSpec
	if got.Name != "no pushes" || got.Match != "type:push" || got.On != capture.OnDelivery || got.Fault == nil || got.Fault.Kind != capture.FaultTimeout ||
		got.Fault.Delay.Max != capture.Duration(3*time.Second) || *got.Probability != 0.3 || got.Times != 5 || got.Mock != nil {
		t.Errorf("made %+v with %+v", got, got.Fault)
	}
	d.press("end", "G", "e", "tab", "tab", "tab", "tab", "left", "left", "tab", "418", "tab", "short and stout", "tab", "ctrl+u", "enter")
	d.want("saved no pushes")
	rows, err = r.Rules(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := rows[4].RuleSpec; got.Fault != nil || got.Mock == nil || got.Mock.Status != 418 || got.Mock.Body != "short and stout" || got.Mock.Delay != nil || got.Times != 5 {
		t.Errorf("changed to %+v with %+v", got, got.Mock)
	}
	d.press("e", "tab", "tab", "tab", "tab", "tab", "tab", "tab", "250ms", "enter")
	rows, _ = r.Rules(t.Context(), "")
	if m := rows[4].Mock; m.Status != 418 || m.Delay == nil || m.Delay.Fixed != capture.Duration(250*time.Millisecond) {
		t.Errorf("changed to %+v", m)
	}
	d.press("e", "enter")
	d.want("nothing was changed")
	d.press("e", "tab", "(((", "enter")
	d.want("not saved: Match")
	d.press("esc")
	d.want("discard what was changed?")
}

func TestRuleIsExplained(t *testing.T) {
	d, _, _ := ruled(t, 80, 24)
	d.press("1", "k", "E")
	d.want("rule pings", "✓ rules", "rule pings, ingest", "✗ no", "it is disabled")
	d.press("enter")
	d.want("Rule pings", "from: /home/ada/shop/hooktape.yaml")
}
