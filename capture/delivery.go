package capture

import (
	"net/http"
	"time"
)

// Delivery is an event on its way to an endpoint, as all its attempts tell.
type Delivery struct {
	ID       ID     `json:"id"`
	App      string `json:"app"` // the event's,
	Type     string `json:"event_type"`
	Event    ID     `json:"event_id"`
	Endpoint ID     `json:"endpoint_id"`

	Status  DeliveryStatus `json:"status"`
	Created time.Time      `json:"created_at"`
	Next    time.Time      `json:"next_at,omitzero"` // when the attempt that waits is due

	Attempts    int `json:"attempts"`     // that were made
	MaxAttempts int `json:"max_attempts"` // that are made at most, unless a user asks for more
	// Last is the attempt that was made last, without what went over the wire;
	// nil where none was.
	Last *Attempt `json:"last_attempt"`
}

// DeliveryStatus is how far a delivery has come.
type DeliveryStatus string

// The statuses of deliveries.
const (
	DeliveryPending   DeliveryStatus = "pending"   // the first attempt waits
	DeliverySucceeded DeliveryStatus = "succeeded" // the last attempt did
	DeliveryRetrying  DeliveryStatus = "retrying"  // the last attempt failed, and another waits
	DeliveryFailed    DeliveryStatus = "failed"    // the last attempt failed, and no other is made
	DeliveryGone      DeliveryStatus = "gone"      // likewise, with the answer 410 Gone
	DeliverySkipped   DeliveryStatus = "skipped"   // given up before an attempt was made
)

// DeliveryStatuses are all of them.
var DeliveryStatuses = []DeliveryStatus{DeliveryPending, DeliverySucceeded, DeliveryRetrying, DeliveryFailed, DeliveryGone, DeliverySkipped}

// Fold derives what there is to know of a delivery from its attempts, at least
// one, in any order. MaxAttempts is not touched.
func (d *Delivery) Fold(attempts []Attempt) {
	first, waits := &attempts[0], false
	d.Attempts, d.Last, d.Next = 0, nil, time.Time{}
	for i := range attempts {
		a := &attempts[i]
		if a.ID < first.ID {
			first = a
		}
		switch {
		case a.Status == AttemptSkipped:
			continue
		case a.Status == AttemptPending:
			if !waits || a.NotBefore.Before(d.Next) {
				d.Next = a.NotBefore
			}
			waits = true
			continue
		}
		d.Attempts++
		if d.Last == nil || a.Seq > d.Last.Seq {
			d.Last = a
		}
	}
	d.ID, d.App, d.Type, d.Event, d.Endpoint = first.Delivery, first.App, first.Type, first.Event, first.Endpoint
	d.Created = d.ID.Time().UTC()
	switch {
	case d.Last == nil && waits:
		d.Status = DeliveryPending
	case d.Last == nil:
		d.Status = DeliverySkipped
	case d.Last.Status == AttemptSucceeded:
		d.Status = DeliverySucceeded
	case waits:
		d.Status = DeliveryRetrying
	case d.Last.Code == http.StatusGone:
		d.Status = DeliveryGone
	default:
		d.Status = DeliveryFailed
	}
}

// DeliveryQuery asks a Source for deliveries, the newest first.
type DeliveryQuery struct {
	App      string           // only of this app's events
	Event    ID               // only this event's
	Endpoint ID               // only this endpoint's
	Type     string           // only of events of exactly this type
	Status   []DeliveryStatus // only of one of these; none: any
	// Since and Until bound when they were made, both included, to the
	// millisecond. Zero: unbounded.
	Since, Until time.Time

	Cursor ID  // the delivery the window begins behind; "": the newest
	Offset int // so many of the window's first are passed over
	Limit  int // 0: 50
}
