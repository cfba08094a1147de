package match_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/capture/match"
)

var now = time.Date(2026, 3, 14, 15, 9, 26, 0, time.FixedZone("", 3600))

// push is a GitHub push that arrived five minutes ago and failed twice.
func push() *capture.Row {
	return &capture.Row{
		Event: capture.Event{
			ID: "evt_01JQ5Z3V9N8M7K6H5G4F3D2S1A", App: "shop", Type: "push", Origin: capture.Ingress,
			Received: now.Add(-5 * time.Minute), Method: "POST",
			Target: "/hooks/GitHub?a=1&a=two&name=J%C3%BCrgen+B&bad=%zz&filter[x]=y&p.q=dot",
			Headers: capture.Headers{
				{"X-GitHub-Event", "push"}, {"X-Tag", "blue"}, {"x-tag", "Green, dark"},
				{"Content-Length", "2048"}, {"X-Empty", ""},
			},
			Size: 2048, Provider: "github", Signature: capture.Signature{Verdict: capture.Invalid},
		},
		Pinned:  true,
		Outcome: capture.Outcome{State: capture.Retrying, Tries: 2, Status: 503, Duration: capture.Duration(1500 * time.Millisecond)},
	}
}

// stray is an event nobody forwarded; it has next to nothing.
func stray() *capture.Row {
	return &capture.Row{Event: capture.Event{ID: "evt_01JQ5Z3V9N8M7K6H5G4F3D2S1B", App: "default", Method: "GET", Target: "/",
		Received: now.Add(-48 * time.Hour), Origin: capture.FromReplay, Parent: "evt_01JQ5Z3V9N8M7K6H5G4F3D2S1A"}}
}

const pushBody = `{"ref":"refs/heads/main","forced":false,"after":null,"id":42,"sid":"42","n":42.0,
 "big":9007199254740993,"price":"10.50","empty":"","list":[{"id":1},{"id":"two"},[7]],"a.b":{"c d":5},"0":"zero",
 "esc":"gr\u00fc\u00dfe","dup":1,"dup":{"x":2},"gone":{"x":1},"gone":{},"msg":"Hello, World (yes)","star":"*"}`

func form(row *capture.Row) *capture.Row {
	row.Headers = append(row.Headers, capture.Header{"content-type", "Application/x-www-form-urlencoded; charset=utf-8"})
	return row
}

func subject(row *capture.Row, body string) Subject {
	return Subject{row, func() []byte { return []byte(body) }}
}

func parse(t testing.TB, text string) *Predicate {
	t.Helper()
	p, err := ParseAt(text, now)
	if err != nil {
		t.Fatalf("ParseAt(%q): %v", text, err)
	}
	return p
}

// check matches the text, and its canonical form, against s.
func check(t *testing.T, text string, s Subject, want bool) {
	t.Helper()
	p := parse(t, text)
	if got := p.Match(s); got != want {
		t.Errorf("Match(%s) = %v, want %v", text, got, want)
	}
	if misses := p.Explain(s); (len(misses) == 0) != want {
		t.Errorf("Explain(%s) = %v where Match is %v", text, misses, want)
	}
	again := parse(t, p.String())
	if got := again.Match(s); got != want || again.String() != p.String() {
		t.Errorf("%s is written %s, which matches: %v and is written %s", text, p, got, again)
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct{ name, yes, no string }{ // a term a line
		{"text", "push\nblue\ngithub\nGitHub\nhooks\n01jq5z\nrefs/heads\n\"Green, dark\"\nhello\nworld\n/hooks/GitHub",
			"Push\nblues\ngreen-\nX-Tag\n\"blue green\"\n/hooks/other"},
		{"expressions", "/^pu.h$/\n/refs\\/heads\\/(main|master)/\n/^gr.*dark$/\n/HELLO|Hello/\n/yes\\)/\n/\\Sush/\n/hello, world/",
			"/^hook/\n/HELLO/\n/^PUSH/\n/(?-i)hello/"},
		{"and, or, not", "push blue\npush and blue\npush AND blue\npurple or push\npurple || push\npush && blue\n!purple\nnot purple\nNOT (purple or grey)\n!!push\n" +
			"push or purple grey\n(purple or push) blue\n!purple push\nnot not push\n! purple",
			"push purple\npurple or grey\n!push\nnot push or grey\n(push or purple) grey\n!(push blue)\nnot(push)"},
		{"whole values", "type:push\ntype:PUSH or type:push\ntype:p*\ntype:p?sh\ntype:*us*\ntype:pull,push\ntype:/us/\ntype:\"push\"\ntype:*\nprovider:*\napp:shop\nmethod:post\nmethod:POST\nTYPE:push\nsource:\"\"",
			"type:pus\ntype:Push\ntype:\"p*\"\ntype:/^us/\ntype:\"\"\nsource:*\nmethod:Post\ntype:p?h\ntype:*x*"},
		{"path and id", "path:/hooks/*\npath:/hooks/github\npath:/x,/hooks/GitHub\npath:*github\npath:/hooks/\nid:evt_\nid:EVT_01jq5z\nid:*S1A\nid:\"evt_01\"",
			"path:/hooks\npath:/hooks/GITHUB\npath:\"/hooks/\"\npath:/hooks/GitHub?a=1\nid:01JQ\nid:evt_2\nid:*zz"},
		{"status", "status:503\nstatus:5xx\nstatus:50x\nstatus:5XX\nstatus:>=400\nstatus:>502\nstatus:<504\nstatus:500..599\nstatus:500..\nstatus:..503\nstatus:200,503\nstatus:=503\n!status:2xx",
			"status:500\nstatus:4xx\nstatus:51x\nstatus:>503\nstatus:<503\nstatus:200..299\nstatus:0"},
		{"counts and sizes", "try:2\ntry:>1\ntry:1..2\nsize:2k\nsize:2048\nsize:2KiB\nsize:>1.5kb\nsize:<1m\nsize:1k..1g\ndur:>1s\ndur:1.5s\ndur:1500ms\ndur:<1d2h\ndur:1s..2s",
			"try:>2\ntry:0\nsize:>2k\nsize:2kb..2kb !size:2k\ndur:>1w\ndur:<1s"},
		{"is, sig, origin", "is:retry\nis:pending\nis:ok,pending\nis:pinned\nIS:Pinned\nsig:invalid\nsig:valid,invalid\norigin:ingress",
			"is:failed\nis:ok\nis:captured\nis:refused\nis:replay\nsig:valid\norigin:replay"},
		{"time", "since:1h\nsince:5m\nbefore:1m\nsince:15:00\nbefore:15:08\nsince:2026-03-14\nsince:2026-03-14T15:04\nsince:2026-03-14T14:00:00Z\nsince:1w before:1s\nsince:23:00\nsince:15:04:26\nsince:\"2026-03-14 15:04\"",
			"since:4m\nbefore:5m\nbefore:1h\nsince:15:05\nsince:2026-03-15\nbefore:2026-03-14\nsince:2026-03-14T15:30:00+01:00"},
		{"headers", "header.x-github-event:push\nheader.X-GITHUB-EVENT:push\nheader.x-tag:blue\nheader.x-tag:green*\nheader.x-tag:\"Green, dark\"\nheader.x-empty:*\nheader.x-empty:\"\"\nheader.content-length:>2000\nheader.content-length:2048\nHeader.x-tag:/^Gr/",
			"header.x-tag:green\nheader.x-nope:*\nheader.x-nope:\"\"\nheader.x-tag:>1\nheader.content-length:<2048"},
		{"query", "query.a:1\nquery.a:two\nquery.a:>0\nquery.name:\"jürgen b\"\nquery.\"name\":Jürgen*\nquery.bad:%zz\nquery.filter[x]:y\nquery.p.q:dot\nquery.a:*",
			"query.a:3\nquery.A:1\nquery.b:*\nquery.name:j\nquery.bad:zz"},
		{"body", "body.ref:refs/heads/*\nbody.forced:false\nbody.after:null\nbody.after:*\nbody.id:42\nbody.sid:42\nbody.id:42.0\nbody.id:4.2e1\nbody.n:42\nbody.id:4?\nbody.sid:\"42\"\n" +
			"body.id:>41\nbody.sid:>41\nbody.id:40..50\nbody.price:>10.4\nbody.price:<=10.5\nbody.big:>9007199254740992\nbody.big:9007199254740993\nbody.empty:\"\"\nbody.empty:*\n" +
			"body.list.0.id:1\nbody.list[0].id:1\nbody.list[1].id:two\nbody.list.2.0:7\nbody.list:*\nbody.\"a.b\".\"c d\":5\nbody.a\\.b.c\\ d:5\nbody[\"a.b\"][\"c d\"]:5\nbody.0:zero\nbody.\"0\":zero\n" +
			"body.esc:GRÜßE or body.esc:grüße\nbody.dup.x:2\nbody.msg:hello*\nbody.msg:\"Hello, World (yes)\"\nbody.star:\"*\"\nBODY.ref:/main$/\nbody.id:1,42\nbody.id:=42\nbody.forced:true,false",
			"body.ref:main\nbody.forced:\"false\"\nbody.id:\"42\"\nbody.sid:42.0\nbody.id:>42\nbody.big:9007199254740992\nbody.big:>9007199254740993\nbody.Ref:*\nbody.nope:*\nbody.list.3:*\nbody.list.\"0\":*\n" +
				"body.dup:1\nbody.gone.x:*\nbody.list:x\nbody.ref.x:*\nbody.star:\"s\"\nbody.forced:>0\nbody.after:\"\"\nbody.list.00.id:1\nbody.empty:0"},
		{"words that look like more", "http://localhost or push\nhttps://x.test/a?b=1 or push\n\"or\" or push\n\"a:b\" or push\n,,\"\" or push\n/ or push\n// or push", "\"or\" purple\n\"push or\""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for text := range strings.SplitSeq(tt.yes, "\n") {
				check(t, text, subject(push(), pushBody), true)
			}
			for text := range strings.SplitSeq(tt.no, "\n") {
				check(t, text, subject(push(), pushBody), false)
			}
		})
	}
}

func TestNothingMatchesEverything(t *testing.T) {
	for _, text := range []string{"", "  \t\n"} {
		p := parse(t, text)
		if !p.Match(Subject{Row: stray()}) || !p.Match(Subject{}) || p.Explain(Subject{}) != nil || p.Terms() != 0 || p.String() != "" || p.NeedsBody() {
			t.Errorf("ParseAt(%q) is not the predicate that matches everything", text)
		}
	}
}

func TestWhatIsNotThereIsNotCompared(t *testing.T) {
	for text, want := range map[string]bool{
		"status:<400": false, "status:>=0": true, "status:0": true, "!status:200": true, "dur:<1s": false, "try:<1": true, "try:0": true,
		"is:captured": true, "is:replay": true, "origin:replay": true, "type:\"\"": true, "type:*": false, "size:0": true,
		"body.x:*": false, "!body.x:*": true, "since:1d": false, "before:1d": true, "anything": false,
	} {
		check(t, text, Subject{Row: stray()}, want)
	}
}

func TestBodies(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_000)
	for _, tt := range []struct {
		name, body, text string
		form, want       bool
	}{
		{"array at the top", `[{"id":5}]`, "body[0].id:5", false, true},
		{"spaces", " \r\n\t{ \"a\" : [ 1 , 2 ] } ", "body.a[1]:2", false, true},
		{"cut off", `{"id":5,"x":`, "body.id:5", false, false},
		{"more behind", `{"id":5} x`, "body.id:5", false, false},
		{"scalar", `5`, "body.a:*", false, false},
		{"long numbers", `{"a":` + strings.Repeat("9", 5000) + `.1}`, "body.a:>" + strings.Repeat("9", 5000), false, true},
		{"great exponents", `{"a":1e999999999999999999999}`, "body.a:>1e400", false, true},
		{"small exponents", `{"a":1e-999999999999999999999}`, "body.a:<1e-400 body.a:>0", false, true},
		{"negative", `{"a":-5}`, "body.a:<-4 body.a:>-6 body.a:-5 body.a:-5.0 !body.a:5", false, true},
		{"zero", `{"a":-0.0}`, "body.a:0 body.a:>=0 !body.a:<0", false, true},
		{"deep", deep, "body" + strings.Repeat(".a", 9_000) + ":1", false, true},
		{"too deep", strings.Repeat("[", 1_000_000), "body.0:*", false, false},
		{"form", "a=1&b=x+y&u[name]=Bo&v.w=2&p=%7B%22id%22%3A7%7D", `body.a:1 body.b:"x y" body.u.name:bo body.v.w:2 body.p.id:7 body.a:>0`, true, true},
		{"form without its type", "a=1", "body.a:1", false, false},
		{"JSON sent as a form, as by curl -d", `{"a":1}`, "body.a:1", true, true},
		{"text in any body", "caf\xe9 CRÈME", "crème", false, true},
		{"text over and over", "aaabaaabaaabaaac", "AAAC or aaabaaac", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			row := push()
			if tt.form {
				form(row)
			}
			check(t, tt.text, subject(row, tt.body), tt.want)
		})
	}
}

func TestBodyIsAskedForOnceAndOnlyIfItDecides(t *testing.T) {
	for text, want := range map[string]int{
		"type:push": 0, "type:pull body.x:1": 0, "body.x:1 type:pull": 0, "push": 0, "push or body.x:1": 0, "body.x:1 or type:push": 0,
		"!push": 0, "nowhere": 1, "body.x:1 body.y:2 nowhere": 1, "!body.x:1 type:push": 1,
	} {
		calls := 0
		parse(t, text).Match(Subject{push(), func() []byte { calls++; return []byte(pushBody) }})
		if calls != want {
			t.Errorf("%s asked for the body %d times, want %d", text, calls, want)
		}
	}
}

func TestHints(t *testing.T) {
	for _, tt := range []struct {
		text, exact string
		since       time.Duration
		body        bool
		terms       int
	}{
		{"type:push", "type=push", 0, false, 1},
		{"type:Push,PULL app:shop", "type=pull,push app=shop", 0, false, 2},
		{"type:p*", "", 0, false, 1},
		{"type:*", "", 0, false, 1},
		{"type:/push/", "", 0, false, 1},
		{"type:\"\"", "", 0, false, 1},
		{"!type:push", "", 0, false, 1},
		{"method:post status:200", "method=post status=200", 0, false, 2},
		{"status:2xx", "", 0, false, 1},
		{"status:0", "", 0, false, 1},
		{"status:200,404", "status=200,404", 0, false, 1},
		{"is:failed", "state=failed", 0, false, 1},
		{"is:pending", "state=pending,retry", 0, false, 1},
		{"is:captured", "state=", 0, false, 1},
		{"is:pinned", "pinned=true", 0, false, 1},
		{"is:pinned,failed", "", 0, false, 1},
		{"is:replay", "", 0, false, 1},
		{"type:b or type:a", "type=a,b", 0, false, 2},
		{"type:b app:x or type:a app:y", "type=a,b app=x,y", 0, false, 4},
		{"type:b or app:x", "", 0, false, 2},
		{"type:b (since:1h or since:2h)", "type=b", 2 * time.Hour, false, 3},
		{"since:1h since:2h x", "", time.Hour, true, 3},
		{"since:1h or x", "", 0, true, 2},
		{"!since:1h body.x:1", "", 0, true, 2},
	} {
		p := parse(t, tt.text)
		var exact []string
		for _, e := range p.Exact() {
			exact = append(exact, e.Field+"="+strings.Join(e.Values, ","))
		}
		if got := strings.Join(exact, " "); got != tt.exact {
			t.Errorf("%s: Exact is %q, want %q", tt.text, got, tt.exact)
		}
		var since time.Time
		if tt.since > 0 {
			since = now.Add(-tt.since)
		}
		if !p.Since().Equal(since) || p.NeedsBody() != tt.body || p.Terms() != tt.terms {
			t.Errorf("%s: since %v, body %v, %d terms; want %v, %v, %d", tt.text, p.Since(), p.NeedsBody(), p.Terms(), since, tt.body, tt.terms)
		}
	}
}

func TestPredicateIsSafeForConcurrentUse(t *testing.T) {
	p := parse(t, "type:push (hello or /wo.ld/) body.id:42 header.x-tag:green* !query.a:9")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if s := subject(push(), pushBody); !p.Match(s) || len(p.Explain(s)) > 0 {
					t.Error("no match")
				}
			}
		})
	}
	wg.Wait()
}
