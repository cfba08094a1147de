package ductape

import (
	"bytes"
	"encoding/json"
)

// descriptor says what one member of a sample is, as Ductape's tools list them.
type descriptor struct {
	Key               string `json:"key"`
	SampleValue       any    `json:"sampleValue"` // objects, arrays and null as JSON in a string
	Category          string `json:"category"`
	Description       string `json:"description"`
	Required          bool   `json:"required"`
	MaxLength         int    `json:"maxLength"` // 0: none
	MinLength         int    `json:"minLength"`
	Decorator         string `json:"decorator"`
	DecoratorPosition string `json:"decoratorPosition"`
	Type              string `json:"type"`
	DefaultType       string `json:"defaultType"`
	DefaultValue      string `json:"defaultValue"`
	Index             int    `json:"index"`        // among its siblings
	ParentKey         string `json:"parent_key"`   // of the object it is in, or the array that holds this
	ParentIndex       int    `json:"parent_index"` // the place in the innermost array around it
	Level             int    `json:"level"`
}

// The bounds of what is described: a sample that is nested deeply holds, as
// JSON in JSON, much more than itself.
const (
	mostDescriptors = 10_000
	mostValues      = 4 << 20 // bytes of sample values
	mostLevels      = 100
)

// describe lists the members of a sample, those of each behind it. Of arrays
// the objects are looked into.
func describe(body json.RawMessage) []descriptor {
	d := describing{all: []descriptor{}, left: mostValues}
	if len(body) > 0 {
		d.value(body, "", 0, 0)
	}
	return d.all
}

type describing struct {
	all  []descriptor
	left int
}

// value describes what is in a value under a key.
func (d *describing) value(text json.RawMessage, key string, level, parent int) {
	if level > mostLevels {
		return
	}
	if text = bytes.TrimSpace(text); text[0] != '[' {
		d.members(text, key, level, parent)
		return
	}
	var elements []json.RawMessage
	if json.Unmarshal(text, &elements) != nil {
		return
	}
	for i, e := range elements {
		d.members(e, key, level, i)
	}
}

// members describes those of an object. An array in an array has its places for
// keys.
func (d *describing) members(text json.RawMessage, parent string, level, parentIndex int) {
	index := 0
	for key, v := range below(text) {
		if d.left -= len(key) + len(v); d.left < 0 || len(d.all) >= mostDescriptors {
			return
		}
		m := descriptor{Key: key, Category: "event", Required: true, DefaultType: "input", Index: index, ParentKey: parent, ParentIndex: parentIndex, Level: level}
		m.Type, m.SampleValue = typeOf(v)
		d.all = append(d.all, m)
		if m.Type == "object" || m.Type == "array" {
			d.value(v, key, level+1, parentIndex)
		}
		index++
	}
}

// typeOf is the type of a value as JavaScript calls it, and the value as a
// descriptor has it.
func typeOf(v json.RawMessage) (string, any) {
	switch v[0] {
	case '"':
		return "string", v
	case 't', 'f':
		return "boolean", v
	case '[':
		return "array", compact(v)
	case '{', 'n':
		return "object", compact(v)
	}
	return "number", v
}

func compact(v json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, v); err != nil {
		return string(v)
	}
	return b.String()
}
