package match_test

import (
	"errors"
	"fmt"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/match"
)

func Example() {
	p, err := match.Parse(`type:invoice.* body.data.object.amount:>1000 !is:ok`)
	if err != nil {
		fmt.Println(err)
		return
	}
	event := match.Subject{
		Row:  &capture.Row{Event: capture.Event{Type: "invoice.paid"}, Outcome: capture.Outcome{State: capture.Failed}},
		Body: func() []byte { return []byte(`{"data":{"object":{"amount":1000}}}`) },
	}
	fmt.Println(p.Match(event))
	for _, miss := range p.Explain(event) {
		fmt.Println(miss)
	}
	// Output:
	// false
	// body.data.object.amount:>1000: body.data.object.amount is 1000
}

func ExampleSyntaxError() {
	_, err := match.Parse(`type:push stauts:5xx`)
	fmt.Println(err)
	var bad *match.SyntaxError
	if errors.As(err, &bad) {
		fmt.Println(bad.Caret())
	}
	// Output:
	// unknown field "stauts" at column 11: did you mean status:?
	// type:push stauts:5xx
	//           ^~~~~~
}
