package blocklet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

const (
	publish = wellKnown + "/api/send-to-event-bus"
	catalog = wellKnown + "/openevent.json"
)

// bus takes the events of components, and tells which there are.
type bus struct {
	engine func(*http.Request) api.Engine
}

// published is an event as a component publishes it. The token is signed by the
// app's wallet, which nobody here can check: it is not looked at.
type published struct {
	APIVersion string `json:"apiVersion"`
	Data       struct {
		Sender struct {
			AppDid string `json:"appDid"`
		} `json:"sender"`
		Event struct {
			ID         string          `json:"id"`
			Source     string          `json:"source"`
			Type       string          `json:"type"`
			ObjectType string          `json:"object_type"`
			ObjectID   string          `json:"object_id"`
			Data       json.RawMessage `json:"data"`
		} `json:"event"`
	} `json:"data"`
}

// publish keeps an event of the sender's app, once by the id that its publisher
// gave it.
func (b bus) publish(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		return &refusal{http.StatusRequestEntityTooLarge, "invalid", fmt.Sprintf("the event has over %d bytes", large.Limit)}
	}
	var p published
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	if err != nil {
		return &refusal{http.StatusBadRequest, "invalid", "Invalid event: this is not JSON of its kind"}
	}
	e := &p.Data.Event
	app := Slug(p.Data.Sender.AppDid)
	for _, m := range [][2]string{{"sender.appDid", app}, {"source", e.Source}, {"type", e.Type}} {
		if m[1] == "" {
			return &refusal{http.StatusBadRequest, "invalid", fmt.Sprintf("Invalid event: %q is required", m[0])}
		}
	}
	what := capture.Emission{Type: e.Type, Source: e.Source, Data: e.Data, Key: e.ID, Metadata: map[string]string{
		"sender.did": strings.TrimPrefix(p.Data.Sender.AppDid, "did:abt:"),
	}}
	for name, v := range map[string]string{metaObjectType: e.ObjectType, metaObjectID: e.ObjectID} {
		if v != "" {
			what.Metadata[name] = v
		}
	}
	made, _, err := b.engine(r).Emit(r.Context(), app, what)
	if err != nil {
		return err
	}
	write(w, http.StatusOK, map[string]string{"id": string(made.ID)})
	return nil
}

// eventType is one of the catalog.
type eventType struct {
	Type        string `json:"type"`
	Description string `json:"description"`
	Source      string `json:"source"`
}

// catalog is what may be published: the event types that were made of an app.
// ?app= names another than the default one, or the token's.
func (b bus) catalog(w http.ResponseWriter, r *http.Request) error {
	slug := Slug(r.URL.Query().Get("app"))
	if slug == "" {
		slug = capture.DefaultApp
		if own := api.Bearer(r).App; own != "" {
			slug = own
		}
	}
	engine := b.engine(r)
	app, err := engine.App(r.Context(), slug)
	if err != nil {
		return err
	}
	types, err := engine.Types(r.Context(), slug)
	if err != nil {
		return err
	}
	did := slug
	if Slug(app.Name) == slug { // it was made for a team
		did = strings.TrimPrefix(app.Name, "did:abt:")
	}
	events := []eventType{}
	for _, t := range types {
		_, name, _ := capture.SplitTag(t.Tag)
		events = append(events, eventType{name, t.Description, did})
	}
	write(w, http.StatusOK, map[string]any{
		"openevent": "1.0.0",
		"info":      map[string]string{"title": app.Name, "description": app.Description},
		"sources":   []map[string]string{{"did": did, "title": app.Name, "description": app.Description, "version": "", "logo": ""}},
		"events":    events,
	})
	return nil
}
