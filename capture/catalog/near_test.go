package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"code.hooktape.dev/hooktape/capture/catalog"
)

func TestNear(t *testing.T) {
	for asked, want := range map[string]string{
		"github:pushed":               "github:push",
		"GitHub:Push":                 "github:push",
		"push":                        "github:push gitlab:push bitbucket:repo:push",
		"stripe:invoice_paid":         "stripe:invoice.paid",
		"stripe.invoice.paid":         "stripe:invoice.paid",
		"strpe:invoice.paid":          "stripe:invoice.paid",
		"checkout.session.complete":   "stripe:checkout.session.completed",
		"github:issues":               "github:issues.closed github:issues.opened",
		"whatsapp":                    "whatsapp:messages whatsapp:statuses whatsapp:verification",
		"slack:mention":               "slack:app_mention",
		"github:review":               "github:pull_request_review.submitted",
		"shopify:order/create":        "shopify:orders/create",
		"something else":              "",
		"":                            "",
		":":                           "",
		strings.Repeat("push", 10000): "",
	} {
		got := catalog.Near(asked)
		if want == "" && len(got) > 0 {
			t.Errorf("%.40s: %q", asked, got)
		}
		for i, tag := range strings.Fields(want) {
			if at := slices.Index(got, tag); at < 0 || i == 0 && at != 0 && asked != "push" {
				t.Errorf("%s: %q, want %s", asked, got, want)
			}
		}
	}
}
