package blocklet

import "testing"

func TestScan(t *testing.T) {
	for query, want := range map[string]struct {
		plain     string
		mutations int
	}{
		`{a}`:                                   {`{a}`, 0},
		`mutation{a}`:                           {`mutation{a}`, 1},
		`mutation A{a} mutation B{b} query C`:   {`mutation A{a} mutation B{b} query C`, 2},
		`{mutation}`:                            {`{mutation}`, 0},
		`query mutations{a}`:                    {`query mutations{a}`, 0},
		"# mutation\nmutation{a}":               {"# mutation\nmutation{a}", 1},
		`{a(b: "} mutation {")}`:                {`{a(b: "} mutation {")}`, 0},
		`{a(b: """} mutation \""" { """)}`:      {`{a(b: """} mutation \""" { """)}`, 0},
		`{a(b: {"c":"d","e-f": 1, "g" : 2})}`:   {`{a(b: { c :"d","e-f": 1,  g  : 2})}`, 0},
		`{a(b: {c: "d\":", e: "\\" , "f":""})}`: {`{a(b: {c: "d\":", e: "\\" ,  f :""})}`, 0},
		"{a(b: \"c\n: 1)}":                      {"{a(b: \"c\n: 1)}", 0},
		`"`:                                     {`"`, 0},
		`"""`:                                   {`"""`, 0},
		`{a(b:"c`:                               {`{a(b:"c`, 0},
	} {
		if d := scan(query); d.plain != want.plain || d.mutations != want.mutations {
			t.Errorf("%s: got %s %d, want %s %d", query, d.plain, d.mutations, want.plain, want.mutations)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, q := range []string{`mutation{a(b: {"c": """d"""})} # e`, `"\`, `"""\"""`, "\"a\n:"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		plain := scan(q).plain
		if len(plain) != len(q) {
			t.Errorf("%q became %q", q, plain)
		}
		for i := range len(q) {
			if plain[i] != q[i] && (q[i] != '"' || plain[i] != ' ') {
				t.Errorf("%q became %q", q, plain)
			}
		}
	})
}
