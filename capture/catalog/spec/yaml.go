package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decodeYAML reads one YAML document. Aliases are written out, and count as
// what they stand for.
func decodeYAML(doc []byte) ([]any, error) {
	// Nodes are large, and the library reads all before any can be counted.
	// None begins without one of these.
	if marks := countAny(doc, ",\n[{-?:&!"); marks > 2*mostValues {
		return nil, errValues
	}
	d := yaml.NewDecoder(bytes.NewReader(doc))
	var n yaml.Node
	if err := d.Decode(&n); err != nil {
		return nil, fmt.Errorf("neither JSON nor YAML: %w", err)
	}
	if err := d.Decode(new(yaml.Node)); err == nil {
		return nil, errors.New("there are several YAML documents in it: give one at a time")
	}
	y := yamlDecoder{left: mostValues}
	v, err := y.value(&n, 0)
	if err != nil {
		return nil, err
	}
	return []any{v}, nil
}

func countAny(doc []byte, marks string) (n int) {
	for i := range marks {
		n += bytes.Count(doc, []byte(marks[i:i+1]))
	}
	return n
}

type yamlDecoder struct{ left int }

func (y *yamlDecoder) value(n *yaml.Node, depth int) (any, error) {
	if y.left--; y.left < 0 {
		return nil, errValues
	}
	if depth > mostDepth { // an alias within what it stands for ends here
		return nil, errDepth
	}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) == 0 {
			return nil, nil
		}
		return y.value(n.Content[0], depth)
	case yaml.AliasNode:
		return y.value(n.Alias, depth+1)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := y.value(c, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		o := new(object)
		return o, y.members(o, n, depth)
	}
	return scalar(n)
}

func (y *yamlDecoder) members(o *object, n *yaml.Node, depth int) error {
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		for hops := 0; key.Kind == yaml.AliasNode && hops < mostDepth; hops++ {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: a member's name is no text", key.Line)
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, n.Content[i+1])
			continue
		}
		v, err := y.value(n.Content[i+1], depth+1)
		if err != nil {
			return err
		}
		o.set(key.Value, v)
	}
	for _, m := range merged { // what is written here goes before what is merged in
		v, err := y.value(m, depth+1)
		if err != nil {
			return err
		}
		from, ok := v.([]any)
		if !ok {
			from = []any{v}
		}
		for _, f := range from {
			for _, key := range asObject(f).names() {
				if !o.has(key) {
					o.set(key, asObject(f).get(key))
				}
			}
		}
	}
	return nil
}

// scalar is what a scalar means in JSON. Dates and binaries stay text, and so
// do numbers that JSON has not: .inf and .nan.
func scalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		var v bool
		err := n.Decode(&v)
		return v, err
	case "!!int", "!!float":
		return number(n.Value)
	}
	return n.Value, nil
}

func number(s string) (any, error) {
	if err := checkNumber(s); err != nil {
		return nil, err
	}
	if json.Valid([]byte(s)) {
		return json.Number(s), nil
	}
	plain := strings.TrimPrefix(strings.ReplaceAll(s, "_", ""), "+")
	if i, ok := new(big.Int).SetString(plain, 0); ok { // 0x1f, 0o17
		return json.Number(i.String()), nil
	}
	if r, ok := new(big.Rat).SetString(plain); ok && !strings.ContainsAny(plain, "/pP") { // .5, 1.
		return decimal(r), nil
	}
	return s, nil
}
