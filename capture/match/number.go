package match

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"
)

// interval is what a comparison or a range asks for.
type interval[T any] struct{ lo, hi bound[T] }

type bound[T any] struct {
	at        T
	set, open bool // open: at itself is not in
}

func (iv *interval[T]) has(x T, cmp func(a, b T) int) bool {
	if iv.lo.set {
		if c := cmp(x, iv.lo.at); c < 0 || c == 0 && iv.lo.open {
			return false
		}
	}
	if iv.hi.set {
		if c := cmp(x, iv.hi.at); c > 0 || c == 0 && iv.hi.open {
			return false
		}
	}
	return true
}

// parseInterval reads N, =N, >N, >=N, <N, <=N, N..M, N.. and ..M.
func parseInterval[T any](s string, number func(string) (T, bool)) (iv interval[T], ok bool) {
	at := func(s string, open bool) (b bound[T]) {
		n, good := number(s)
		ok = ok && good
		return bound[T]{n, true, open}
	}
	ok = true
	if n, found := strings.CutPrefix(s, ">="); found {
		iv.lo = at(n, false)
	} else if n, found := strings.CutPrefix(s, "<="); found {
		iv.hi = at(n, false)
	} else if n, found := strings.CutPrefix(s, ">"); found {
		iv.lo = at(n, true)
	} else if n, found := strings.CutPrefix(s, "<"); found {
		iv.hi = at(n, true)
	} else if lo, hi, found := strings.Cut(s, ".."); found {
		if lo != "" {
			iv.lo = at(lo, false)
		}
		if hi != "" {
			iv.hi = at(hi, false)
		}
		ok = ok && s != ".."
	} else {
		iv.lo = at(strings.TrimPrefix(s, "="), false)
		iv.hi = iv.lo
	}
	return iv, ok
}

func parseCount(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}

// parseSize reads bytes, 10k, 1.5mb, 2GiB.
func parseSize(s string) (int64, bool) {
	number := strings.TrimRight(s, "kKmMgGtTiIbB")
	power, ok := map[string]int{"": 0, "b": 0, "k": 1, "kb": 1, "kib": 1, "m": 2, "mb": 2, "mib": 2,
		"g": 3, "gb": 3, "gib": 3, "t": 4, "tb": 4, "tib": 4}[strings.ToLower(s[len(number):])]
	if n, good := parseCount(number); good && power == 0 {
		return n, ok
	}
	return scaled(number, math.Pow(1024, float64(power)), ok)
}

// parseDuration is time.ParseDuration with d and w as well, without signs.
func parseDuration(s string) (int64, bool) {
	if i := strings.IndexAny(s, "dw"); i >= 0 {
		unit := 24 * time.Hour
		if s[i] == 'w' {
			unit *= 7
		}
		n, ok := scaled(s[:i], float64(unit), true)
		if rest := s[i+1:]; ok && rest != "" {
			var more int64
			more, ok = parseDuration(rest)
			n += more
		}
		return n, ok && n >= 0
	}
	d, err := time.ParseDuration(s)
	return int64(d), err == nil && !strings.ContainsAny(s, "+-")
}

func scaled(number string, by float64, ok bool) (int64, bool) {
	if strings.Trim(number, "0123456789.") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(number, 64)
	return int64(f * by), ok && err == nil && f*by < 1<<62
}

// decimal is a number of any length, exactly: 0.digits × 10^exp, no zeros
// around digits. Zero has none.
type decimal struct {
	neg    bool
	digits string
	exp    int
	head   uint64 // the first eight digits, in the order of the digits
}

// parseDecimal reads what JSON calls a number, and also +1, .5, 1. and 007.
func parseDecimal(s string) (d decimal, ok bool) {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		d.neg = s[0] == '-'
		s = s[1:]
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		// No number in 64 KiB or a body reaches the bound otherwise.
		exp, err := strconv.ParseInt(s[i+1:], 10, 48)
		if err != nil && err.(*strconv.NumError).Err != strconv.ErrRange {
			return d, false
		}
		d.exp, s = int(exp), s[:i]
	}
	whole, frac, _ := strings.Cut(s, ".")
	d.exp += len(whole)
	d.digits = whole + frac
	if d.digits == "" {
		return d, false
	}
	for i := range len(d.digits) {
		if d.digits[i] < '0' || d.digits[i] > '9' {
			return d, false
		}
	}
	n := len(d.digits)
	d.digits = strings.TrimLeft(d.digits, "0")
	d.exp -= n - len(d.digits)
	if d.digits = strings.TrimRight(d.digits, "0"); d.digits == "" {
		return decimal{}, true
	}
	for i := range min(len(d.digits), 8) {
		d.head |= uint64(d.digits[i]) << (56 - 8*i)
	}
	return d, true
}

func compareDecimals(a, b decimal) int {
	if a.neg != b.neg || a.digits == "" || b.digits == "" {
		return cmp.Compare(a.sign(), b.sign())
	}
	c := cmp.Or(cmp.Compare(a.exp, b.exp), cmp.Compare(a.head, b.head))
	if c == 0 {
		c = strings.Compare(a.digits, b.digits)
	}
	if a.neg {
		return -c
	}
	return c
}

func (d decimal) sign() int {
	if d.digits == "" {
		return 0
	}
	if d.neg {
		return -1
	}
	return 1
}
