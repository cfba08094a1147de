// Package early keeps a program that imports Bubble Tea v1 from stalling as
// it starts. Bubble Tea asks the terminal for its background colour in an
// init function, waits up to five seconds for an answer and swallows what is
// typed meanwhile: every command of the binary would hang on a terminal that
// does not answer.
//
// Go initializes packages that are ready in the order of their import paths.
// This one needs only lipgloss, and "code.hooktape.dev/…" sorts before
// "github.com/charmbracelet/bubbletea", so the question is answered before it
// is asked. Import it for its side effect wherever Bubble Tea is imported.
package early

import "github.com/charmbracelet/lipgloss"

func init() { lipgloss.SetHasDarkBackground(true) }
