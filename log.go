package main

import (
	"slices"
	"strings"
	"sync"
)

// ring keeps the newest lines written to it, for the interface to show: a
// terminal that draws a screen has no place for diagnostics.
type ring struct {
	mu    sync.Mutex // guards lines
	lines []string
}

const ringLines = 1000

// Write implements io.Writer. slog writes a line at a time.
func (r *ring) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, strings.TrimSuffix(string(p), "\n"))
	r.lines = r.lines[max(0, len(r.lines)-ringLines):]
	return len(p), nil
}

// Lines are the lines kept, oldest first.
func (r *ring) Lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}
