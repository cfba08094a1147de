package api

import (
	"net/http"
	"reflect"

	"code.hooktape.dev/hooktape/capture"
)

// routes are all operations of the API.
func (s *Server) routes() []route {
	var (
		limit    = parameter{name: "limit", about: "How many at most; default 50.", schema: schema{"type": "integer", "minimum": 0, "maximum": mostRows}}
		cursor   = parameter{name: "cursor", about: "The next_cursor of the page before.", schema: text}
		filter   = parameter{name: "filter", about: "Only events that match: see docs/predicates.md.", schema: text}
		app      = parameter{name: "app", about: "Only this app's, by its slug.", schema: text}
		order    = parameter{name: "order", about: "asc: the oldest first.", schema: text}
		scan     = parameter{name: "scan", about: "Look at so many events at most to fill the page; 0: at all.", schema: schema{"type": "integer", "minimum": 0}}
		event    = parameter{name: "event", about: "Only this event's.", schema: text}
		endpoint = parameter{name: "endpoint", about: "Only this endpoint's.", schema: text}
		status   = parameter{name: "status", about: "Only those of this status.", schema: oneOf("", capture.AttemptPending, capture.AttemptSucceeded, capture.AttemptFailed, capture.AttemptSkipped)}
		due      = parameter{name: "order", about: "due: pending attempts, the next first, without paging.", schema: text}
		standing = parameter{name: "status", about: "Only those of this status; default: all but deleted ones.", schema: oneOf("", capture.EndpointEnabled, capture.EndpointDisabled, capture.EndpointDeleted)}
		since    = parameter{name: "since", about: "RFC 3339, or a span before now such as 2h or 7d; default 24h.", schema: text}
		until    = parameter{name: "until", about: "Likewise; default now.", schema: text}
		interval = parameter{name: "interval", about: "Width of a point; default: the finest of which up to 100 fit.", schema: oneOf("", capture.ByMinute, capture.ByHour, capture.ByDay, capture.ByWeek, capture.ByMonth)}
		watch    = parameter{name: "watch", about: "1: no facts, but a record of type changed after anything has, endpoints too.", schema: text}
		after    = parameter{name: "after", about: "Begin behind this place in the sequence; default: now.", schema: schema{"type": "integer", "minimum": 0}}
		kind     = parameter{name: "type", about: "Only of events of exactly this type.", schema: text}
		stands   = parameter{name: "status", about: "Only those of this status, or of one of several where it is given more than once.", schema: oneOf(append([]capture.DeliveryStatus{""}, capture.DeliveryStatuses...)...)}
		begun    = parameter{name: "since", about: "Only those made since: RFC 3339, or a span before now such as 2h or 7d.", schema: text}
		before   = parameter{name: "until", about: "Only those made until then, likewise.", schema: text}
		offset   = parameter{name: "offset", about: "Pass so many over.", schema: schema{"type": "integer", "minimum": 0}}
		reason   = parameter{name: "reason", about: "Why, for those who look later.", schema: text}
		counts   = parameter{name: "Idempotency-Key", about: "As the member idempotency_key.", schema: text, header: true}
	)
	const conflict, invalid, notFound = http.StatusConflict, http.StatusUnprocessableEntity, http.StatusNotFound
	emits := handler{serve: s.emit, in: reflect.TypeFor[emissionInput](), as: asInput, out: reflect.TypeFor[capture.Event](), statuses: []int{http.StatusCreated, http.StatusOK}}
	live := handler{serve: s.live, out: reflect.TypeFor[capture.Record](), statuses: []int{http.StatusSwitchingProtocols}}
	return []route{
		{"listApps", "GET /api/v1/apps", inQuery, "All apps, by slug.", []parameter{app}, answers(s.apps), []int{notFound}},
		{"createApp", "POST /api/v1/apps", ofAll, "Create an app. The answer has its secrets, this once.", nil, takes(http.StatusCreated, s.createApp, "slug"), []int{conflict, invalid}},
		{"getApp", "GET /api/v1/apps/{app}", inPath, "An app.", nil, answers(s.app), nil},
		{"updateApp", "PATCH /api/v1/apps/{app}", inPath, "Change what the body names: a JSON merge patch (RFC 7396).", nil, patches[capture.AppSpec](s.updateApp), []int{conflict, invalid}},
		{"deleteApp", "DELETE /api/v1/apps/{app}", inPath, "Delete an app.", nil, does(s.deleteApp), []int{conflict, invalid}},
		{"rotateAppSecret", "POST /api/v1/apps/{app}/rotate-secret", inPath, "Replace the signing secret. The answer has the new one, this once.", nil, takes(http.StatusOK, s.rotateSecret), []int{invalid}},
		{"rotateIngestKey", "POST /api/v1/apps/{app}/rotate-ingest-key", inPath, "Replace the ingest key. The answer has the new one, this once.", nil, takes(http.StatusOK, s.rotateIngestKey), []int{invalid}},
		{"listAppEvents", "GET /api/v1/apps/{app}/events", inPath, "Events of an app, the newest first.", []parameter{filter, order, scan, cursor, limit}, answers(s.appEvents), nil},
		{"createEvent", "POST /api/v1/apps/{app}/events", inPath, "Make an event and its deliveries. 200 where the idempotency key named one that was there.", []parameter{counts}, emits, []int{conflict, invalid}},
		{"listAppEndpoints", "GET /api/v1/apps/{app}/endpoints", inPath, "Endpoints of an app, the oldest first.", []parameter{standing, cursor, limit}, answers(s.appEndpoints), []int{invalid}},
		{"createAppEndpoint", "POST /api/v1/apps/{app}/endpoints", inPath, "Register an endpoint. The answer has its secret, this once.", nil, takes(http.StatusCreated, s.createAppEndpoint, "url"), []int{conflict, invalid}},

		{"listEndpoints", "GET /api/v1/endpoints", inQuery, "Endpoints, the oldest first.", []parameter{app, standing, cursor, limit}, answers(s.endpoints), []int{notFound, invalid}},
		{"createEndpoint", "POST /api/v1/endpoints", inBody, "Register an endpoint. The answer has its secret, this once.", nil, takes(http.StatusCreated, s.createEndpoint, "url"), []int{notFound, conflict, invalid}},
		{"getEndpoint", "GET /api/v1/endpoints/{id}", byEndpoint, "An endpoint and its health.", nil, answers(s.endpoint), nil},
		{"updateEndpoint", "PATCH /api/v1/endpoints/{id}", byEndpoint, "Change what the body names: a JSON merge patch (RFC 7396).", nil, patches[capture.EndpointSetup](s.updateEndpoint), []int{conflict, invalid}},
		{"deleteEndpoint", "DELETE /api/v1/endpoints/{id}", byEndpoint, "Delete an endpoint. Its history stays.", []parameter{reason}, answers(s.deleteEndpoint), []int{conflict, invalid}},
		{"enableEndpoint", "POST /api/v1/endpoints/{id}/enable", byEndpoint, "Let it get events again.", nil, answers(s.enableEndpoint), []int{conflict, invalid}},
		{"reactivateEndpoint", "POST /api/v1/endpoints/{id}/reactivate", byEndpoint, "The same as enable.", nil, answers(s.enableEndpoint), []int{conflict, invalid}},
		{"disableEndpoint", "POST /api/v1/endpoints/{id}/disable", byEndpoint, "Let it get no new events.", nil, takes(http.StatusOK, s.disableEndpoint), []int{conflict, invalid}},
		{"rotateEndpointSecret", "POST /api/v1/endpoints/{id}/rotate-secret", byEndpoint, "Replace the signing secret. The answer has the new one, this once.", nil, takes(http.StatusOK, s.rotateEndpointSecret), []int{conflict, invalid}},
		{"testEndpoint", "POST /api/v1/endpoints/{id}/test", byEndpoint, "Make an event, send it to this endpoint once, and answer with what came of it.", nil, takes(http.StatusOK, s.testEndpoint), []int{conflict, invalid}},
		{"listEndpointAttempts", "GET /api/v1/endpoints/{id}/attempts", byEndpoint, "Attempts at an endpoint, the newest first.", []parameter{event, status, due, cursor, limit}, answers(s.endpointAttempts), []int{invalid}},
		{"getEndpointStats", "GET /api/v1/endpoints/{id}/stats", byEndpoint, "What the attempts at an endpoint came to.", []parameter{since, until}, answers(s.endpointStats), []int{invalid}},

		{"listEvents", "GET /api/v1/events", inQuery, "Events, the newest first.", []parameter{filter, app, order, scan, cursor, limit}, answers(s.events), []int{notFound}},
		{"getEvent", "GET /api/v1/events/{id}", byEvent, "An event and what has become of it.", nil, answers(s.event), nil},
		{"deleteEvent", "DELETE /api/v1/events/{id}", byEvent, "Remove an event with its attempts. A pinned one stays.", nil, does(s.remove), []int{conflict}},
		{"getEventBody", "GET /api/v1/events/{id}/body", byEvent, "The body as it came, to the byte.", nil, raw("application/octet-stream", s.body), nil},
		{"explainEvent", "GET /api/v1/events/{id}/endpoints", byEvent, "To which endpoints of its app an event goes, and why not to the others.", nil, answers(s.explain), nil},
		{"pinEvent", "PUT /api/v1/events/{id}/pin", byEvent, "Keep an event for good.", nil, does(s.pin(true)), nil},
		{"unpinEvent", "DELETE /api/v1/events/{id}/pin", byEvent, "Let retention have it.", nil, does(s.pin(false)), nil},
		{"replayEvent", "POST /api/v1/events/{id}/replay", byEvent, "Send an event again, once.", nil, takes(http.StatusAccepted, s.replay), []int{conflict, invalid}},

		{"listAttempts", "GET /api/v1/attempts", inQuery, "Attempts, the newest first.", []parameter{app, event, endpoint, status, due, cursor, limit}, answers(s.attempts), []int{notFound, invalid}},
		{"getAttempt", "GET /api/v1/attempts/{id}", byAttempt, "An attempt with what went over the wire.", nil, answers(s.attempt), nil},
		{"retryAttempt", "POST /api/v1/attempts/{id}/retry", byAttempt, "Make an attempt again, once.", nil, answersAs(http.StatusAccepted, s.retry), []int{conflict, invalid}},

		{"listDeliveries", "GET /api/v1/deliveries", inQuery, "Deliveries, the newest first: all attempts of one event at one endpoint, as the last one tells.", []parameter{app, event, endpoint, kind, stands, begun, before, offset, cursor, limit}, answers(s.deliveries), []int{notFound, invalid}},
		{"getDelivery", "GET /api/v1/deliveries/{id}", byDelivery, "A delivery.", nil, answers(s.delivery), nil},
		{"listReplays", "GET /api/v1/apps/{app}/replays", inPath, "Replays of an app that are remembered, the newest first.", nil, answers(s.replays), nil},
		{"startReplay", "POST /api/v1/apps/{app}/replays", inPath, "Send deliveries again, each as a delivery of its own: those named, or those of a span of time.", nil, takes(http.StatusAccepted, s.startReplay), []int{conflict, invalid}},
		{"getReplay", "GET /api/v1/replays/{id}", byReplay, "A replay and how far it has come.", nil, answers(s.replayed), nil},
		{"cancelReplay", "POST /api/v1/replays/{id}/cancel", byReplay, "End a replay; one that has ended stays as it is.", nil, answers(s.cancelReplay), nil},

		{"judgeAttempt", "POST /api/v1/attempts/{id}/judge", byAttempt, "Say whether the answer to a challenge is what its sender wants to hear.", nil, takes(http.StatusOK, s.judge), []int{conflict, invalid}},
		{"verifyEvent", "POST /api/v1/events/{id}/verify", byEvent, "Judge an event's signature again, and say why it is as it is.", nil, takes(http.StatusOK, s.verify), []int{conflict, invalid}},
		{"explainEventRules", "GET /api/v1/events/{id}/rules", byEvent, "Which rule applies to an event, and why not the others.", nil, answers(s.explainRules), nil},

		{"listTypes", "GET /api/v1/types", inQuery, "Event types with their samples, by tag.", []parameter{app}, answers(s.types), []int{notFound}},
		{"createType", "POST /api/v1/types", inBody, "Create an event type, or make one of an event.", nil, takes(http.StatusCreated, s.createType, "tag"), []int{notFound, conflict, invalid}},
		{"getType", "GET /api/v1/types/{tag}", byTag, "An event type.", nil, answers(s.eventType), nil},
		{"updateType", "PATCH /api/v1/types/{tag}", byTag, "Change what the body names: a JSON merge patch (RFC 7396), but for sample.body and schema, which are replaced whole.", nil, patches[capture.EventTypeSpec](s.updateType), []int{conflict, invalid}},
		{"deleteType", "DELETE /api/v1/types/{tag}", byTag, "Delete an event type. A built-in one stays.", nil, does(s.deleteType), []int{conflict}},
		{"trigger", "POST /api/v1/apps/{app}/trigger", inPath, "Make events of an event type, signed as its provider signs, with their deliveries.", nil, takes(http.StatusCreated, s.fire, "type"), []int{conflict, invalid}},

		{"listCatalogs", "GET /api/v1/catalogs", ofCaller, "Catalogs with their event types, by slug.", nil, answers(s.catalogs), nil},
		{"createCatalog", "POST /api/v1/catalogs", ofCaller, "Create a catalog. Event types whose tags begin with its slug are in it.", nil, takes(http.StatusCreated, s.createCatalog, "slug"), []int{conflict, invalid}},
		{"getCatalog", "GET /api/v1/catalogs/{catalog}", ofCaller, "A catalog and its event types.", nil, answers(s.catalog), []int{notFound}},
		{"updateCatalog", "PATCH /api/v1/catalogs/{catalog}", ofCaller, "Change what the body names: a JSON merge patch (RFC 7396).", nil, patches[capture.CatalogSpec](s.updateCatalog), []int{notFound, invalid}},
		{"deleteCatalog", "DELETE /api/v1/catalogs/{catalog}", ofCaller, "Delete a catalog that no app points to. Its event types stay.", nil, does(s.deleteCatalog), []int{notFound, conflict}},

		{"listRules", "GET /api/v1/rules", inQuery, "Rules, in the order they are asked.", []parameter{app}, answers(s.rules), []int{notFound}},
		{"createRule", "POST /api/v1/rules", inBody, "Create a rule, asked behind all others.", nil, takes(http.StatusCreated, s.createRule), []int{notFound, conflict, invalid}},
		{"resetRules", "POST /api/v1/rules/reset", ofAll, "Forget what all rules have done: hits, sequences, states.", nil, does(s.resetRules), nil},
		{"getRule", "GET /api/v1/rules/{id}", byRule, "A rule and what it has done.", nil, answers(s.rule), nil},
		{"updateRule", "PATCH /api/v1/rules/{id}", byRule, "Change what the body names: a JSON merge patch (RFC 7396).", nil, patches[capture.RuleSpec](s.updateRule), []int{conflict, invalid}},
		{"moveRule", "POST /api/v1/rules/{id}/move", byRule, "Have a rule asked before or behind others.", nil, takes(http.StatusOK, s.moveRule, "place"), []int{conflict, invalid}},
		{"resetRule", "POST /api/v1/rules/{id}/reset", byRule, "Forget what a rule has done.", nil, does(s.resetRule), nil},
		{"deleteRule", "DELETE /api/v1/rules/{id}", byRule, "Delete a rule.", nil, does(s.deleteRule), []int{conflict}},

		{"listTriggers", "GET /api/v1/triggers", inQuery, "Triggers, by name. Of their URLs scheme and host are seen; of secrets nothing.", []parameter{app}, answers(s.triggers), []int{notFound}},
		{"createTrigger", "POST /api/v1/triggers", inBody, "Register an outgoing request.", nil, takes(http.StatusCreated, s.createTrigger, "name", "url"), []int{notFound, conflict, invalid}},
		{"getTrigger", "GET /api/v1/triggers/{id}", byTrigger, "A trigger.", nil, answers(s.trigger), nil},
		{"updateTrigger", "PATCH /api/v1/triggers/{id}", byTrigger, "Change what the body names: a JSON merge patch (RFC 7396). What is masked stays as it is.", nil, patches[capture.TriggerSpec](s.updateTrigger), []int{conflict, invalid}},
		{"deleteTrigger", "DELETE /api/v1/triggers/{id}", byTrigger, "Delete a trigger. Its firings stay.", nil, does(s.deleteTrigger), []int{conflict}},
		{"fireTrigger", "POST /api/v1/triggers/{id}/fire", byTrigger, "Send its request once, and answer with what came of it.", nil, takes(http.StatusOK, s.fireTrigger), []int{conflict, invalid}},

		{"listTokens", "GET /api/v1/tokens", inQuery, "Bearer tokens, the oldest first.", []parameter{app}, answers(s.tokens), []int{notFound}},
		{"createToken", "POST /api/v1/tokens", inBody, "Create a bearer token. The answer has it, this once.", nil, takes(http.StatusCreated, s.createToken, "name", "scope"), []int{notFound, conflict, invalid}},
		{"revokeToken", "DELETE /api/v1/tokens/{id}", byToken, "Revoke a bearer token.", nil, does(s.revokeToken), nil},

		{"getCaller", "GET /api/v1/whoami", ofCaller, "The token that the request shows, and what it may do.", nil, answers(s.whoami), nil},

		{"getStats", "GET /api/v1/stats", inQuery, "What attempts came to.", []parameter{app, endpoint, since, until}, answers(s.stats), []int{notFound, invalid}},
		{"getTimeseries", "GET /api/v1/timeseries", inQuery, "What attempts came to, by interval.", []parameter{app, endpoint, since, until, interval}, answers(s.timeseries), []int{notFound, invalid}},

		{"getStatus", "GET /api/v1/status", ofCaller, "What the process that has the store says of itself.", nil, answers(s.status), nil},
		{"live", "GET /api/v1/live", inQuery, "A websocket of records: ready, then every event and attempt as it is kept.", []parameter{filter, app, after, watch}, live, []int{notFound}},
		{"getDocument", "GET /api/v1/openapi.json", ofNobody, "This document.", nil, raw(jsonType, s.openapi), nil},
		{"getDocumentAtRoot", "GET /openapi.json", ofNobody, "This document.", nil, raw(jsonType, s.openapi), nil},
		{"getMetrics", "GET /metrics", ofAll, "Counters for Prometheus, in its text format 0.0.4.", nil, raw("text/plain", s.metrics), nil},
		{"listListeners", "GET /api/v1/listeners", inQuery, "Who listens, or has listened, through this relay; the oldest first.", []parameter{app}, answers(s.listeners), []int{notFound}},
		{"removeListener", "DELETE /api/v1/listeners/{id}", byListener, "Forget a listener and where it has come to, and end its connection.", nil, does(s.removeListener), nil},
		{"listGaps", "GET /api/v1/gaps", inQuery, "When webhooks came to the relay and nobody listened here, the oldest first.", []parameter{app}, answers(s.gaps), []int{notFound}},
		{"getReadiness", "GET /readyz", ofNobody, "Whether it takes webhooks and listeners: 503 while it does not.", nil, answers(s.readiness), []int{http.StatusServiceUnavailable}},
		{"getHealth", "GET /healthz", ofNobody, "Whether the process serves.", nil, answers(s.health), nil},
		{"getVersion", "GET /version", ofNobody, "Which hooktape it is.", nil, answers(s.version), nil},
	}
}
