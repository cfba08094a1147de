package coviu

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

// audit is what is known of a firing for good: no URL, and of what was sent and
// answered how much and which digest.
type audit struct {
	ReferenceID capture.ID       `json:"referenceId"`
	ID          string           `json:"id"` // of the webhook
	Caller      string           `json:"caller"`
	Parent      *string          `json:"parent"` // the firing that it followed
	Method      string           `json:"method"`
	Time        time.Time        `json:"time"`
	State       string           `json:"state"` // pending, succeeded or failed
	Duration    capture.Duration `json:"duration_ms"`
	Status      int              `json:"status"`
	Error       bool             `json:"error"`
	Reason      string           `json:"reason,omitempty"` // the class of the failure

	RequestSize    int64           `json:"requestSize"`
	RequestSHA256  capture.Digest  `json:"requestSha256"`
	ResponseSize   int             `json:"responseSize"` // of what is kept of it, 1 MiB at most
	ResponseSHA256 *capture.Digest `json:"responseSha256"`
}

// The most firings of a page, and how many events are looked at for one: a
// plugin may make events of its own, too.
const (
	mostAudits = 100
	mostSeen   = 500
	mostLooks  = 20
)

// audits are those of a plugin's firings, the newest first, in pages: next is the
// cursor of the page that follows. One that is followed by another may be short.
func (s *service) audits(r *http.Request) (int, any, error) {
	q := r.URL.Query()
	limit, err := number(q.Get("limit"), "limit", 50)
	if err != nil {
		return 0, nil, err
	}
	cursor, err := number(q.Get("cursor"), "cursor", 0)
	if err != nil {
		return 0, nil, err
	}
	engine, app := s.engine(r), r.PathValue("plugin")
	if _, err := engine.App(r.Context(), app); err != nil {
		return 0, nil, err
	}
	out := struct {
		Audits []audit `json:"audits"`
		Next   string  `json:"next,omitempty"`
	}{Audits: []audit{}}
	want := int(min(max(limit, 1), mostAudits))
	for range mostLooks {
		page, err := engine.Events(r.Context(), capture.Query{App: app, Filter: "origin:trigger", Cursor: cursor, Limit: mostSeen})
		if err != nil {
			return 0, nil, err
		}
		for i := range page.Rows {
			e := &page.Rows[i].Event
			cursor = e.Seq
			if e.Trigger == "" {
				continue
			}
			a, err := audited(r.Context(), engine, e)
			if err != nil {
				return 0, nil, err
			}
			if out.Audits = append(out.Audits, a); len(out.Audits) == want {
				if i < len(page.Rows)-1 || page.Next > 0 {
					out.Next = strconv.FormatUint(cursor, 10)
				}
				return http.StatusOK, out, nil
			}
		}
		if cursor = page.Next; cursor == 0 {
			return http.StatusOK, out, nil
		}
	}
	out.Next = strconv.FormatUint(cursor, 10)
	return http.StatusOK, out, nil
}

func number(text, field string, otherwise uint64) (uint64, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, &capture.FieldError{Field: field, Problem: "want a whole number"}
	}
	return n, nil
}

func audited(ctx context.Context, engine api.Engine, e *capture.Event) (audit, error) {
	out := audit{ReferenceID: e.ID, ID: e.Type, Caller: e.Metadata["caller"], Method: e.Method, Time: e.Received, State: string(capture.AttemptPending), RequestSize: e.Size, RequestSHA256: e.SHA256}
	if parent, ok := e.Metadata["parent"]; ok {
		out.Parent = &parent
	}
	made, err := engine.Attempts(ctx, capture.AttemptQuery{Event: e.ID, Limit: 100})
	if err != nil || len(made) == 0 {
		return out, err
	}
	a, err := engine.Attempt(ctx, made[len(made)-1].ID) // what was sent again by hand since is newer
	if errors.Is(err, capture.ErrNotFound) || err == nil && a.Status == capture.AttemptPending {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.State, out.Duration, out.Status, out.Error = string(a.Status), a.Duration, a.Code, a.Status != capture.AttemptSucceeded
	if a.Error != nil {
		out.Reason = a.Error.Class
	}
	if res := a.Response; res != nil {
		sum := capture.Sum(res.Body)
		out.ResponseSize, out.ResponseSHA256 = len(res.Body), &sum
	}
	return out, nil
}
