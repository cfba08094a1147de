package tui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay"
	"code.hooktape.dev/hooktape/store"
)

// shelf is a catalog of a few types, one of them hostile, with a store of a few
// events and the registry that fires.
func shelf(t testing.TB, w, h int) (*driver, *catalogue) {
	t.Helper()
	s := memory(t)
	keep(t, s, 0, 6)
	r := registry(t, s)
	pay := capture.EventTypeSpec{Name: "Order paid", Description: "An order was paid.\nIts amount is in cents.",
		Sample: capture.Sample{Path: "/orders/{id}", Headers: map[string]string{"Content-Type": "application/json", "Authorization": "Bearer hush"},
			Params: map[string]json.RawMessage{"id": json.RawMessage(`7`)}, Query: map[string]json.RawMessage{"live": json.RawMessage(`true`)}, Body: json.RawMessage(`{"id":"{{uuid}}","amount":4200}`)}}
	bad := capture.EventTypeSpec{Name: evil, Description: evil, Provider: "github", Sample: capture.Sample{Headers: map[string]string{"X-Evil": "ok"}, Body: json.RawMessage(`"` + "\\u001b[2J" + `"`)}}
	for tag, spec := range map[string]capture.EventTypeSpec{"default:order.paid": pay, "github:push": bad} {
		if _, err := r.CreateType(t.Context(), tag, spec, ""); err != nil {
			t.Fatal(err)
		}
	}
	c := &catalogue{Registry: r}
	d := start(t, s, w, h, func(o *Options) { o.Types = c })
	d.press("7")
	return d, c
}

// catalogue is the real one, but for the many that are built in.
type catalogue struct {
	*relay.Registry
	fired []capture.Firing
	err   error
}

func (c *catalogue) Types(ctx context.Context, app string) ([]capture.EventType, error) {
	all, err := c.Registry.Types(ctx, app)
	var some []capture.EventType
	for _, t := range all {
		if !t.Builtin || strings.HasPrefix(t.Tag, "slack:") {
			t.Builtin = strings.HasPrefix(t.Tag, "slack:")
			some = append(some, t)
		}
	}
	return some, errors.Join(err, c.err)
}

func (c *catalogue) Fire(ctx context.Context, tag string, f capture.Firing) (capture.Fired, error) {
	c.fired = append(c.fired, f)
	return c.Registry.Fire(ctx, tag, f)
}

func TestSampleFrames(t *testing.T) {
	for _, size := range [][2]int{{40, 10}, {80, 24}, {160, 45}} {
		for name, keys := range map[string][]string{"list": nil, "hostile": {"j", "enter"}, "filter": {"/", "order own"}, "none": {"/", "nothing"},
			"one": {"enter"}, "send": {"t", "tab", "tab", "tab", "/amount=1", "tab", "currency=eur"}, "make": {"1", "k", "M"}} {
			name := fmt.Sprintf("samples_%s_%dx%d", name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d, _ := shelf(t, size[0], size[1])
				d.press(keys...)
				d.golden(name)
			})
		}
	}
}

func TestSampleIsSent(t *testing.T) {
	d, c := shelf(t, 80, 24)
	d.press("t", "tab", "tab", "right", "tab", "/amount=17", "tab", "note=a word", "tab", "enter")
	d.want("1·Events", "FOLLOW", "default:order.paid is kept: nobody listens, and no endpoint wants it", `{"id":"`, `"amount":17,"note":"a word"}`, "> ", "order.paid")
	if f := c.fired[0]; f.App != "default" || f.To != "" || !f.Unsigned || f.Forged || len(f.Set) != 2 || f.Set[1].Pointer != "/note" || string(f.Set[1].Value) != `"a word"` {
		t.Errorf("fired %+v", f)
	}
	// A list that is paused, opened and filtered comes to what was sent, too.
	d.press("/", "type:ping*", "enter", "k", "enter", "7", "t", "enter")
	d.want("1·Events", "PAUSED", "> ", "order.paid")
	if row := d.views[0].stack[0].(*events).list.selected(); row == nil || row.Type != "order.paid" || row.Origin != capture.FromSample {
		t.Errorf("selected is %+v", row)
	}
}

func TestSampleIsRefused(t *testing.T) {
	d, c := shelf(t, 80, 24)
	d.press("t", "tab", "localhost:3000", "enter")
	d.want("not sent: To is no URL", "want an http:// or https:// URL")
	d.press("ctrl+u", "tab", "tab", "/amount=1", "tab", "/no/such/place=1", "enter")
	d.want("not sent: ", "/no/such/place", "✗ ")
	d.press("esc", "t", "ctrl+u", "nobody", "enter")
	d.want("not sent: ", "> App           nobody")
	if len(c.fired) != 2 {
		t.Errorf("fired %+v", c.fired)
	}
	d.press("esc", "esc")
	d.want("1·Events")
	c.err = errors.New("the relay is busy")
	d.press("7")
	d.want("the relay is busy")
	c.err = nil
	d.press("k")
	d.want("default:order.paid")
}

func TestSampleIsMade(t *testing.T) {
	d, c := shelf(t, 80, 24)
	d.press("1", "k", "M")
	d.want("a sample of it: tag default:ping-🚀")
	d.press("ctrl+u", "default:pinged", "enter")
	d.want("made the sample default:pinged: 7 shows it")
	made, err := c.Type(t.Context(), "default:pinged")
	if err != nil || !strings.Contains(string(made.Sample.Body), `"evt_4"`) {
		t.Errorf("made %s, %v", made.Sample.Body, err)
	}
	d.press("enter", "M", "ctrl+u", "default:pinged", "enter")
	d.want("no sample made: ", "there is an event type")
	d.press("M", "ctrl+u", "a word", "enter")
	d.want("no sample made: ", "want app:event")
	d.press("esc", "7")
	d.want("default:pinged")
	refuse(t, d.store, 70)
	d.changed()
	d.press("1", "G", "M")
	d.want("it was refused: there is no body to make a sample of")
	d = start(t, d.store, 80, 24)
	d.press("M")
	d.want("there is no catalog of event types here")
}

// refuse keeps a stub of an event that was too large.
func refuse(t testing.TB, s *store.Store, n int) {
	t.Helper()
	e := numbered(n).Event
	e.Refused = &capture.Refusal{Status: 413, Limit: "body", Got: 2, Max: 1}
	if err := s.Keep(t.Context(), &capture.Change{Event: e}); err != nil {
		t.Fatal(err)
	}
}
