package main

import (
	"os/exec"
	"path"
	"strings"
	"testing"
)

// TestArrows keeps the imports a picture one can draw from memory: main may
// import anything, a stage what is in capture and what lies above or below it
// in its own folder, and capture's own packages nothing but their parents.
func TestArrows(t *testing.T) {
	out, err := exec.Command("go", "list", "-f",
		`{{$p := .}}{{range .Imports}}{{$p.ImportPath}} {{.}}{{"\n"}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "code.hooktape.dev/hooktape"
	under := func(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }
	checked := 0
	for line := range strings.Lines(string(out)) {
		from, to, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !under(to, module) {
			continue // a package of someone else's
		}
		checked++
		from, to = path.Clean("./"+from[len(module):]), path.Clean("./"+to[len(module):])
		family := under(from, to) || under(to, from)
		if from != "." && !family && (!under(to, "capture") || under(from, "capture")) {
			t.Errorf("%s must not import %s", from, to)
		}
	}
	if checked < 10 {
		t.Errorf("only %d imports of ours were seen: is the test looking at the module?", checked)
	}
}
