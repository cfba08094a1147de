package dispatch

import (
	"context"
	"maps"
	"slices"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

// table is the enabled endpoints of an app, ready to be asked which of them
// want an event.
type table struct {
	all     map[capture.ID]entry
	set     *match.Set // of order
	order   []capture.Endpoint
	changed map[capture.ID]bool // since the set was made: all of these are asked one by one
}

type entry struct {
	endpoint capture.Endpoint
	wants    *match.Predicate
}

// mostChanged is how many endpoints are asked one by one before a set is made
// of them, which takes some milliseconds where there are thousands.
const mostChanged = 32

// put adds, replaces or takes out an endpoint.
func (t *table) put(e capture.Endpoint) {
	t.changed[e.ID] = true
	delete(t.all, e.ID)
	wants, err := match.Subscribe(&e.EndpointSpec)
	if e.Status == capture.EndpointEnabled && err == nil { // what does not compile was never kept
		t.all[e.ID] = entry{e, wants}
	}
}

// settle makes the set anew.
func (t *table) settle() {
	t.order = make([]capture.Endpoint, 0, len(t.all))
	wants := make([]*match.Predicate, 0, len(t.all))
	for _, id := range slices.Sorted(maps.Keys(t.all)) {
		t.order = append(t.order, t.all[id].endpoint)
		wants = append(wants, t.all[id].wants)
	}
	t.set, t.changed = match.NewSet(wants), map[capture.ID]bool{}
}

// registered are the endpoints of an app that want an event. They are read from
// the store when they are first asked for: nothing changes without Put from
// then on.
func (d *Dispatcher) registered(app string, subject match.Subject) (wanting []capture.Endpoint) {
	d.mu.Lock()
	t := d.tables[app]
	if t == nil {
		t = d.load(app)
	}
	if len(t.changed) > mostChanged {
		t.settle()
	}
	set, order, changed := t.set, t.order, maps.Clone(t.changed)
	var apart []entry
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		if e, ok := t.all[id]; ok {
			apart = append(apart, e)
		}
	}
	d.mu.Unlock()

	for _, i := range set.Match(subject) {
		if !changed[order[i].ID] {
			wanting = append(wanting, order[i])
		}
	}
	for _, e := range apart {
		if e.wants.Match(subject) {
			wanting = append(wanting, e.endpoint)
		}
	}
	return wanting
}

// load reads an app's endpoints, under the lock: one that is registered
// meanwhile is either read or Put afterwards.
func (d *Dispatcher) load(app string) *table {
	t := &table{all: make(map[capture.ID]entry), changed: make(map[capture.ID]bool)}
	defer t.settle()
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
