package answer

import (
	"cmp"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

// blocklet is the members of the event's data, then $eventName and $sender.
// Data that is no object is the member "data". The sender's did, pk, url and
// name are the event's metadata "sender.did" and so on; did is else the
// event's source or app, and name its app.
//
// Receivers verify the signature over the body as JavaScript parses and
// writes it again, so that is how it is written. They read one signature: it
// is by the newest of the endpoint's keys, or of its app's.
func blocklet(d *Delivery, e *capture.Event, body []byte, a *capture.Attempt) ([]byte, capture.Headers, error) {
	value, err := parseJS(inJSON(e, body))
	if err != nil {
		return nil, nil, err
	}
	data, ok := value.(*object)
	if !ok {
		data = new(object)
		if len(body) > 0 {
			data.set("data", value)
		}
	}
	sender := new(object)
	for _, m := range [][2]string{{"did", cmp.Or(e.Source, e.App)}, {"pk"}, {"url"}, {"name", e.App}} {
		if v := cmp.Or(e.Metadata["sender."+m[0]], m[1]); v != "" {
			sender.set(m[0], v)
		}
	}
	data.set("$eventName", e.Type)
	data.set("$sender", sender)
	made := appendJS(nil, data)
	h := capture.Headers{{"Accept", "application/json, text/plain, */*"}}
	if keys := d.keys(a.Started); len(keys) > 0 {
		h = append(h, capture.Header{sign.BlockletHeader, sign.Blocklet(a.Started, made, keys[0])})
	}
	return made, h, nil
}
