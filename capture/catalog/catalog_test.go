package catalog_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	"code.hooktape.dev/hooktape/capture/provider"
)

// templates are all that capture/fill knows.
var templates = regexp.MustCompile(`^\{\{(uuid|now|now "(unix|ms)"|int \d+ \d+|(hex|digits|alnum) \d+|email|name|ip)\}\}$`)

// alive are the shapes of keys and of places that are somebody's.
var alive = regexp.MustCompile(`(?i)sk_live|rk_live|whsec_|xox[abp]-|AKIA[0-9A-Z]{16}|AIza|BEGIN [A-Z ]*PRIVATE|ghp_|glpat-|octocat|hello-world`)

var address = regexp.MustCompile(`[\w.+-]+@([\w-]+\.)+[a-z]{2,}`)

func TestBuiltinIsWhole(t *testing.T) {
	all := catalog.Builtin()
	if !slices.IsSortedFunc(all, func(a, b capture.EventType) int { return strings.Compare(a.Tag, b.Tag) }) {
		t.Error("not sorted by tag")
	}
	for i, e := range all {
		if i > 0 && all[i-1].Tag == e.Tag {
			t.Errorf("%s is there twice", e.Tag)
		}
		if _, _, ok := capture.SplitTag(e.Tag); !ok {
			t.Errorf("%s is no tag", e.Tag)
		}
		if e.Name == "" || len(e.Name) > 200 || !strings.HasSuffix(e.Description, ".") || !e.Builtin {
			t.Errorf("%s: name %q, description %q, builtin %v", e.Tag, e.Name, e.Description, e.Builtin)
		}
		doc, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\{\{[^}]*\}\}`).FindAllString(string(doc), -1) {
			if !templates.MatchString(strings.ReplaceAll(m, `\"`, `"`)) {
				t.Errorf("%s: template %s", e.Tag, m)
			}
		}
		if m := alive.Find(doc); m != nil {
			t.Errorf("%s holds %s", e.Tag, m)
		}
		for _, a := range address.FindAllString(string(doc), -1) {
			if !strings.HasSuffix(a, "@example.com") && !strings.HasSuffix(a, ".example.com") && !strings.HasSuffix(a, "@github.com") && !strings.HasSuffix(a, "@gitlab.com") {
				t.Errorf("%s: address %s", e.Tag, a)
			}
		}
	}
}

// unlike are the types whose name in the catalog is not the one that
// recognition gives them, or that one with an action behind it.
var unlike = map[string]string{}

// recognised is what says whose a webhook is where only its signature does,
// which is made when it is sent.
var recognised = map[string]capture.Header{}

func TestBuiltinIsRecognised(t *testing.T) {
	for _, e := range catalog.Builtin() {
		s := fill(t, e.Sample)
		req, body, err := catalog.Request(&s)
		if err != nil {
			t.Errorf("%s: %v", e.Tag, err)
			continue
		}
		if h, ok := recognised[e.Provider]; ok {
			req.Headers = append(req.Headers, h)
		}
		_, want, _ := strings.Cut(e.Tag, ":")
		got := provider.Recognise(req.Method, string(req.Target), req.Headers, body)
		if other, ok := unlike[e.Tag]; ok {
			if want = other; got.Type != want {
				t.Errorf("%s: type %q, want %q", e.Tag, got.Type, want)
			}
		} else if got.Type != want && !strings.HasPrefix(want, got.Type+".") || got.Type == "" {
			t.Errorf("%s: type %q", e.Tag, got.Type)
		}
		if got.Provider != e.Provider {
			t.Errorf("%s: provider %q, want %q", e.Tag, got.Provider, e.Provider)
		}
	}
}

// Whatever is in the catalog can be made a sample of again.
func TestSamplesOfSamples(t *testing.T) {
	for _, e := range catalog.Builtin() {
		s := fill(t, e.Sample)
		req, body, err := catalog.Request(&s)
		if err != nil {
			t.Errorf("%s: %v", e.Tag, err)
			continue
		}
		again, err := catalog.FromEvent(req, body, strings.ToUpper)
		if err != nil {
			t.Errorf("%s: %v", e.Tag, err)
			continue
		}
		second, bytesAgain, err := catalog.Request(&again)
		if err != nil || !bytes.Equal(body, bytesAgain) || second.Target != req.Target || second.Method != req.Method {
			t.Errorf("%s: %v: %s %s\n%s\n%s %s\n%s", e.Tag, err, req.Method, req.Target, body, second.Method, second.Target, bytesAgain)
		}
	}
}

func TestLookup(t *testing.T) {
	e, ok := catalog.Lookup("github:push")
	if !ok || e.Tag != "github:push" || e.Provider != "github" {
		t.Errorf("got %v %q of %q", ok, e.Tag, e.Provider)
	}
	if e, ok := catalog.Lookup("github:pushed"); ok {
		t.Errorf("got %q", e.Tag)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if err := catalog.Load(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnmarshal is the yardstick: encoding/json over the same files.
func BenchmarkUnmarshal(b *testing.B) {
	names, err := fs.Glob(os.DirFS("types"), "*.json")
	if err != nil {
		b.Fatal(err)
	}
	var files [][]byte
	size := 0
	for _, name := range names {
		text, err := os.ReadFile("types/" + name)
		if err != nil {
			b.Fatal(err)
		}
		files, size = append(files, text), size+len(text)
	}
	b.ReportMetric(float64(size), "bytes")
	for b.Loop() {
		for _, text := range files {
			var of []capture.EventType
			if err := json.Unmarshal(text, &of); err != nil {
				b.Fatal(err)
			}
		}
	}
}
