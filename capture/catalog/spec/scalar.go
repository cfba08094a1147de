package spec

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// decimal is a number in JSON; one without an end is cut.
func decimal(r *big.Rat) json.Number {
	if r.IsInt() {
		return json.Number(r.Num().String())
	}
	digits, exact := r.FloatPrec()
	if !exact {
		digits = 20
	}
	return json.Number(r.FloatString(digits))
}

// number makes a number within its bounds, as small as they allow.
func (g *generator) number(o *object, whole bool) (any, error) {
	low, high := bounds(o)
	step := rat(o.get("multipleOf"))
	free := step == nil || step.Sign() <= 0
	switch {
	case free && whole:
		step = big.NewRat(1, 1)
	case free:
		step = big.NewRat(1, 100)
	case whole:
		step = new(big.Rat).SetInt(step.Num()) // the whole multiples of p/q are those of p
	}
	from, to := low.steps(step, 1), high.steps(step, -1)
	switch {
	case from == nil && to == nil:
		from, to = big.NewInt(1), big.NewInt(10_000)
	case from == nil:
		if from = big.NewInt(1); from.Cmp(to) > 0 {
			from = new(big.Int).Sub(to, big.NewInt(100))
		}
	case to == nil:
		to = new(big.Int).Add(from, big.NewInt(1000))
	}
	if from.Cmp(to) <= 0 {
		span := big.NewInt(1000)
		if d := new(big.Int).Sub(to, from); d.Cmp(span) < 0 {
			span = d
		}
		k := new(big.Int).Add(from, big.NewInt(g.rand.Int64N(span.Int64()+1)))
		return decimal(step.Mul(step, new(big.Rat).SetInt(k))), nil
	}
	if !free || whole || low.at.Cmp(high.at) > 0 || low.at.Cmp(high.at) == 0 && (low.open || high.open) {
		return nil, errNothing
	}
	middle := new(big.Rat).Add(low.at, high.at) // closer than a hundredth
	return decimal(middle.Quo(middle, big.NewRat(2, 1))), nil
}

// bound is one end of a range; open: it is not in it.
type bound struct {
	at   *big.Rat
	open bool
}

func bounds(o *object) (low, high bound) {
	low, high = bound{at: rat(o.get("minimum"))}, bound{at: rat(o.get("maximum"))}
	if x := rat(o.get("exclusiveMinimum")); x != nil && (low.at == nil || x.Cmp(low.at) >= 0) {
		low = bound{x, true}
	}
	if x := rat(o.get("exclusiveMaximum")); x != nil && (high.at == nil || x.Cmp(high.at) <= 0) {
		high = bound{x, true}
	}
	return low, high
}

// steps is how many steps there are to the first multiple within the bound,
// seen upwards (1) or downwards (-1) from it; nil where there is no bound.
func (b bound) steps(step *big.Rat, way int64) *big.Int {
	if b.at == nil {
		return nil
	}
	q := new(big.Rat).Quo(b.at, step)
	k := new(big.Int).Div(q.Num(), q.Denom()) // towards minus infinity
	if way > 0 && !q.IsInt() || way > 0 && b.open {
		return k.Add(k, big.NewInt(1))
	}
	if way < 0 && q.IsInt() && b.open {
		return k.Sub(k, big.NewInt(1))
	}
	return k
}

var words = []string{"amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "iris", "juniper", "kelp", "lagoon", "maple", "north", "opal", "prairie"}

func (g *generator) word() string { return words[g.rand.IntN(len(words))] }

const mostText = 64 << 10

// text makes a string.
func (g *generator) text(o *object) (any, error) {
	least, _ := count(o, "minLength")
	most, bounded := count(o, "maxLength")
	if !bounded {
		most = -1
	}
	switch {
	case least > mostText:
		return nil, errTooLarge
	case bounded && most < least:
		return nil, errNothing
	}
	if pattern, ok := o.get("pattern").(string); ok {
		return g.pattern(pattern, least, most), nil
	}
	s := g.format(asText(o.get("format")), asText(o.get("contentEncoding")))
	for n := utf8.RuneCountInString(s); n < least; n = utf8.RuneCountInString(s) {
		s += strings.Repeat("x", least-n)
	}
	if most >= 0 {
		s = string([]rune(s)[:min(most, utf8.RuneCountInString(s))])
	}
	return s, nil
}

// format makes a string of a format. Addresses are of what is set aside for
// documentation (RFC 2606, 5737, 3849); times are of 2024.
func (g *generator) format(format, encoding string) string {
	at := time.Date(2024, 1, 1, 0, 0, g.rand.IntN(366*24*3600), 0, time.UTC)
	switch format {
	case "date-time":
		return at.Format(time.RFC3339)
	case "date":
		return at.Format(time.DateOnly)
	case "time":
		return at.Format("15:04:05Z")
	case "duration":
		return fmt.Sprintf("PT%dM", 1+g.rand.IntN(59))
	case "email", "idn-email":
		return g.word() + "@example.com"
	case "hostname", "idn-hostname":
		return g.word() + ".example.com"
	case "ipv4":
		return netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + g.rand.IntN(254))}).String()
	case "ipv6":
		return fmt.Sprintf("2001:db8::%x", 1+g.rand.IntN(0xfffe))
	case "uri", "url", "iri", "uri-reference", "iri-reference":
		return "https://example.com/" + g.word()
	case "uri-template":
		return "https://example.com/{id}"
	case "uuid", "guid":
		return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", g.rand.Uint32(), g.rand.Uint32()>>16, g.rand.Uint32()>>20, g.rand.Uint32()>>20, g.rand.Uint64()>>16)
	case "json-pointer":
		return "/" + g.word()
	case "relative-json-pointer":
		return "0"
	case "regex":
		return "^" + g.word() + "$"
	case "byte":
		return base64.StdEncoding.EncodeToString([]byte(g.word()))
	}
	if strings.HasPrefix(encoding, "base64") {
		return base64.StdEncoding.EncodeToString([]byte(g.word()))
	}
	return g.word()
}
