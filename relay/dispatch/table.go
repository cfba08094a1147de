package dispatch

import (
	"cmp"
	"context"
	"slices"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// table is the enabled endpoints of an app, ready to be asked which of them
// want an event.
type table struct {
	entries map[capture.ID]entry
	set     *match.Set // of endpoints, in their order; nil once an entry has changed
	order   []capture.Endpoint
}

type entry struct {
	endpoint capture.Endpoint
	wants    *match.Predicate
}

// put adds, replaces or takes out an endpoint.
func (t *table) put(e capture.Endpoint) {
	t.set = nil
	delete(t.entries, e.ID)
	wants, err := match.Subscribe(&e.EndpointSpec)
	if e.Status == capture.EndpointEnabled && err == nil { // what does not compile was never kept
		t.entries[e.ID] = entry{e, wants}
	}
}

// registered is the table of an app, read from the store when it is first
// asked for: nothing changes without Put from then on.
func (d *Dispatcher) registered(app string) (*match.Set, []capture.Endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tables[app]
	if t == nil {
		t = d.load(app)
	}
	if t.set == nil {
		t.order = make([]capture.Endpoint, 0, len(t.entries))
		for _, e := range t.entries {
			t.order = append(t.order, e.endpoint)
		}
		slices.SortFunc(t.order, func(a, b capture.Endpoint) int { return cmp.Compare(a.ID, b.ID) })
		wants := make([]*match.Predicate, len(t.order))
		for i, e := range t.order {
			wants[i] = t.entries[e.ID].wants
		}
		t.set = match.NewSet(wants)
	}
	return t.set, t.order
}

// load reads an app's endpoints, under the lock: one that is registered
// meanwhile is either read or Put afterwards.
func (d *Dispatcher) load(app string) *table {
	t := &table{entries: make(map[capture.ID]entry)}
	q := capture.EndpointQuery{App: app, Status: capture.EndpointEnabled, Limit: 1000}
	for {
		rows, err := d.History.EndpointRows(context.Background(), q)
		if err != nil {
			d.log().Error("the endpoints of an app could not be read", "app", app, "err", err)
			return t // and is read again for the next event
		}
		for _, row := range rows {
			t.put(row.Endpoint)
		}
		if len(rows) < q.Limit {
			break
		}
		q.Cursor = rows[len(rows)-1].ID
	}
	if d.tables == nil {
		d.tables = make(map[string]*table)
	}
	d.tables[app] = t
	return t
}
