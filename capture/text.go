package capture

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Text is bytes that are mostly text: in JSON a string where they are valid
// UTF-8, else {"base64":"…"}, so that nothing is lost either way.
type Text []byte

// MarshalJSON implements json.Marshaler.
func (t Text) MarshalJSON() ([]byte, error) {
	if utf8.Valid(t) {
		return json.Marshal(string(t))
	}
	return json.Marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString(t)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = Text(s)
		return nil
	}
	var raw struct {
		Base64 *[]byte `json:"base64"`
	}
	if err := json.Unmarshal(b, &raw); err != nil || raw.Base64 == nil {
		return fmt.Errorf("want a string or {\"base64\": …}")
	}
	*t = *raw.Base64
	return nil
}

// Raw is text that may hold any byte, because a stranger sent it. Its JSON
// form is that of Text.
type Raw string

// MarshalJSON implements json.Marshaler.
func (r Raw) MarshalJSON() ([]byte, error) { return Text(r).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (r *Raw) UnmarshalJSON(b []byte) error {
	var t Text
	err := t.UnmarshalJSON(b)
	*r = Raw(t)
	return err
}
