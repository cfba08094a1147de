// Package fill is the language of templates in samples and mocks: text in
// which {{expressions}} stand for values. It has no loops, no conditions and
// nothing that a user defines, so what a template costs is bounded by how long
// it is. Parse compiles a text once, Fill may be asked any number of times, and
// JSON fills the strings of a JSON document.
//
// # Expressions
//
// An expression is a word with its arguments, or a literal, and pipes behind
// it: {{body.customer.name | default "nobody" | upper}}. Blanks around each
// part do not matter. Arguments and literals are numbers as in JSON, true,
// false, null, and text in double or single quotes, in which \\ stands for \
// and \" or \' for the quote. {{ in text begins an expression always; Escape
// writes it as {{'{{'}}. }} outside of one is text like any other.
//
// # Made values
//
//	{{uuid}}  {{ulid}}         a UUID (RFC 9562, version 4), a ULID of now
//	{{now}}                    2026-03-14T15:09:26Z (RFC 3339), in UTC like all times
//	{{now "unix"}} {{now "ms"}} seconds and milliseconds since 1970, numbers
//	{{now "http"}}             Sat, 14 Mar 2026 15:09:26 GMT (RFC 9110 §5.6.7)
//	{{now "2006-01-02"}}       or any other layout of Go's package time
//	{{now "unix" "-3h"}}       with an offset, signed, in Go's units or d and w; {{now "+1d"}}
//	{{n}}                      which of several this is, from 0, a number
//	{{int 1 100}}              a whole number, both ends included, within ±10^15
//	{{amount 1 999}}           a number with two decimals, both ends included, 0 to 10^9
//	{{bool}}                   true or false
//	{{hex 16}} {{digits 12}} {{alnum 24}} so many characters: 1 to 4,096
//	{{oneof "a" "b" 3}}        one of its arguments
//
// Of the fakes, none is anybody's: names and words come from small lists,
// addresses are below example.com, example.net and example.org (RFC 2606), IPs
// those for documentation (RFC 5737), and phone numbers those of North America
// that are for fiction.
//
//	{{name}} {{first}} {{last}} {{email}} {{phone}} {{company}} {{city}}
//	{{country}} (ISO 3166, two letters) {{currency}} (ISO 4217) {{word}}
//	{{sentence}} {{url}} {{ip}} {{date}} (2006-01-02, within the year before now)
//
// Each is drawn anew: {{first}} is not the beginning of the next {{name}}.
// From a seeded Source.Rand the same template is filled in the same way, but
// for what depends on the time.
//
// # Values of the event
//
//	{{method}} {{path}}        its method, and its request target up to the query, as sent
//	{{query.a}} {{query."a b"}} the first parameter of that name, decoded
//	{{header.x-y}}             the first line of that name, whatever its case
//	{{body}}                   all of the body, as it came
//	{{body.data.object.id}}    a value in a JSON or form body
//	{{event.id}} {{event.type}} {{event.app}} {{event.source}} {{event.provider}}
//	{{event.received}}         when it was received (RFC 3339)
//	{{rule.name}} {{rule.hits}} {{rule.state}} the rule that is applied, how often it was, this
//	                           time included, and what state its scenario was in
//
// Paths into a body are those of predicates (capture/match): keys with dots
// between them, and indexes of arrays, body.a.0 or body.a[0]; keys with special
// characters quoted, body."a b"["c.d"], or these escaped, body.a\.b. A quoted
// number is a key and no index. Of a key that is there twice the last counts.
// If the body does not begin with { or [ and its Content-Type is
// application/x-www-form-urlencoded, body.a is the first field a, body.a.b the
// first field a.b or a[b], or b in the JSON that a field a holds. Of a body
// over 1 MiB nothing is there. A path has 32 steps at most.
//
// # Pipes
//
//	default VALUE    what stands for what is not there, or null
//	text             its text, where JSON would keep a number or an object
//	json             as JSON: text in quotes, what is not there as null
//	upper lower trim in upper or lower case; without white space around it
//	base64 urlencode (RFC 4648 §4; as in a query, a blank as +)
//	sha256           in hexadecimal
//
// All but default and json leave what is not there as it is.
//
// # In text and in JSON
//
// What is not there is empty in text, and so is null. Numbers, objects and
// arrays are written as they were.
//
// JSON fills strings that are values; names of members stay as they are, and
// every byte outside of strings that change. A string that is one expression
// and nothing else becomes its value: "{{n}}" a number, "{{body.items}}" what
// there is, be it an array, and what is not there null. Any other stays a
// string, whatever is put in. In a template of text for JSON the pipe json
// does it: {"name": {{body.name | json}}}.
//
// # Limits
//
// A text has at most 64 KiB and 1,000 expressions, with 10 pipes each; a JSON
// document 1 MiB, and 1,000 expressions in all its strings together. What is
// filled is at most 1 MiB, and the values on the way there are 16 MiB
// together.
package fill
