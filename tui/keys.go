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
	goDown      action = "down"
	goUp        action = "up"
	goHalfDown  action = "half-page-down"
	goHalfUp    action = "half-page-up"
	goPageDown  action = "page-down"
	goPageUp    action = "page-up"
	goTop       action = "top"
	goBottom    action = "bottom"
	goRight     action = "right"
	goLeft      action = "left"
	nextFailed  action = "next-failed"
	prevFailed  action = "previous-failed"
	open        action = "open"
	back        action = "back"
	otherPane   action = "other-pane"
	grow        action = "grow"
	shrink      action = "shrink"
	nextTab     action = "next-tab"
	prevTab     action = "previous-tab"
	otherDown   action = "next-event"
	otherUp     action = "previous-event"
	find        action = "find"
	nextMatch   action = "next-match"
	prevMatch   action = "previous-match"
	follow      action = "follow"
	mark        action = "mark"
	unmark      action = "unmark"
	pin         action = "pin"
	replay      action = "replay"
	replayTo    action = "replay-to"
	copyMenu    action = "copy"
	remove      action = "delete"
	bodyMode    action = "body-mode"
	wrapLines   action = "wrap"
	showSecrets action = "secrets"
	showHelp    action = "help"
	viewEvents  action = "view-events"
	viewLog     action = "view-log"
	cycleTheme  action = "theme"
	toggleHints action = "hints"
	redraw      action = "redraw"
	suspend     action = "suspend"
	quit        action = "quit"
	quitAtOnce  action = "quit-now"
)

// place is where the keyboard is; a command of the key table belongs to one
// or more.
type place uint8

const (
	inList place = 1 << iota // a list of events
	inBody                   // one event
	inText                   // lines to read
	anywhere
)

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
		bind(back, inBody|inText, "esc", "esc", "back; close what was opened last", "back"),
		bind(replay, inList|inBody, "r", "r", "replay now (the marked, else the selected)", "replay"),
		bind(replayTo, inList|inBody, "R", "R", "replay to another URL", ""),
		bind(find, inList, "/", "/", "filter, live; esc clears it", "filter"),
		bind(find, inBody, "/", "/", "search; esc clears it", "search"),
		bind(nextTab, inBody, "] tab", "]", "next tab", "tab"),
		bind(prevTab, inBody, "[ shift+tab", "[", "previous tab", ""),
		bind(bodyMode, inBody, "v", "v", "body: pretty, raw, hex", "view"),
		bind(copyMenu, inList|inBody, "y", "y", "copy… (body, curl, id, url, headers)", "copy"),
		bind(mark, inList, "space", "space", "mark; r, x and m act on the marked", "mark"),
		bind(unmark, inList, `ctrl+\`, `ctrl+\`, "unmark all", ""),
		bind(pin, inList|inBody, "m", "m", "pin: keep it from being pruned", "pin"),
		bind(remove, inList|inBody, "x", "x", "delete (asks)", ""),
		bind(follow, inList, "F", "F", "follow the newest on/off", "follow"),
		bind(otherDown, inBody, "J", "J", "next event", "next"),
		bind(otherUp, inBody, "K", "K", "previous event", ""),
		bind(otherDown, inList, "J", "J", "scroll the other pane down", ""),
		bind(otherUp, inList, "K", "K", "scroll the other pane up", ""),
		bind(nextMatch, inBody, "n", "n", "next match", ""),
		bind(prevMatch, inBody, "N", "N", "previous match", ""),
		bind(nextFailed, inList, "}", "}", "next failed event", ""),
		bind(prevFailed, inList, "{", "{", "previous failed event", ""),
		bind(goDown, inList|inBody|inText, "j down", "j ↓", "down", ""),
		bind(goUp, inList|inBody|inText, "k up", "k ↑", "up", ""),
		bind(goTop, inList|inBody|inText, "g home", "g Home", "first, oldest", ""),
		bind(goBottom, inList|inBody|inText, "G end", "G End", "last, newest; in the list: follow", ""),
		bind(goHalfDown, inList|inBody|inText, "ctrl+d", "ctrl+d", "half a page down", ""),
		bind(goHalfUp, inList|inBody|inText, "ctrl+u", "ctrl+u", "half a page up", ""),
		bind(goPageDown, inList|inBody|inText, "pgdown ctrl+f", "PgDn", "a page down", ""),
		bind(goPageUp, inList|inBody|inText, "pgup ctrl+b", "PgUp", "a page up", ""),
		bind(goLeft, inBody, "h left", "h ←", "scroll left", ""),
		bind(goRight, inBody, "l right", "l →", "scroll right", ""),
		bind(wrapLines, inBody, "w", "w", "wrap long lines on/off", ""),
		bind(otherPane, inList, "tab", "tab", "to the event's pane", ""),
		bind(grow, inList|inBody, "+", "+", "wider list", ""),
		bind(shrink, inList|inBody, "_ -", "_", "narrower list", ""),
		bind(showSecrets, inList|inBody, "S", "S", "show/hide secrets", ""),
		bind(showHelp, anywhere, "? : ctrl+p", "?", "help for here; type to search, enter runs", "help"),
		bind(viewEvents, anywhere, "1", "1", "events", ""),
		bind(viewLog, anywhere, "2", "2", "log of this program", ""),
		bind(cycleTheme, anywhere, "T", "T", "next theme: ansi dark light cvd mono", ""),
		bind(toggleHints, anywhere, "H", "H", "hide/show this line of hints", ""),
		bind(redraw, anywhere, "ctrl+l", "ctrl+l", "redraw the screen", ""),
		bind(suspend, anywhere, "ctrl+z", "ctrl+z", "suspend; fg comes back", ""),
		bind(back, inList, "esc", "esc", "stop the search, clear filter, marks", ""),
		bind(quit, anywhere, "q", "q", "back; at the top: quit", "quit"),
		bind(quitAtOnce, anywhere, "ctrl+c", "ctrl+c", "quit", ""),
	}
}

// Key is a line of the key table, for documents made of it.
type Key struct {
	Action string   `json:"action"`
	Keys   []string `json:"keys"`
	Does   string   `json:"does"`
	Where  []string `json:"where"` // list, event, text, or anywhere
}

// Keys is the key table.
func Keys() []Key {
	var out []Key
	for _, c := range keyTable() {
		k := Key{Action: string(c.action), Keys: c.Keys(), Does: c.Help().Desc}
		for i, where := range []string{"list", "event", "text", "anywhere"} {
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
