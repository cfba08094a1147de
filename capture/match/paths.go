package match

import (
	"slices"
	"strconv"
)

// step is one key of a path into a body, and the index it is in an array.
type step struct {
	key   string
	index int // -1: none
}

func newStep(key string) step {
	n, err := strconv.Atoi(key)
	if err != nil || n < 0 || strconv.Itoa(n) != key {
		n = -1
	}
	return step{key, n}
}

// paths are what terms look for in a body, in a tree of their steps: a body is
// read once, however many they are. The zero paths are none.
type paths struct {
	root branch
	up   []int    // by the number of a branch: the one it grows from
	ends []int    // by the number of a path: the branch it ends at
	all  [][]step // by the number of a path
}

// branch is a step that paths have in common.
type branch struct {
	step
	number  int   // 0 is the root's
	path    int32 // that ends here, -1: none
	indexed bool  // a kid is an index
	kids    []*branch
	// The kids again, once they are many.
	keys    map[string][]*branch
	indexes map[int]*branch
}

// few is how many kids are looked at one by one.
const few = 8

// add is the number of the path.
func (p *paths) add(steps []step) int32 {
	if p.up == nil {
		p.root.path, p.up = -1, []int{0}
	}
	b := &p.root
	for _, s := range steps {
		kid := b.kid(s)
		if kid == nil {
			kid = &branch{step: s, number: len(p.up), path: -1}
			p.up = append(p.up, b.number)
			b.grow(kid)
		}
		b = kid
	}
	if b.path < 0 {
		b.path = int32(len(p.ends))
		p.ends = append(p.ends, b.number)
		p.all = append(p.all, steps)
	}
	return b.path
}

func (b *branch) kid(s step) *branch {
	kids := b.kids
	if b.keys != nil {
		kids = b.keys[s.key]
	}
	i := slices.IndexFunc(kids, func(k *branch) bool { return k.step == s })
	if i < 0 {
		return nil
	}
	return kids[i]
}

func (b *branch) grow(kid *branch) {
	b.kids = append(b.kids, kid)
	b.indexed = b.indexed || kid.index >= 0
	if len(b.kids) <= few {
		return
	}
	fresh := b.kids[len(b.kids)-1:]
	if b.keys == nil {
		b.keys, b.indexes = make(map[string][]*branch), make(map[int]*branch)
		fresh = b.kids
	}
	for _, k := range fresh {
		b.keys[k.key] = append(b.keys[k.key], k)
		if k.index >= 0 {
			b.indexes[k.index] = k
		}
	}
}
