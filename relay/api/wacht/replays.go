package wacht

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// replayRequest names deliveries, or else a range of dates.
type replayRequest struct {
	IDs      json.RawMessage `json:"delivery_ids"`
	Key      string          `json:"idempotency_key"`
	Since    *string         `json:"start_date"`
	Until    string          `json:"end_date"`
	Status   string          `json:"status"`
	Event    string          `json:"event_name"`
	Endpoint json.RawMessage `json:"endpoint_id"`
}

func startReplay(e api.Engine, r *http.Request, app string) (any, error) {
	in, err := decode[replayRequest](r)
	if err != nil {
		return nil, err
	}
	spec, err := in.spec()
	if err != nil {
		return nil, err
	}
	t, err := e.StartReplay(r.Context(), app, spec)
	if err != nil {
		return nil, refused(err)
	}
	return map[string]string{"status": "queued", "message": "Webhook replay has been queued", "task_id": taskID(t)}, nil
}

// refused is why a replay cannot begin, in Wacht's words.
func refused(err error) error {
	var field *capture.FieldError
	var conflict *capture.ConflictError
	switch {
	case errors.As(err, &conflict):
		return bad("Maximum 3 replay jobs can run at once for this app")
	case !errors.As(err, &field):
		return err
	}
	switch field.Field {
	case "deliveries":
		return bad("Maximum 500 delivery IDs are allowed per replay")
	case "since":
		return bad("Replay range cannot exceed 48 hours")
	case "until":
		return bad("end_date must not be before start_date")
	}
	return bad("%s", field.Error())
}

func (in *replayRequest) spec() (spec capture.ReplaySpec, err error) {
	spec.Key = in.Key
	if bytes.HasPrefix(in.IDs, []byte("[")) {
		spec.Deliveries, err = named(in.IDs)
		return spec, err
	}
	if in.Since == nil {
		return spec, &fault{http.StatusUnprocessableEntity, "Invalid request payload: want delivery_ids or start_date"}
	}
	if spec.Since, err = moment("start_date", *in.Since); err != nil {
		return spec, err
	}
	if spec.Since.IsZero() {
		return spec, bad("Bad request: start_date is empty: want RFC 3339, such as 2026-01-02T03:04:05Z")
	}
	if spec.Until, err = moment("end_date", in.Until); err != nil {
		return spec, err
	}
	if spec.Endpoint, err = endpointID(plain(in.Endpoint)); err != nil {
		return spec, err
	}
	spec.Type = in.Event
	switch in.Status {
	case "", "success", "failed", "permanently_failed":
		if in.Status != "" {
			spec.Status = called(in.Status)
		}
	case "filtered": // of which there are none
		spec.Deliveries = []capture.ID{}
	default:
		return spec, bad("invalid status")
	}
	return spec, nil
}

// named are ids in a JSON list, without what is no id.
func named(list json.RawMessage) ([]capture.ID, error) {
	var all []json.RawMessage
	if err := json.Unmarshal(list, &all); err != nil {
		return nil, err
	}
	ids := []capture.ID{}
	for _, one := range all {
		if id, err := deliveryID(plain(one)); err == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// plain is a JSON string's text, and of anything else the JSON but for null.
func plain(v json.RawMessage) (text string) {
	if json.Unmarshal(v, &text) != nil {
		return string(v)
	}
	return text
}

// task is a replay.
type task struct {
	ID        string  `json:"task_id"`
	App       string  `json:"app_slug"`
	Status    string  `json:"status"`
	Created   *string `json:"created_at"`
	Started   *string `json:"started_at"`
	Completed *string `json:"completed_at"`
	Total     int     `json:"total_count"`
	Processed int     `json:"processed"`
	Replayed  int     `json:"replayed_count"`
	Failed    int     `json:"failed_count"`
	Last      *string `json:"last_delivery_id"`
}

func asTask(t capture.Replay) task {
	out := task{
		ID: taskID(t), App: t.App, Status: string(t.Status), Created: offsetTime(t.Created), Started: offsetTime(t.Started), Completed: offsetTime(t.Ended),
		Total: t.Total, Processed: t.Processed, Replayed: t.Replayed, Failed: t.Failed,
	}
	if t.Last != "" {
		last := bare(t.Last)
		out.Last = &last
	}
	return out
}

// taskID is what Wacht calls a replay. No two are made in one millisecond.
func taskID(t capture.Replay) string {
	return "webhook-replay-batch-" + deploymentID + "-" + strconv.FormatInt(t.Created.UnixMilli(), 10)
}

// offsetTime is a time as Wacht writes those of replays: with +00:00 for Z.
func offsetTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format("2006-01-02T15:04:05.999999999-07:00")
	return &text
}

func listReplays(e api.Engine, r *http.Request, app string) (any, error) {
	limit, offset, err := window(r, 20, 100)
	if err != nil {
		return nil, err
	}
	all, err := e.Replays(r.Context(), app)
	if err != nil {
		return nil, err
	}
	var rows []task
	for _, t := range all[min(offset, len(all)):] {
		rows = append(rows, asTask(t))
	}
	return page(rows, limit, offset), nil
}

func getReplay(e api.Engine, r *http.Request, app string) (any, error) {
	t, err := find(e, r, app)
	return asTask(t), err
}

func cancelReplay(e api.Engine, r *http.Request, app string) (any, error) {
	t, err := find(e, r, app)
	if err != nil {
		return nil, err
	}
	if _, err := e.CancelReplay(r.Context(), t.ID); err != nil && !errors.Is(err, capture.ErrNotFound) {
		return nil, err
	}
	return map[string]string{"status": "cancelled", "message": "Replay task cancellation requested"}, nil
}

// find is the app's replay that the path names.
func find(e api.Engine, r *http.Request, app string) (capture.Replay, error) {
	all, err := e.Replays(r.Context(), app)
	for _, t := range all {
		if taskID(t) == r.PathValue("task") {
			return t, nil
		}
	}
	if err == nil {
		err = missing("Replay task not found")
	}
	return capture.Replay{}, err
}
