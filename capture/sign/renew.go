package sign

import (
	"encoding/hex"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// An id is a place that a new webhook has another value in. With a maker it
// is made where it is missing.
type id struct {
	place place
	maker string
}

// makers begin the ids that are made, as a pattern of which the letters and
// digits are replaced.
var makers = map[string]string{
	"uuid":  "0a0a0a0a-0a0a-40a0-80a0-0a0a0a0a0a0a",
	"msg":   "msg_2aBcD3eFgH4iJkL5mNoP6qRsT7u",
	"hex50": strings.Repeat("0a", 25),
}

// renew gives a request the stamps, and where how.New is set the ids, of one
// that is sent now.
func (s *Scheme) renew(r *Request, tasks []task, how How) error {
	for i := range s.ids {
		one := &s.ids[i]
		if !how.New && one.maker == "" {
			continue
		}
		old, there := one.place.read(r, r.Body)
		value := old
		switch {
		case there && old != "" && how.New:
			value = fresh(old, how.Seed)
		case (!there || old == "") && one.maker != "" && one.place.fits(r):
			value = fresh(makers[one.maker], how.Seed)
		}
		if value == old {
			continue
		}
		if err := one.place.set(r, "", value); err != nil {
			return err
		}
	}
	if how.New {
		for _, p := range s.made {
			old, there := p.read(r, r.Body)
			if value, ok := restamp(old, how.At); there && ok {
				if err := p.set(r, "", value); err != nil {
					return err
				}
			}
		}
	}
	for i := range tasks {
		w := tasks[i].way
		if w.stamp.kind == nowhere {
			continue
		}
		old, _ := w.stamp.read(r, r.Body)
		value := string(w.unit.append(nil, how.At))
		if w.unit == rfc3339 {
			if again, ok := restamp(old, how.At); ok {
				value = again
			}
		}
		if err := w.stamp.set(r, "", value); err != nil {
			return err
		}
	}
	return nil
}

// restamp is another time written as an old one is: in seconds, with or
// without fractions, in milliseconds, or by RFC 3339 as precisely.
func restamp(old string, at time.Time) (string, bool) {
	if _, err := time.Parse(time.RFC3339Nano, old); err == nil {
		layout := "2006-01-02T15:04:05"
		if i := strings.IndexByte(old, '.'); i >= 0 {
			n := len(old[i+1:]) - len(strings.TrimLeft(old[i+1:], "0123456789"))
			layout += "." + strings.Repeat("0", min(n, 9))
		}
		zone := "Z"
		if strings.HasSuffix(old, "+00:00") {
			zone = "+00:00"
		}
		return at.UTC().Format(layout) + zone, true
	}
	whole, fraction, dotted := strings.Cut(old, ".")
	n, ok := digits(whole)
	switch {
	case !ok || n < 1e8:
		return "", false
	case dotted:
		if _, ok := digits(fraction); !ok {
			return "", false
		}
		return strconv.FormatInt(at.Unix(), 10) + at.UTC().Format("."+strings.Repeat("0", min(len(fraction), 9))), true
	case n >= 1e11:
		return strconv.FormatInt(at.UnixMilli(), 10), true
	}
	return strconv.FormatInt(at.Unix(), 10), true
}

// fresh is another id of the same shape: what leads up to the last underscore
// stays, and every letter or digit behind it becomes another of its kind. The
// same id becomes the same wherever it stands.
func fresh(old string, seed uint64) string {
	h := fnv.New64a()
	h.Write([]byte(old))
	random := rand.New(rand.NewPCG(seed, h.Sum64()))
	b := []byte(old)
	start := strings.LastIndexByte(old, '_') + 1
	isUUID := uuid(old)
	_, err := hex.DecodeString(strings.ReplaceAll(old[start:], "-", ""))
	isHex := err == nil && strings.ContainsAny(old[start:], "abcdefABCDEF")
	for i := start; i < len(b); i++ {
		if isUUID && (i == 14 || i == 19) { // its version and variant
			continue
		}
		switch c := b[i]; {
		case isHex && c != '-':
			b[i] = "0123456789abcdef"[random.IntN(16)]
			if strings.ContainsAny(old[start:], "ABCDEF") && b[i] >= 'a' {
				b[i] -= 'a' - 'A'
			}
		case '0' <= c && c <= '9':
			b[i] = byte('0' + random.IntN(10))
			if i == start && c != '0' { // as a number it keeps its length
				b[i] = byte('1' + random.IntN(9))
			}
		case 'a' <= c && c <= 'z':
			b[i] = byte('a' + random.IntN(26))
		case 'A' <= c && c <= 'Z':
			b[i] = byte('A' + random.IntN(26))
		}
	}
	return string(b)
}

func uuid(s string) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-'
}
