package wacht

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/catalog"
	"code.hooktape.dev/hooktape/capture/fill"
	"code.hooktape.dev/hooktape/relay/api"
)

type catalogue struct {
	Deployment  string       `json:"deployment_id"`
	Slug        string       `json:"slug"`
	Name        string       `json:"name"`
	Description *string      `json:"description"`
	Events      []definition `json:"events"`
	Created     string       `json:"created_at"`
	Updated     string       `json:"updated_at"`
}

type definition struct {
	Name        *string         `json:"name"`
	Description *string         `json:"description"`
	Group       *string         `json:"group"`
	Schema      json.RawMessage `json:"schema"`
	Example     json.RawMessage `json:"example_payload"`
	Archived    bool            `json:"is_archived"`
}

type appEvent struct {
	Deployment  string          `json:"deployment_id"`
	App         string          `json:"app_slug"`
	Name        string          `json:"event_name"`
	Description *string         `json:"description"`
	Schema      json.RawMessage `json:"schema"`
	Created     string          `json:"created_at"`
}

func shownCatalog(row capture.CatalogRow) catalogue {
	c := catalogue{deploymentID, row.Slug, row.Name, filled(row.Description), []definition{}, stamp(row.Created), stamp(row.Updated)}
	for _, t := range row.Types {
		_, name, _ := capture.SplitTag(t.Tag)
		example := t.Sample.Body
		if made, err := fill.JSON(example, nil); err == nil { // its templates filled in
			example = made
		}
		c.Events = append(c.Events, definition{&name, &t.Description, filled(t.Group), orNull(t.Schema), orNull(example), t.Archived})
	}
	return c
}

func orNull(doc json.RawMessage) json.RawMessage {
	if len(doc) == 0 {
		return json.RawMessage("null")
	}
	return doc
}

// catalogGone says of a catalog that is not there what Wacht says.
func catalogGone(err error) error {
	if errors.Is(err, capture.ErrNotFound) {
		return missing("Webhook event catalog not found")
	}
	return err
}

// catalogs are all there are: limit and offset are ignored, as at Wacht.
func (d *dialect) catalogs(e api.Engine, r *http.Request) (any, error) {
	rows, err := e.Catalogs(r.Context())
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(a, b capture.CatalogRow) int { return strings.Compare(a.Name, b.Name) })
	all := make([]catalogue, len(rows))
	for i, row := range rows {
		all[i] = shownCatalog(row)
	}
	return cut(all, len(all), 0), nil
}

func (d *dialect) catalog(e api.Engine, r *http.Request) (any, error) {
	row, err := e.Catalog(r.Context(), r.PathValue("catalog"))
	return shownCatalog(row), catalogGone(err)
}

type newCatalog struct {
	Slug        *string       `json:"slug"`
	Name        *string       `json:"name"`
	Description *string       `json:"description"`
	Events      *[]definition `json:"events"`
}

func (in newCatalog) needs() []string {
	return append(absent(map[string]bool{"slug": in.Slug != nil, "name": in.Name != nil, "events": in.Events != nil}), unsaid(value(in.Events))...)
}

// unsaid are the members that definitions lack.
func unsaid(events []definition) []string {
	for _, d := range events {
		if left := absent(map[string]bool{"events.name": d.Name != nil, "events.description": d.Description != nil}); len(left) > 0 {
			return left
		}
	}
	return nil
}

// types are the event types that definitions define. What is a template here
// is a text like any other at Wacht.
func types(slug string, events []definition) ([]capture.EventType, error) {
	all := make([]capture.EventType, len(events))
	for i, d := range events {
		tag := slug + ":" + *d.Name
		if _, _, ok := capture.SplitTag(tag); !ok && capture.IsSlug(slug) {
			return nil, bad("The event name %.80q cannot be used: want up to 128 bytes, without blanks", *d.Name)
		}
		all[i] = capture.EventType{Tag: tag, EventTypeSpec: capture.EventTypeSpec{
			Description: *d.Description, Group: value(d.Group), Archived: d.Archived, Schema: given(d.Schema),
			Sample: capture.Sample{Body: catalog.Escaped(given(d.Example), fill.Escape)},
		}}
	}
	return all, nil
}

// given is a document that is not null.
func given(doc json.RawMessage) json.RawMessage {
	if string(doc) == "null" {
		return nil
	}
	return doc
}

// taken says of an event that is there already what Wacht says.
func taken(err error) error {
	if clash := new(capture.ConflictError); errors.As(err, &clash) && clash.Field == "tag" {
		_, name, _ := capture.SplitTag(clash.With)
		return bad("Event with name '%s' already exists in the catalog", name)
	}
	return catalogGone(err)
}

func (d *dialect) createCatalog(e api.Engine, r *http.Request) (any, error) {
	in, err := decode[newCatalog](r)
	if err != nil {
		return nil, err
	}
	events, err := types(*in.Slug, *in.Events)
	if err != nil {
		return nil, err
	}
	row, err := e.CreateCatalog(r.Context(), *in.Slug, capture.CatalogSpec{Name: *in.Name, Description: value(in.Description)}, events)
	return shownCatalog(row), taken(err)
}

func (d *dialect) updateCatalog(e api.Engine, r *http.Request) (any, error) {
	in, err := decode[catalogInput](r)
	if err != nil {
		return nil, err
	}
	changes := map[string]any{}
	put(changes, "name", in.Name)
	put(changes, "description", in.Description)
	patch, err := json.Marshal(changes)
	if err != nil {
		return nil, err
	}
	row, err := e.UpdateCatalog(r.Context(), r.PathValue("catalog"), patch)
	return shownCatalog(row), catalogGone(err)
}

type catalogInput struct {
	Name        *string `json:"name"`
	Description *string `json:"description"`
}

type addition struct {
	Events *[]definition `json:"events"`
}

func (in addition) needs() []string {
	return append(absent(map[string]bool{"events": in.Events != nil}), unsaid(value(in.Events))...)
}

func (d *dialect) appendEvents(e api.Engine, r *http.Request) (any, error) {
	in, err := decode[addition](r)
	if err != nil {
		return nil, err
	}
	slug := r.PathValue("catalog")
	events, err := types(slug, *in.Events)
	if err != nil {
		return nil, err
	}
	row, err := e.AddTypes(r.Context(), slug, events)
	return shownCatalog(row), taken(err)
}

type archival struct {
	Name     *string `json:"event_name"`
	Archived *bool   `json:"is_archived"`
}

func (in archival) needs() []string {
	return absent(map[string]bool{"event_name": in.Name != nil, "is_archived": in.Archived != nil})
}

func (d *dialect) archiveEvent(e api.Engine, r *http.Request) (any, error) {
	in, err := decode[archival](r)
	if err != nil {
		return nil, err
	}
	row, err := e.Catalog(r.Context(), r.PathValue("catalog"))
	if err != nil {
		return nil, catalogGone(err)
	}
	tag := row.Slug + ":" + *in.Name
	if !slices.ContainsFunc(row.Types, func(t capture.EventType) bool { return t.Tag == tag }) {
		return nil, missing("Event with name '%s' not found in the catalog", *in.Name)
	}
	patch, err := json.Marshal(map[string]bool{"archived": *in.Archived})
	if err != nil {
		return nil, err
	}
	if _, err := e.UpdateType(r.Context(), tag, patch); err != nil {
		return nil, err
	}
	row, err = e.Catalog(r.Context(), row.Slug)
	return shownCatalog(row), err
}

func (d *dialect) catalogOfApp(e api.Engine, r *http.Request) (any, error) {
	a, err := appOf(e, r)
	if err != nil {
		return nil, err
	}
	if a.Catalog == "" {
		return nil, missing("No catalog assigned to this app")
	}
	row, err := e.Catalog(r.Context(), a.Catalog)
	return shownCatalog(row), catalogGone(err)
}

func (d *dialect) eventsOfApp(e api.Engine, r *http.Request) (any, error) {
	a, err := appOf(e, r)
	if err != nil {
		return nil, err
	}
	var row capture.CatalogRow
	if a.Catalog != "" {
		if row, err = e.Catalog(r.Context(), a.Catalog); err != nil {
			return nil, catalogGone(err)
		}
	}
	events := []appEvent{}
	for _, t := range row.Types {
		_, name, _ := capture.SplitTag(t.Tag)
		events = append(events, appEvent{deploymentID, a.Slug, name, filled(t.Description), orNull(t.Schema), stamp(t.Created)})
	}
	return map[string]any{"events": events}, nil
}
