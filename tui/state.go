package tui

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// state is what is kept from one run to the next. No fact is in it, and no
// secret.
type state struct {
	View   int    `json:"view,omitempty"`
	Theme  string `json:"theme,omitempty"`
	Hints  bool   `json:"hints"`
	Filter string `json:"filter,omitempty"`
	Cursor uint64 `json:"cursor,omitempty"` // 0: following
	Share  int    `json:"share,omitempty"`
	Wrap   bool   `json:"wrap"`
}

// save writes the state in one go, so that a crash leaves the old one.
func (r *root) save(name string) error {
	e := r.views[0].stack[0].(*events)
	s := state{View: r.at, Theme: r.chosen, Hints: r.hints, Filter: e.filter.text, Share: e.share, Wrap: e.inspect.wrap}
	if e.list.paused {
		s.Cursor = e.list.cursor
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".state-*")
	if err != nil {
		return fmt.Errorf("tui: save state: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("tui: save state: %w", err)
	}
	return nil
}

// restore takes up where a run before left off. No state is no error; one
// that cannot be read is, and changes nothing.
func (r *root) restore(name string) error {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var s state
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		return fmt.Errorf("view not restored: %w", err)
	}
	e := r.views[0].stack[0].(*events)
	if s.View > 0 && s.View < len(r.views) {
		r.at = s.View
	}
	if r.chosen = s.Theme; r.Theme == "" {
		r.theme = r.term.theme(s.Theme)
	}
	r.hints, e.inspect.wrap = s.Hints, s.Wrap
	if s.Share >= 30 && s.Share <= 70 {
		e.share = s.Share
	}
	if e.filter.set(s.Filter) {
		e.restart(tail)
	}
	if s.Cursor != 0 {
		e.restart(around)
		e.list.cursor, e.list.paused = s.Cursor, true
	}
	return nil
}
