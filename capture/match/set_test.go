package match_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	. "code.hooktape.dev/hooktape/capture/match"
)

// TestSet asks sets what it asks their predicates one by one.
func TestSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	pick := func(from ...string) string { return from[rng.IntN(len(from))] }
	key := func() string {
		return pick("a", "b", "a.b", "a.0", "0", "a.b.c", "b.a.1", "c", "a.b.0.c", "k1", "k2", "k3", "k4", "k5", "k6", "k7")
	}
	value := func() string { return pick("1", "2", `"1"`, `"x"`, "null", "true", "[1]", `{"b":1}`, "1.0") }
	sub := func() (s capture.Subscription) {
		if rng.IntN(2) == 0 {
			s.Type = pick("push", "Push", "pu*", "pull", "*")
		}
		switch rng.IntN(5) {
		case 0:
			for range 1 + rng.IntN(3) {
				s.Conditions = append(s.Conditions, capture.Condition{Key: key(), Condition: pick("eq", "gt", "contains", "truthy", "ne"), Value: json.RawMessage(value())})
			}
		case 1:
			s.Rules = json.RawMessage(fmt.Sprintf(`{%q:{%q:%s},%q:{"$exists":%v}}`, key(), pick("$eq", "$ne", "$contains"), value(), key(), rng.IntN(2) == 0))
		case 2:
			s.Filter = "body." + key() + ":" + pick("1", "*", `"x"`, ">0", "..5") + pick("", " or type:push,pull", " !body."+key()+":*", " body.\"0\":*")
		case 3:
			s.Filter = pick("type:push", "hello", "is:ok", "!blue")
		}
		return s
	}
	bodies := []string{"", "hello", "null", "[1,2]", `{"a":1`, `{"a":{"b":[{"c":"x"}]},"b":{"a":[0,1]}}`, `{"a":[1,{"b":2}],"0":"x"}`, `{"a":{"b":1},"a":{"c":2},"b":2}`,
		`{"a.b":1,"a":{"b":2,"b":{"c":1}},"k7":1,"k1":"x","c":null}`, `{"\u0061":{"\u0062":1},"k3":true}`, "a=1&a[b]=x&b=%7B%22a%22:[1,2]%7D&0=x", `"x"`, `[[[1]]]`}
	matched := 0
	for range 300 {
		var ps []*Predicate
		for range rng.IntN(60) {
			var subs []capture.Subscription
			for range rng.IntN(3) {
				subs = append(subs, sub())
			}
			ps = append(ps, subscribe(t, subs...))
		}
		set := NewSet(ps)
		for _, body := range bodies {
			row := form(push())
			row.Type = pick("push", "Push", "pull", "")
			reads := 0
			s := Subject{row, func() []byte { reads++; return []byte(body) }}
			var want []int
			for i, p := range ps {
				if asked(t, p, subject(row, body)) {
					want = append(want, i)
				}
			}
			if got := set.Match(s); !slices.Equal(got, want) {
				t.Fatalf("%s: set matches %v, its predicates %v: %s", body, got, want, ps)
			}
			if reads > 1 {
				t.Fatalf("the body was read %d times", reads)
			}
			matched += len(want)
		}
	}
	if matched < 1000 {
		t.Errorf("only %d matches", matched)
	}
}

func TestSetWithoutABody(t *testing.T) {
	set := NewSet([]*Predicate{{}, parse(t, "type:push"), parse(t, "type:push body.a:1"), parse(t, "type:pull nothing"), subscribe(t, rules(`{"a":1}`))})
	if got := set.Match(Subject{Row: push()}); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("got %v", got)
	}
	if got := set.Match(Subject{}); !slices.Equal(got, []int{0}) {
		t.Errorf("nothing at all: got %v", got)
	}
	if got := (&Set{}).Match(subject(push(), pushBody)); got != nil {
		t.Errorf("no predicates: got %v", got)
	}
	NewSet([]*Predicate{parse(t, "type:pull x"), parse(t, "type:push"), parse(t, "x is:ok"), parse(t, "body.a:1 try:9")}).Match(Subject{push(), func() []byte {
		t.Error("the body is read where the row decides")
		return nil
	}})
}

func TestSetIsSafeForConcurrentUse(t *testing.T) {
	var ps []*Predicate
	for n := range 100 {
		ps = append(ps, subscribe(t, kinds["mixed"](n*100)), subscribe(t, kinds["rows"](n*100)), subscribe(t, kinds["paths"](n*100)))
	}
	set := NewSet(ps)
	s := subject(order(), orderBody)
	want := set.Match(s)
	if len(want) != 150 {
		t.Fatalf("%d match", len(want))
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got := set.Match(s); !slices.Equal(got, want) {
					t.Errorf("got %v", got)
				}
				ps[0].Match(s)
			}
		})
	}
	wg.Wait()
}

// TestHostileBodies asks everything there is about what is made to be slow.
func TestHostileBodies(t *testing.T) {
	const size = 1 << 20
	nested := func(open, middle, shut string, n int) string {
		return strings.Repeat(open, n) + middle + strings.Repeat(shut, n)
	}
	deepKey := strings.TrimSuffix(strings.Repeat("a.", 500), ".")
	var subs []capture.Subscription
	for _, key := range []string{"a", "0", "a.a", deepKey} {
		for _, op := range []string{"eq", "ne", "gt", "contains", "between", "not-between", "regexp", "truthy", "falsy"} {
			value := `{"a":[1]}`
			if op == "regexp" {
				value = `"(a|b)*[^x]{1,9}$"`
			}
			subs = append(subs, capture.Subscription{Conditions: []capture.Condition{{Key: key, Condition: op, Value: json.RawMessage(value)}}})
		}
		subs = append(subs, rules(`{"a":{"$eq":{"a":[1]}}}`), rules(`{"a":{"$in":[[],{}]}}`), rules(`{"a":{"$contains":[[]]}}`), rules(`{"a":{"$gt":1}}`), rules(`{"a":{"$gt":""}}`),
			rules(`{"`+strings.Repeat("a.", 99)+`a":{"$exists":false}}`), capture.Subscription{Filter: "body." + deepKey + ":>1 or body" + strings.Repeat("[0]", 500) + ":*"})
	}
	p := subscribe(t, subs...)
	set := NewSet([]*Predicate{p, p})
	digits := strings.Repeat("9", size)
	for name, body := range map[string]string{
		"arrays":        nested("[", strings.Repeat(" ", size-20_000), "]", 10_000),
		"in a":          `{"a":` + nested("[", `"`+strings.Repeat("x", size-20_010)+`"`, "]", 9_999) + `}`,
		"objects":       nested(`{"a":`, strings.Repeat(" ", size-60_000)+"1", "}", 10_000),
		"reordered":     `{"a":` + nested(`{"b":0,"1":`, `"`+strings.Repeat("x", size/2)+`"`, "}", 9_999) + `}`,
		"too deep":      nested("[", "", "]", size/2),
		"not closed":    strings.Repeat(`{"a":`, size/5),
		"a long number": `{"a":` + digits + `}`,
		"digits":        `{"a":"` + digits + `"}`,
		"hex":           `{"a":"0x` + digits + `"}`,
		"escapes":       `{"a":"` + strings.Repeat(`\u0061`, size/6) + `"}`,
		"keys":          `{` + strings.Repeat(`"a":{"a":{}},`, size/13) + `"b":1}`,
		"elements":      `{"a":[` + strings.Repeat("0,", size/2) + `0]}`,
		"members":       `{"a":{` + strings.Repeat(`"x":1,`, size/6) + `"y":2}}`,
		"spaces":        `{"a":"` + strings.Repeat(" ", size) + `"}`,
	} {
		begin := time.Now()
		s := subject(push(), body)
		got := p.Match(s)
		if misses := p.Explain(s); got != (len(misses) == 0) {
			t.Errorf("%s: Match is %v, Explain %v", name, got, misses)
		}
		if in := set.Match(s); (len(in) == 2) != got {
			t.Errorf("%s: Match is %v, a Set's %v", name, got, in)
		}
		t.Logf("%s: %s", name, time.Since(begin).Round(time.Millisecond))
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("%s takes %s", name, took)
		}
	}
}
