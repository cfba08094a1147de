package ductape

import "strings"

// linkInput asks for the address at which a product gets a webhook. Documents
// of several years name the webhook in one of these ways.
type linkInput struct {
	Webhook *string `json:"webhook_tag"`
	Short   *string `json:"webhook"`
	Event   *string `json:"event"` // webhook:event
}

// link is the address.
type link struct {
	Link string `json:"link"`
}

// generateLink is where a provider is to send a webhook.
func (c *call) generateLink(in linkInput) (any, error) {
	tag := first(in.Webhook, in.Short, in.Event)
	if tag == nil {
		return nil, required("webhook_tag")
	}
	whose, _, _ := strings.Cut(*tag, ":")
	if _, err := c.app(whose); err != nil {
		return nil, err
	}
	url, err := c.Ingest(c.r.Context(), whose)
	return link{url}, err
}
