package sign_test

import (
	"fmt"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/sign"
)

func ExampleScheme_Explain() {
	stripe, _ := sign.Lookup("stripe")
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := &sign.Request{Body: []byte(`{"id":"evt_1","livemode":false}`)}
	if err := stripe.Sign(r, sign.How{At: now, Secrets: []sign.Secret{{Text: "hush"}}}); err != nil {
		panic(err)
	}

	r.Body = []byte(`{"id": "evt_1", "livemode": false}`) // what a framework made of it
	e := stripe.Explain(r, now.Add(time.Minute), sign.Secret{Name: "stripe", Text: "hush"})
	fmt.Println(e.Verdict, e.Cause == capture.CauseRewrite)
	for _, s := range e.Steps {
		fmt.Println(s.OK, s.Text)
	}
	// Output:
	// invalid true
	// true there is a signature in Stripe-Signature
	// true what is signed: {t}.{body}, by HMAC-SHA256 in hexadecimal
	// true signatures that are written as they should be (Stripe-Signature: t={t},v1={s},…): 1
	// true made 1 min ago, of 5 min that are allowed
	// false stripe did not make it
	// false right but for the body: what was signed is this JSON without spaces, so something parsed and wrote it again
}
