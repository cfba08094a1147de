package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/rules"
)

// shelf is where a book's files are: the project's, and the user's.
func shelf(t *testing.T) (project, user string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("HOME", dir)
	paths := configPaths()
	if err := os.MkdirAll(filepath.Dir(paths[1]), 0o700); err != nil {
		t.Fatal(err)
	}
	return paths[0], paths[1]
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// names are those of a book's rules, in their order.
func names(b *book) (all []string) {
	for _, row := range b.Rows() {
		all = append(all, row.Name)
	}
	return all
}

func TestSecretsOfFiles(t *testing.T) {
	project, user := shelf(t)
	t.Setenv("OWN", "of_the_variable")
	t.Setenv("EMPTY", "")
	put(t, "beside", "of_a_file\r\n")
	put(t, filepath.Join(filepath.Dir(user), "beside"), "of_the_users_file\n\n")
	odd := filepath.Join(t.TempDir(), "odd")
	put(t, odd, "\xff\xfe of bytes ")
	put(t, project, fmt.Sprintf(`
secrets:
  github: plain
  stripe: {live: env:OWN, test: "whsec_test", unset: env:EMPTY, unknown: env:NOT_THERE}
  slack: file:beside
  shopify: file:%s
  square/eu: with a label
`, odd))
	put(t, user, "secrets: {github: the users, gitlab: file:beside}\n")
	t.Setenv("HOOKTAPE_SECRET_SQUARE_EU", "of the environment")
	b, err := openBook(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"github": "plain", "stripe/live": "of_the_variable", "stripe/test": "whsec_test", "slack": "of_a_file",
		"shopify": "\xff\xfe of bytes ", "square/eu": "of the environment", "gitlab": "of_the_users_file"}
	if got := b.Secrets(); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSecretsInTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		line, name string
		wrong      string
	}{
		{"HOOKTAPE_SECRET_STRIPE=x", "stripe", ""},
		{"HOOKTAPE_SECRET_STRIPE_TEST=x", "stripe/test", ""},
		{"HOOKTAPE_SECRET_STRIPE_TEST_EU=x", "stripe/test-eu", ""},
		{"HOOKTAPE_SECRET_AZURE_DEVOPS=x:y", "azure-devops", ""},
		{"HOOKTAPE_SECRET_STANDARD_WEBHOOKS=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "standard-webhooks", ""},
		{"HOOKTAPE_SECRET_LEMON_SQUEEZY_LIVE=x", "lemon-squeezy/live", ""},
		{"HOOKTAPE_SECRET_STRIPE=", "", ""},
		{"HOOKTAPE_SECRET_STRIPE", "", ""},
		{"HOOKTAPE_SECRETS=x", "", ""},
		{"HOOKTAPE_SECRET_=x", "", "no provider"},
		{"HOOKTAPE_SECRET_STRIP=hush", "", "STRIPE"},
		{"HOOKTAPE_SECRET_STRIPE_\xff=hush", "", "behind the slash"},
		{"HOOKTAPE_SECRET_STRIPE=" + strings.Repeat("hush", 5000), "", "16384"},
		{"HOOKTAPE_SECRET_ADYEN=hush, no hex", "", "adyen"},
	} {
		got, err := secretsIn([]string{"PATH=/bin", c.line})
		if c.wrong != "" {
			var exit exitError
			if !errors.As(err, &exit) || exit.code != exitUsage || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), "hush") {
				t.Errorf("%.60q: %v, want a word on %q", c.line, err, c.wrong)
			}
			continue
		}
		if _, value, _ := strings.Cut(c.line, "="); err != nil || c.name != "" && got[c.name] != value || c.name == "" && len(got) > 0 {
			t.Errorf("%.60q: %q, %v", c.line, got, err)
		}
	}
}

// A mistake in a file is one of the command line's: it says where, and never
// what a secret is.
func TestMistakesInFiles(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"secrets: hush", "secrets: want the names"},
		{"secrets: [hush, hush]", "secrets: want the names"},
		{"secrets: {stripe: [hush]}", "secrets.stripe: want text in quotes"},
		{"secrets: {stripe: 7345345}", "secrets.stripe: want text in quotes"},
		{"secrets: {stripe: {test: {deep: hush}}}", "secrets.stripe/test: want text"},
		{"secrets: {strip: hush}", `did you mean "stripe"?`},
		{"secrets: {stripe/Test: hush}", "behind the slash"},
		{"secrets: {stripe: ''}", "secrets.stripe: it is empty"},
		{"secrets: {adyen: hush}", "secrets.adyen: sign: adyen: want"},
		{"secrets: {stripe: file:hush/nowhere}", "secrets.stripe: open"},
		{"secrets: {stripe: hush", "line"},
		{"secrets: {stripe: \"hush\xff\"}", "yaml"},
		{"secrets: {stripe: hush, stripe: hush2}", "already defined"},
		{"rules: {a: 1}", "line 1"},
		{"rules: [{match: 'path:/x', pass: true}, {match: '(', pass: true}]", "rules[1].match: "},
		{"rules: [{mock: {status: 99}}]", "rules[0].mock.status: "},
		{"rules: [{mock: {body: '{{'}}]", "rules[0].mock.body: "},
		{"rules: [{mok: {}}]", `rules[0].mok: there is no such member; did you mean "mock"?`},
		{"rules: [{mock: {status: '200'}}]", "rules[0].mock.status: string cannot stand here; want a whole number"},
		{"rules: [{pass: true, probability: .nan}]", "rules[0]: "},
		{"rules: [{1: 2}]", "rules[0]: "},
		{"rules: [7]", "rules[0]: "},
		{"rules: [null]", "rules[0].mock: want exactly one"},
		{"rules: [{pass: true, fault: {kind: reset}}]", "rules[0]"},
		{"rules: [{fault: {kind: timeout, delay: {fixed_ms: 600000}}}]", "rules[0].fault.delay.fixed_ms: "},
		{"rules:\n" + strings.Repeat("- {pass: true}\n", 10_001), "want at most 10000"},
		{"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n" +
			"e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\nrules: [*f,*f,*f,*f,*f,*f,*f]", "excessive aliasing"},
	} {
		project, _ := shelf(t)
		put(t, project, c.text)
		_, err := openBook(slog.New(slog.DiscardHandler))
		var exit exitError
		if !errors.As(err, &exit) || exit.code != exitUsage || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), project) ||
			strings.Contains(strings.ReplaceAll(err.Error(), "hush/nowhere", ""), "hush") || strings.Contains(err.Error(), "73453") {
			t.Errorf("%.80q: %v, want %q", c.text, err, c.want)
		}
	}
}

// The project's rules are asked before the user's, and those before what was
// made; settings and profiles stand beside them.
func TestBothFiles(t *testing.T) {
	project, user := shelf(t)
	put(t, project, "log_level: debug\nprofiles: {ci: {json: true}}\nrules: [{name: a, pass: true}, {name: b, pass: true}]\n")
	put(t, user, "rules: [{name: c, pass: true}, {name: a, pass: true}]\nsecrets: {stripe: whsec_x}\n")
	b, err := openBook(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Put([]capture.Rule{{ID: "rul_made", Place: -1, RuleSpec: capture.RuleSpec{Name: "made", Pass: true}}}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(names(b)); got != "[a b c a made]" {
		t.Errorf("asked in the order %s", got)
	}
	seen := map[capture.ID]bool{}
	for _, row := range b.Rows() {
		if seen[row.ID] = true; (row.File == "") != (row.Name == "made") {
			t.Errorf("%s is from %q", row.Name, row.File)
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d ids", len(seen))
	}
	for profile, want := range map[string]int{"": 2, "ci": 3} {
		if files, err := readConfig(profile, []string{"log-level", "json"}); err != nil || len(files) != want {
			t.Errorf("profile %q: %v, %v", profile, files, err)
		}
	}
}

// Files are read again as they change, whole or not at all: a mistake leaves
// what there was, and is told once.
func TestFilesChangeUnderABook(t *testing.T) {
	project, user := shelf(t)
	put(t, project, "rules: [{name: a, pass: true}]\nsecrets: {stripe: whsec_one}\n")
	synctest.Test(t, func(t *testing.T) {
		var said buffer
		b, err := openBook(slog.New(slog.NewTextHandler(&said, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Put([]capture.Rule{{ID: "rul_made", RuleSpec: capture.RuleSpec{Name: "made", Pass: true}}}); err != nil {
			t.Fatal(err)
		}
		go b.watch(t.Context())
		first := b.Rows()[0].ID
		for _, c := range []struct {
			what string
			do   func() error
			want string // the rules
			key  string
			says string // once
		}{
			{"nothing", func() error { return nil }, "[a made]", "whsec_one", ""},
			{"a rule more", func() error {
				return os.WriteFile(project, []byte("rules: [{name: b, pass: true}, {name: a, pass: true}]\nsecrets: {stripe: whsec_two}\n"), 0o600)
			}, "[b a made]", "whsec_two", "read again"},
			{"a mistake in a rule", func() error {
				return os.WriteFile(project, []byte("rules: [{name: c, match: '('}]\nsecrets: {stripe: whsec_three}\n"), 0o600)
			}, "[b a made]", "whsec_two", "rules[0]"},
			{"a mistake in a secret", func() error {
				return os.WriteFile(project, []byte("rules: [{name: c, pass: true}]\nsecrets: {stripe: [whsec_four]}\n"), 0o600)
			}, "[b a made]", "whsec_two", "secrets.stripe"},
			{"half a file", func() error { return os.WriteFile(project, []byte("rules: [{name: c, pa"), 0o600) }, "[b a made]", "whsec_two", "yaml"},
			{"a directory", func() error { return errors.Join(os.Remove(project), os.Mkdir(project, 0o700)) }, "[b a made]", "whsec_two", "is a directory"},
			{"no file", func() error { return os.Remove(project) }, "[made]", "", "read again"},
			{"the user's", func() error { return os.WriteFile(user, []byte("rules: [{name: u, pass: true}]"), 0o600) }, "[u made]", "", "read again"},
			{"both", func() error { return os.WriteFile(project, []byte("rules: [{name: a, pass: true}]"), 0o600) }, "[a u made]", "", "read again"},
		} {
			said.Reset()
			if err := c.do(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if got := fmt.Sprint(names(b)); got != c.want || b.Secrets()["stripe"] != c.key {
				t.Errorf("%s: the rules are %s, the secret %q", c.what, got, b.Secrets()["stripe"])
			}
			text := said.String()
			if lines := strings.Count(text, "\n"); lines != min(len(c.says), 1) || !strings.Contains(text, c.says) || strings.Contains(text, "whsec") {
				t.Errorf("%s: it says %q, want a line with %q", c.what, text, c.says)
			}
		}
		if got := b.Rows()[0].ID; got != first {
			t.Errorf("the rule a was %s and is %s", first, got)
		}
	})
}

// buffer is a bytes.Buffer for several.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *buffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b.Reset()
}

// No file makes a book panic.
func FuzzBook(f *testing.F) {
	f.Add("rules: [{name: a, match: 'path:/x', mock: {status: 200, body: '{{uuid}}', sequence: [{}]}}]\nsecrets: {stripe: {a: b}}")
	f.Add("rules: &a [*a]")
	f.Add("secrets: !!binary aGk=\nrules: [{on: delivery, fault: {kind: drip, delay: {median_ms: 1, sigma: 1e400}}}]")
	f.Add("? {a: b}\n: c\n<<: {rules: []}")
	dir := f.TempDir()
	path := filepath.Join(dir, "hooktape.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "file:") || strings.Contains(text, "env:") {
			t.Skip()
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b := &book{Set: rules.New(nil), paths: []string{path}}
		if err := b.read(); err != nil {
			var exit exitError
			if !errors.As(err, &exit) || exit.code != exitUsage {
				t.Errorf("%v is no error of use", err)
			}
			return
		}
		b.Ingest(&capture.Event{ID: "evt_1", Method: "POST", Target: "/"}, []byte(`{"a":1}`))
	})
}
