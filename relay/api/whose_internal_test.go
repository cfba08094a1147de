package api

import (
	"slices"
	"strings"
	"testing"
)

// TestEveryRouteSaysWhose: a new route cannot forget those who are bound to an
// app, and what it declares is what its path and parameters have.
func TestEveryRouteSaysWhose(t *testing.T) {
	for _, rt := range new(Server).routes() {
		inQueryToo := slices.ContainsFunc(rt.params, func(p parameter) bool { return p.name == "app" })
		switch rt.whose {
		case ofNobody, ofAll, ofCaller, inBody:
		case inPath:
			if !strings.Contains(rt.path(), "{app}") {
				t.Errorf("%s: no app is in its path", rt.op)
			}
		case inQuery:
			if !inQueryToo {
				t.Errorf("%s: it has no parameter app", rt.op)
			}
		case byEvent, byAttempt, byEndpoint, byToken, byListener, byRule, byTrigger, byReplay:
			if !strings.Contains(rt.path(), string(rt.whose)+"s/{id}") {
				t.Errorf("%s: no id of its %s is in its path", rt.op, rt.whose)
			}
		case byDelivery:
			if !strings.Contains(rt.path(), "deliveries/{id}") {
				t.Errorf("%s: no id of its %s is in its path", rt.op, rt.whose)
			}
		case byTag:
			if !strings.Contains(rt.path(), "types/{tag}") {
				t.Errorf("%s: no tag is in its path", rt.op)
			}
		default:
			t.Errorf("%s: say in routes.go whose app it is about, and in TestBound what follows", rt.op)
		}
	}
}
