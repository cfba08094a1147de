package tui

import (
	"fmt"
	"testing"
)

// TestFrames draws the screens at the three sizes they are laid out for.
func TestFrames(t *testing.T) {
	full := memory(t)
	keep(t, full, 0, 60)
	scenes := []struct {
		name string
		keys []string
	}{
		{"follow", nil},
		{"paused", []string{"k", "k", "k", " ", "k", "m"}},
		{"body", []string{"k", "enter"}},
		{"raw", []string{"k", "enter", "v"}},
		{"hex", []string{"k", "enter", "v", "v"}},
		{"headers", []string{"k", "enter", "]"}},
		{"response", []string{"}", "{", "enter", "]", "]"}},
		{"attempts", []string{"{", "enter", "["}},
		{"filter", []string{"/", "type:invoice.*"}},
		{"badfilter", []string{"/", "status:5z"}},
		{"search", []string{"k", "enter", "/", "eur", "enter"}},
		{"copy", []string{"y"}},
		{"delete", []string{"x"}},
		{"help", []string{"?"}},
		{"log", []string{"4"}},
	}
	for _, size := range [][2]int{{40, 10}, {80, 24}, {160, 45}} {
		at := fmt.Sprintf("_%dx%d", size[0], size[1])
		for _, s := range scenes {
			t.Run(s.name+at, func(t *testing.T) {
				d := start(t, full, size[0], size[1])
				d.press(s.keys...)
				d.golden(s.name + at)
			})
		}
		t.Run("empty"+at, func(t *testing.T) { start(t, memory(t), size[0], size[1]).golden("empty" + at) })
	}
}
