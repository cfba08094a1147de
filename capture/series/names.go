package series

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Bounds of a bucket, so that it stays short whatever strangers send.
const (
	mostTypes   = 50
	mostReasons = 20
	longest     = 64 // bytes of a name
)

// other is what is counted where there is no place left for a name.
const other = "other"

// names counts how often each was seen. A nil names is empty.
type names map[string]int64

// add counts a name, or other when most names have a place already.
func (c *names) add(name string, n int64, most int) {
	if *c == nil {
		*c = names{}
	}
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "")
	}
	if _, there := (*c)[name]; !there && c.places() >= most {
		name = other
	}
	(*c)[name] += n
}

// merge adds what more holds, and then gives the places to the largest counts
// and, of those that are equal, to the names that sort first.
func (c *names) merge(more names, most int) {
	if len(more) == 0 {
		return
	}
	if *c == nil {
		*c = names{}
	}
	for name, n := range more {
		(*c)[name] += n
	}
	over := c.places() - most
	if over <= 0 {
		return
	}
	list := slices.SortedFunc(maps.Keys(*c), func(a, b string) int {
		return cmp.Or(cmp.Compare((*c)[a], (*c)[b]), cmp.Compare(b, a))
	})
	for _, name := range slices.DeleteFunc(list, func(name string) bool { return name == other })[:over] {
		(*c)[other] += (*c)[name]
		delete(*c, name)
	}
}

// places is how many names are there, other aside.
func (c *names) places() int {
	n := len(*c)
	if _, there := (*c)[other]; there {
		n--
	}
	return n
}
