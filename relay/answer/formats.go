package answer

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

// format is how an event is put into a request, and what counts as taken.
type format struct {
	// made writes the body and the headers that are the format's own; nil:
	// the request is sent as it was caught.
	made    func(d *Delivery, e *capture.Event, body []byte, a *capture.Attempt) ([]byte, capture.Headers, error)
	agent   string
	follows bool                  // redirects; else they are answers
	good    func(status int) bool // nil: 2xx
	timeout time.Duration         // of an attempt; 0: 15 s
}

const agent = "Hooktape-Webhook/1.0"

var formats = map[capture.Format]format{
	capture.FormatRaw:      {},
	capture.FormatStandard: {made: standard, agent: agent},
	capture.FormatWacht:    {made: wacht, agent: "Wacht-Webhook/1.0", follows: true},
	capture.FormatBlocklet: {made: blocklet, agent: agent, follows: true},
	capture.FormatARK:      {made: ark, agent: agent, timeout: 1500 * time.Millisecond, good: func(status int) bool { return status < http.StatusBadRequest }},
}

// standard is Standard Webhooks 1.0.0. The id is the event's, so that whoever
// gets it from two endpoints can tell; the signature is over every key that
// counts, and left out where there is none.
func standard(d *Delivery, e *capture.Event, body []byte, a *capture.Attempt) ([]byte, capture.Headers, error) {
	return d.signed(string(e.ID), envelope(e, body, e.Received), a)
}

// wacht is Standard Webhooks as Wacht has them: the id is the delivery's, and
// the event's time has whole seconds. The time that is signed is the
// attempt's: Wacht's own stays that of the first, which verifiers refuse
// after five minutes.
func wacht(d *Delivery, e *capture.Event, body []byte, a *capture.Attempt) ([]byte, capture.Headers, error) {
	id := "msg_" + strings.TrimPrefix(string(a.Delivery), capture.DeliveryID)
	return d.signed(id, envelope(e, body, e.Received.Truncate(time.Second)), a)
}

func (d *Delivery) signed(id string, made []byte, a *capture.Attempt) ([]byte, capture.Headers, error) {
	h := capture.Headers{{sign.StandardID, id}, {sign.StandardTimestamp, strconv.FormatInt(a.Started.Unix(), 10)}}
	keys := d.keys(a.Started)
	if len(keys) == 0 {
		return made, h, nil
	}
	signature, err := sign.Standard(id, a.Started, made, keys...)
	return made, append(h, capture.Header{sign.StandardSignature, signature}), err
}

// envelope is {type, timestamp, data}.
func envelope(e *capture.Event, body []byte, at time.Time) []byte {
	b := append([]byte(`{"type":`), quoted(e.Type)...)
	b = at.UTC().AppendFormat(append(b, `,"timestamp":"`...), "2006-01-02T15:04:05.000Z")
	b = append(append(b, `","data":`...), inJSON(e, body)...)
	return append(b, '}')
}

// ark is {timestamp, data, event}, without data where there is none, and half
// the webhook's token as Authorization.
func ark(d *Delivery, e *capture.Event, body []byte, a *capture.Attempt) ([]byte, capture.Headers, error) {
	b := strconv.AppendInt([]byte(`{"timestamp":`), a.Started.UnixMilli(), 10)
	if len(body) > 0 {
		b = append(append(b, `,"data":`...), inJSON(e, body)...)
	}
	b = append(append(append(b, `,"event":`...), quoted(e.Type)...), '}')
	if d.Endpoint.Secret.Key == "" {
		return b, nil, nil
	}
	half, err := sign.ARK(d.Endpoint.Secret.Key)
	return b, capture.Headers{{"Authorization", half}}, err
}

// inJSON is a body as a JSON value: itself where it is one, else a string,
// else {"base64": …}, and null where it is empty. What an application made is
// JSON: nothing else is kept as such, and to see that again would be a tenth
// of the work of an attempt.
func inJSON(e *capture.Event, body []byte) []byte {
	switch {
	case len(body) == 0:
		return []byte("null")
	case e.Origin == capture.FromTrigger && e.Trigger == "":
		return body
	case !utf8.Valid(body):
		return []byte(`{"base64":"` + base64.StdEncoding.EncodeToString(body) + `"}`)
	case json.Valid(body):
		return body
	}
	return quoted(string(body))
}
