package ark

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// page is a window of all webhooks, and where the others are.
type page struct {
	Meta meta      `json:"meta"`
	Data []webhook `json:"data"`
}

type meta struct {
	Count      int     `json:"count"`
	PageCount  int     `json:"pageCount"`
	TotalCount int     `json:"totalCount"`
	Next       *string `json:"next"`
	Previous   *string `json:"previous"`
	Self       string  `json:"self"`
	First      string  `json:"first"`
	Last       *string `json:"last"`
}

// paged is the page of all that a query asks for: page and limit, from 1. What
// is no such number is as if it were not there.
func paged(query string, all []webhook) page {
	asked, _ := url.ParseQuery(query)
	number := func(name string, or int) int {
		if n, err := strconv.Atoi(asked.Get(name)); err == nil && n > 0 {
			return n
		}
		return or
	}
	n, limit, total := number("page", 1), number("limit", 100), len(all)
	pages := 0
	if total > 0 {
		pages = (total-1)/limit + 1
	}
	to := func(n int) string { return link(query, n, limit) }
	m := meta{PageCount: pages, TotalCount: total, Self: to(n), First: to(1)}
	if n < pages {
		m.Next = new(to(n + 1))
	}
	if n > 1 {
		m.Previous = new(to(n - 1))
	}
	if pages > 0 {
		m.Last = new(to(pages))
	}
	window := []webhook{}
	if n <= pages {
		window = all[(n-1)*limit:]
		window = window[:min(limit, len(window))]
	}
	m.Count = len(window)
	return page{m, window}
}

// link is the address of a page. Its other parameters are the query's, in their
// order.
func link(query string, n, limit int) string {
	pairs := strings.FieldsFunc(query, func(c rune) bool { return c == '&' })
	for _, p := range []struct {
		name  string
		value int
	}{{"page", n}, {"limit", limit}} {
		pair := fmt.Sprintf("%s=%d", p.name, p.value)
		i := slices.IndexFunc(pairs, func(s string) bool { return s == p.name || strings.HasPrefix(s, p.name+"=") })
		if i < 0 {
			pairs = append(pairs, pair)
		} else {
			pairs[i] = pair
		}
	}
	return root + "?" + strings.Join(pairs, "&")
}
