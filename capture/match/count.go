package match

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// numberField is a field whose value is a number; of tells whether there is one.
func numberField(parse func(string) (int64, bool), format func(int64, int) string,
	of func(*capture.Row) (int64, bool)) func(*parser, *call) (*term, error) {
	return func(p *parser, c *call) (*term, error) {
		list, err := intervals(p, c, func(s string) (interval[int64], bool) { return parseInterval(s, parse) })
		return &term{
			test: func(in input) verdict {
				n, ok := of(in.row)
				return is(ok && anyHas(list, n))
			},
			got: func(in input) string {
				if n, ok := of(in.row); ok {
					return c.name + " is " + format(n, 10)
				}
				return "no " + c.name + " yet"
			},
		}, err
	}
}

func intervals(p *parser, c *call, parse func(string) (interval[int64], bool)) ([]interval[int64], error) {
	var list []interval[int64]
	for _, it := range c.items {
		iv, ok := parse(it.text)
		if !ok || it.kind != bare {
			hint := "such as " + c.example
			if d := strings.TrimLeft(it.text, "<>="); c.name == "status" && d != "" && '1' <= d[0] && d[0] <= '5' {
				hint = "did you mean status:" + d[:1] + "xx?"
			} else if _, err := strconv.ParseUint(d, 10, 64); c.name == "dur" && err == nil && len(it.text) < 40 {
				hint = "did you mean dur:" + it.text + "ms?"
			}
			return nil, p.fail(it.span, hint, "%s does not know %q", c.name, clip(it.text, 40))
		}
		if iv.lo.set && iv.hi.set && iv.lo.at > iv.hi.at {
			lo, hi, _ := strings.Cut(it.text, "..")
			return nil, p.fail(it.span, "did you mean "+c.name+":"+hi+".."+lo+"?", "the range is backwards")
		}
		list = append(list, iv)
	}
	return list, nil
}

func anyHas(list []interval[int64], n int64) bool {
	for i := range list {
		if list[i].has(n, cmp.Compare[int64]) {
			return true
		}
	}
	return false
}

func statusField(p *parser, c *call) (*term, error) {
	list, err := intervals(p, c, parseStatus)
	if err != nil {
		return nil, err
	}
	t := &term{
		test: func(in input) verdict { return is(anyHas(list, int64(in.row.Outcome.Status))) },
		got: func(in input) string {
			if in.row.Outcome.Status == 0 {
				return "no answer yet"
			}
			return "status is " + strconv.Itoa(in.row.Outcome.Status)
		},
	}
	exact := Exact{Field: "status"}
	for _, iv := range list {
		if iv.lo != iv.hi || iv.lo.at == 0 {
			return t, nil
		}
		exact.Values = append(exact.Values, strconv.FormatInt(iv.lo.at, 10))
	}
	t.hints.exact = []Exact{exact}
	return t, nil
}

// parseStatus reads classes (5xx, 50x) too. Where no lower bound is given it
// is 1, as 0 is no status.
func parseStatus(s string) (interval[int64], bool) {
	if digits := strings.TrimRight(s, "xX"); len(s) == 3 && len(digits) < 3 {
		n, ok := parseCount(digits)
		width := int64(10)
		if len(digits) == 1 {
			n, width = n*10, 100
		}
		lo := n * 10
		return interval[int64]{bound[int64]{lo, true, false}, bound[int64]{lo + width - 1, true, false}}, ok && n > 0
	}
	iv, ok := parseInterval(s, func(s string) (int64, bool) {
		n, ok := parseCount(s)
		return n, ok && n <= 999
	})
	if !iv.lo.set {
		iv.lo = bound[int64]{1, true, false}
	}
	return iv, ok
}

func formatDuration(ns int64, _ int) string {
	d := time.Duration(ns)
	if d >= time.Second {
		return d.Round(time.Millisecond).String()
	}
	return strconv.FormatFloat(float64(d)/1e6, 'g', 4, 64) + "ms"
}
