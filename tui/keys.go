package tui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// action is something a key does. Screens are given actions, not keys; its
// text is the name by which a key is bound to it in a configuration.
type action string

const (
	goDown        action = "down"
	goUp          action = "up"
	goHalfDown    action = "half-page-down"
	goHalfUp      action = "half-page-up"
	goPageDown    action = "page-down"
	goPageUp      action = "page-up"
	goTop         action = "top"
	goBottom      action = "bottom"
	goRight       action = "right"
	goLeft        action = "left"
	nextFailed    action = "next-failed"
	prevFailed    action = "previous-failed"
	open          action = "open"
	back          action = "back"
	otherPane     action = "other-pane"
	grow          action = "grow"
	shrink        action = "shrink"
	nextTab       action = "next-tab"
	prevTab       action = "previous-tab"
	otherDown     action = "next-event"
	otherUp       action = "previous-event"
	find          action = "find"
	nextMatch     action = "next-match"
	prevMatch     action = "previous-match"
	follow        action = "follow"
	mark          action = "mark"
	unmark        action = "unmark"
	pin           action = "pin"
	replay        action = "replay"
	replayTo      action = "replay-to"
	replayAs      action = "replay-as"
	retry         action = "retry"
	explain       action = "explain"
	create        action = "create"
	edit          action = "edit"
	toggle        action = "toggle"
	raise         action = "sooner"
	lower         action = "later"
	reset         action = "reset"
	trigger       action = "trigger"
	makeSample    action = "make-sample"
	judge         action = "signature"
	rotate        action = "rotate-secret"
	test          action = "test"
	nextField     action = "next-field"
	prevField     action = "previous-field"
	nextChoice    action = "next-choice"
	prevChoice    action = "previous-choice"
	saveForm      action = "save"
	copyMenu      action = "copy"
	remove        action = "delete"
	bodyMode      action = "body-mode"
	wrapLines     action = "wrap"
	showSecrets   action = "secrets"
	showHelp      action = "help"
	viewEvents    action = "view-events"
	viewEndpoints action = "view-endpoints"
	viewQueue     action = "view-queue"
	viewLog       action = "view-log"
	viewListeners action = "view-listeners"
	viewRules     action = "view-rules"
	viewSamples   action = "view-samples"
	cycleTheme    action = "theme"
	toggleHints   action = "hints"
	redraw        action = "redraw"
	suspend       action = "suspend"
	quit          action = "quit"
	quitAtOnce    action = "quit-now"
)

// place is where the keyboard is; a command of the key table belongs to one
// or more.
type place uint32

const (
	inList      place = 1 << iota // the list of events
	inBody                        // one event
	inTries                       // the attempts of one event
	inEndpoints                   // the list of endpoints
	inEndpoint                    // one endpoint
	inQueue                       // the list of what is due
	inListeners                   // who listens through a relay
	inExplain                     // who gets an event
	inForm                        // text fields
	inSecret                      // a secret that is shown once
	inRules                       // the list of rules
	inRule                        // one rule
	inSamples                     // the list of event types
	inSample                      // one event type
	inSend                        // text fields of what is to be sent
	inVerdict                     // why a signature is what it is
	inText                        // lines to read
	anywhere

	inEvent = inBody | inTries
	moving  = inList | inEvent | inEndpoints | inEndpoint | inQueue | inListeners | inExplain | inRules | inRule | inSamples | inSample | inVerdict | inText
)

// places are their names, in their order.
var places = []string{"list", "event", "attempts", "endpoints", "endpoint", "queue", "listeners", "explain", "form", "secret", "rules", "rule", "samples", "sample", "sending", "signature", "text", "anywhere"}

// command is a row of the key table: what the user can do, by which keys and
// where. Footer, help and the reaction to keys are made from it.
type command struct {
	action action
	in     place
	key.Binding
	foot string // in the footer, in a word or two; "" keeps it out
}

func bind(a action, in place, keys, shown, does, foot string) command {
	return command{a, in, key.NewBinding(key.WithKeys(strings.Fields(keys)...), key.WithHelp(shown, does)), foot}
}

// keyTable is every command, in the order footer and help show them. " " is
// a key too, and is written "space" here.
func keyTable() []command {
	return []command{
		bind(open, inList, "enter", "enter", "inspect the event", "open"),
		bind(open, inEndpoints, "enter", "enter", "its attempts, what is due, all of it", "open"),
		bind(open, inEndpoint|inQueue, "enter", "enter", "the attempt: its request and response", "open"),
		bind(open, inExplain, "enter", "enter", "the endpoint, or the rule", "open"),
		bind(open, inRules, "enter", "enter", "all of the rule", "open"),
		bind(open, inRule, "enter", "enter", "the event it was last applied to", "last event"),
		bind(open, inSecret, "enter", "enter", "the endpoint", "endpoint"),
		bind(open, inSamples, "enter", "enter", "its sample: the request", "open"),
		bind(saveForm, inForm, "enter ctrl+s", "enter", "save", "save"),
		bind(saveForm, inSend, "enter ctrl+s", "enter", "send it", "send"),
		bind(back, inForm|inSend, "esc", "esc", "leave; asks when something was changed", "leave"),
		bind(nextField, inForm|inSend, "tab down", "tab", "next field", "next"),
		bind(prevField, inForm|inSend, "shift+tab up", "shift+tab", "previous field", "previous"),
		bind(nextChoice, inForm|inSend, "right", "→", "next choice", ""),
		bind(prevChoice, inForm|inSend, "left", "←", "previous choice", ""),
		bind(back, inEvent|inEndpoint|inQueue|inListeners|inExplain|inSecret|inRules|inRule|inSample|inVerdict|inText, "esc", "esc", "back; close what was opened last", "back"),
		bind(replay, inList|inBody, "r", "r", "replay now (the marked, else the selected)", "replay"),
		bind(retry, inTries|inEndpoint, "r", "r", "retry the attempt: the same event, to its endpoint alone", "retry"),
		bind(replayTo, inList|inEvent, "R", "R", "replay to another URL", ""),
		bind(replayAs, inList|inEvent, "a", "a", "replay as… the original, a retry, or an event of its own", ""),
		bind(create, inEndpoints, "n c", "n", "new endpoint", "new"),
		bind(trigger, inSamples|inSample, "t", "t", "trigger: send the sample, signed as its provider signs", "trigger"),
		bind(create, inRules|inRule, "n c", "n", "new rule, behind all others", "new"),
		bind(edit, inRules|inRule, "e", "e", "edit the rule", "edit"),
		bind(toggle, inRules|inRule, "p", "p", "disable the rule, or enable it again", "on/off"),
		bind(raise, inRules|inRule, "K shift+up", "K", "ask it sooner: one place up", "up"),
		bind(lower, inRules|inRule, "J shift+down", "J", "ask it later: one place down", "down"),
		bind(reset, inRules|inRule, "z", "z", "forget what it has done: hits, sequence, scenario", "reset"),
		bind(remove, inRules|inRule, "x", "x", "delete (asks)", "delete"),
		bind(edit, inEndpoints|inEndpoint, "e", "e", "edit the endpoint", "edit"),
		bind(test, inEndpoints|inEndpoint, "t", "t", "test: send it an event, once", "test"),
		bind(toggle, inEndpoints|inEndpoint, "p", "p", "disable (asks why), or enable again", "on/off"),
		bind(rotate, inEndpoints|inEndpoint, "s", "s", "new secret (asks); the old one counts for a day", ""),
		bind(find, inList, "/", "/", "filter, live; esc clears it", "filter"),
		bind(find, inEndpoints, "/", "/", "filter by words, live; !word leaves out; esc clears it", "filter"),
		bind(find, inSamples, "/", "/", "filter by words, live; !word leaves out; esc clears it", "filter"),
		bind(find, inEvent, "/", "/", "search; esc clears it", "search"),
		bind(nextTab, inEvent|inEndpoint, "] tab", "]", "next tab", "tab"),
		bind(prevTab, inEvent|inEndpoint, "[ shift+tab", "[", "previous tab", ""),
		bind(judge, inList|inEvent, "s", "s", "signature: the verdict, and each step to it", "sig"),
		bind(bodyMode, inEvent, "v", "v", "body: pretty, raw, hex", "view"),
		bind(copyMenu, inList|inEvent, "y", "y", "copy… (body, curl, id, url, headers)", "copy"),
		bind(copyMenu, inEndpoints|inEndpoint, "y", "y", "copy… (url, id)", ""),
		bind(copyMenu, inSecret, "y", "y", "copy the secret", "copy"),
		bind(mark, inList, "space", "space", "mark; r, x and m act on the marked", "mark"),
		bind(unmark, inList, `ctrl+\`, `ctrl+\`, "unmark all", ""),
		bind(pin, inList|inEvent, "m", "m", "pin: keep it from being pruned", "pin"),
		bind(makeSample, inList|inEvent, "M", "M", "make a sample of it: an event type that can be triggered", ""),
		bind(explain, inList|inEvent, "E", "E", "explain: which endpoints get it, which rule answers it, and why others do not", ""),
		bind(judge, inVerdict, "s", "s", "judge it as if it came now, or as of when it came", "clock"),
		bind(remove, inList|inEvent, "x", "x", "delete (asks)", ""),
		bind(remove, inEndpoints|inEndpoint, "x", "x", "delete (asks); what is due to it is skipped", ""),
		bind(remove, inListeners, "x", "x", "remove (asks): its place is forgotten, its connection ended", "remove"),
		bind(follow, inList, "F", "F", "follow the newest on/off", "follow"),
		bind(otherDown, inEvent, "J", "J", "next event", "next"),
		bind(otherUp, inEvent, "K", "K", "previous event", ""),
		bind(otherDown, inList, "J", "J", "scroll the other pane down", ""),
		bind(otherUp, inList, "K", "K", "scroll the other pane up", ""),
		bind(nextMatch, inEvent, "n", "n", "next match", ""),
		bind(prevMatch, inEvent, "N", "N", "previous match", ""),
		bind(nextFailed, inList, "}", "}", "next failed event", ""),
		bind(prevFailed, inList, "{", "{", "previous failed event", ""),
		bind(goDown, moving, "j down", "j ↓", "down", ""),
		bind(goUp, moving, "k up", "k ↑", "up", ""),
		bind(goTop, moving, "g home", "g Home", "first; among events: the oldest", ""),
		bind(goBottom, moving, "G end", "G End", "last; among events: follow the newest", ""),
		bind(goHalfDown, moving, "ctrl+d", "ctrl+d", "half a page down", ""),
		bind(goHalfUp, moving, "ctrl+u", "ctrl+u", "half a page up", ""),
		bind(goPageDown, moving, "pgdown ctrl+f", "PgDn", "a page down", ""),
		bind(goPageUp, moving, "pgup ctrl+b", "PgUp", "a page up", ""),
		bind(goLeft, inEvent, "h left", "h ←", "scroll left", ""),
		bind(goRight, inEvent, "l right", "l →", "scroll right", ""),
		bind(wrapLines, inEvent, "w", "w", "wrap long lines on/off", ""),
		bind(otherPane, inList, "tab", "tab", "to the event's pane", ""),
		bind(grow, inList|inEvent, "+", "+", "wider list", ""),
		bind(shrink, inList|inEvent, "_ -", "_", "narrower list", ""),
		bind(showSecrets, inList|inEvent, "S", "S", "show/hide secrets", ""),
		bind(showHelp, anywhere, "? : ctrl+p", "?", "help for here; type to search, enter runs", "help"),
		bind(viewEvents, anywhere, "1", "1", "events", ""),
		bind(viewEndpoints, anywhere, "2", "2", "endpoints", ""),
		bind(viewQueue, anywhere, "3", "3", "what is due to be sent", ""),
		bind(viewLog, anywhere, "4", "4", "log of this program", ""),
		bind(viewListeners, anywhere, "5", "5", "who listens through this relay", ""),
		bind(viewRules, anywhere, "6", "6", "rules that answer webhooks", ""),
		bind(viewSamples, anywhere, "7", "7", "event types with samples that can be sent", ""),
		bind(cycleTheme, anywhere, "T", "T", "next theme: ansi dark light cvd mono", ""),
		bind(toggleHints, anywhere, "H", "H", "hide/show this line of hints", ""),
		bind(redraw, anywhere, "ctrl+l", "ctrl+l", "redraw the screen", ""),
		bind(suspend, anywhere, "ctrl+z", "ctrl+z", "suspend; fg comes back", ""),
		bind(back, inList, "esc", "esc", "stop the search, clear filter, marks", ""),
		bind(back, inEndpoints, "esc", "esc", "clear the filter; back to the events", ""),
		bind(back, inSamples, "esc", "esc", "clear the filter; back to the events", ""),
		bind(quit, anywhere, "q", "q", "back; at the top: quit", "quit"),
		bind(quitAtOnce, anywhere, "ctrl+c", "ctrl+c", "quit", ""),
	}
}

// Key is a line of the key table, for documents made of it.
type Key struct {
	Action string   `json:"action"`
	Keys   []string `json:"keys"`
	Does   string   `json:"does"`
	Where  []string `json:"where"` // list, event, attempts, endpoints, …, or anywhere
}

// Keys is the key table.
func Keys() []Key {
	var out []Key
	for _, c := range keyTable() {
		k := Key{Action: string(c.action), Keys: c.Keys(), Does: c.Help().Desc}
		for i, where := range places {
			if c.in&(1<<i) != 0 {
				k.Where = append(k.Where, where)
			}
		}
		out = append(out, k)
	}
	return out
}

// rebind puts other keys on actions.
func rebind(table []command, keys map[string][]string) {
	for i, c := range table {
		if k, ok := keys[string(c.action)]; ok {
			table[i].SetKeys(k...)
			table[i].SetHelp(strings.Join(k, " "), c.Help().Desc)
		}
	}
}

// press finds the command a key stands for where the keyboard is; what is
// bound to the place goes before what is bound anywhere.
func press(table []command, k tea.KeyMsg, at place) (command, bool) {
	name := k.String()
	if name == " " {
		name = "space"
	}
	for _, scope := range []place{at, anywhere} {
		for _, c := range table {
			if c.in&scope != 0 && slices.Contains(c.Keys(), name) {
				return c, true
			}
		}
	}
	return command{}, false
}

// reachable are the commands of a place.
func reachable(table []command, at place) []command {
	var out []command
	for _, c := range table {
		if c.in&(at|anywhere) != 0 {
			out = append(out, c)
		}
	}
	return out
}
