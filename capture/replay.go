package capture

import "time"

// ReplayID is the prefix of ids of replays.
const ReplayID = "rpl_"

// Replay is many deliveries being sent again, each as a delivery of its own. It
// is forgotten two hours after it has ended, and when the process ends.
type Replay struct {
	ID     ID           `json:"id"`
	App    string       `json:"app"`
	Status ReplayStatus `json:"status"`

	Created time.Time `json:"created_at"`
	Started time.Time `json:"started_at,omitzero"`
	Ended   time.Time `json:"ended_at,omitzero"`

	Total     int `json:"total"` // deliveries; 0 while they are looked up
	Processed int `json:"processed"`
	Replayed  int `json:"replayed"` // of those, sent again
	// Failed are those that were not: deliveries that are not there, whose
	// first attempt still waits, whose endpoint gets no events, or no longer
	// wants this one.
	Failed int `json:"failed"`
	Last   ID  `json:"last_delivery_id,omitempty"` // of those processed
}

// ReplayStatus is how far a replay has come.
type ReplayStatus string

// The statuses of replays.
const (
	ReplayQueued    ReplayStatus = "queued"
	ReplayRunning   ReplayStatus = "running"
	ReplayCompleted ReplayStatus = "completed"
	ReplayCancelled ReplayStatus = "cancelled"
)

// ReplaySpec says which deliveries of an app are sent again: those that are
// named or, where Deliveries is nil, those that were made within a span of time
// and of which an attempt was made, the oldest first.
type ReplaySpec struct {
	Deliveries []ID `json:"deliveries,omitzero"` // up to 500

	Since    time.Time        `json:"since,omitzero"`
	Until    time.Time        `json:"until,omitzero"` // up to 48 hours later; zero: now
	Status   []DeliveryStatus `json:"status,omitempty"`
	Type     string           `json:"event_type,omitempty"`
	Endpoint ID               `json:"endpoint_id,omitempty"`

	// Key makes the replay begin once: the same key within 30 minutes names
	// the one that was begun. Up to 255 characters.
	Key string `json:"idempotency_key,omitempty"`
}
