package ductape

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
)

// below are the members of an object in their order, or the elements of an
// array under their places; of anything else there are none.
func below(text json.RawMessage) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		d := json.NewDecoder(bytes.NewReader(text))
		open, err := d.Token()
		if err != nil || open != json.Delim('{') && open != json.Delim('[') {
			return
		}
		for i := 0; d.More(); i++ {
			name := strconv.Itoa(i)
			if open == json.Delim('{') {
				key, err := d.Token()
				if err != nil {
					return
				}
				name, _ = key.(string)
			}
			var v json.RawMessage
			if d.Decode(&v) != nil || !yield(name, bytes.TrimSpace(v)) {
				return
			}
		}
	}
}
