package fill_test

import (
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/fill"
)

func Example() {
	s := &fill.Source{
		Event: &capture.Event{Type: "order.paid", Target: "/hooks?shop=7"},
		Body:  []byte(`{"id":"ord_1","items":[{"sku":"A"}],"note":"say \"hi\""}`),
		Now:   time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC),
	}
	t, _ := fill.Parse(`{{event.type}} in {{query.shop}} at {{now "15:04"}}: {{body.name | default "nobody"}}`)
	text, _ := t.Fill(s)
	fmt.Println(text)
	doc, _ := fill.JSON([]byte(`{"at": "{{now 'unix'}}", "sku": "{{body.items[0].sku}}", "items": "{{body.items}}", "text": "{{body.note}}!"}`), s)
	fmt.Println(string(doc))
	_, err := fill.Parse("{{uuuid}}")
	fmt.Println(err)
	// Output:
	// order.paid in 7 at 15:09: nobody
	// {"at": 1773500966, "sku": "A", "items": [{"sku":"A"}], "text": "say \"hi\"!"}
	// line 1, column 3: unknown word "uuuid": did you mean uuid?
}
