package blocklet

import (
	"encoding/json"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// reply is what every operation answers with; of Data, List and the rest its
// type in the schema has but one.
type reply[T any] struct {
	Code string
	Data T
}

type listing[T any] struct {
	Code   string
	List   []T
	Paging *paging
}

type event struct{ Type, Source string }

// endpoint is a WebhookEndpointState, and one WithUserInfo.
type endpoint struct {
	ID, APIVersion, URL, Description string
	EnabledEvents                    []event
	Metadata                         value
	Status                           string
	CreatedAt, UpdatedAt             value
	Secret                           string
	CreateUser, UpdateUser           *user
}

// apiVersion is the version of events where nobody chose another.
const apiVersion = "2025-02-27"

// version is the member of an endpoint's metadata that keeps the version its
// owner chose. It is not among the metadata as clients see them.
const version = "blocklet.apiVersion"

// counter is the member of the metadata that its servers count failures in.
const counter = "consecutiveFailures"

// endpoint is an endpoint as clients see it.
func (o Options) endpoint(row *capture.EndpointRow) *endpoint {
	e := &endpoint{
		ID: string(row.ID), APIVersion: apiVersion, URL: row.URL, Description: row.Description,
		EnabledEvents: enabled(row.Subscriptions), Status: string(row.Status), Secret: row.Secret.Masked(),
		CreatedAt: o.time(row.Created), UpdatedAt: o.time(row.Updated),
		CreateUser: &user{Did: row.CreatedBy}, UpdateUser: &user{Did: row.UpdatedBy},
	}
	if row.Status == capture.EndpointDeleted {
		e.EnabledEvents = []event{}
	}
	meta := metadata(&row.Endpoint)
	if v, ok := meta[version].(string); ok {
		e.APIVersion = v
	}
	delete(meta, version)
	if row.Health.Failed > 0 {
		meta[counter] = row.Health.InARow
	}
	e.Metadata = of(meta)
	return e
}

func metadata(e *capture.Endpoint) object {
	meta := object{}
	if json.Unmarshal(e.Metadata, &meta) != nil || meta == nil {
		return object{}
	}
	return meta
}

func (o Options) time(t time.Time) value {
	if o.ISO {
		return of(t.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	return of(t.UnixMilli())
}

// paging is a page by its number.
type paging struct{ Total, PageSize, PageCount, Page value }

const (
	usualPage   = 10
	largestPage = 100
)

// paged is the page that is asked for: its number and how many rows it has.
func (o object) paged() (page, size int) {
	asked, _ := o.sub("paging")
	return asked.count("page", 1), min(asked.count("pageSize", usualPage), largestPage)
}

func pages(page, size, total int) *paging {
	return &paging{of(total), of(size), of((total + size - 1) / size), of(page)}
}
