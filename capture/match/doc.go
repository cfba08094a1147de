// Package match is the predicate language: the one way to say which events
// are meant, in the TUI's "/", in --filter, --until and wait, in routes,
// rules and assertions. Parse compiles a text once; Predicate.Match is cheap,
// and Predicate.Explain says why an event does not match.
//
// # Terms
//
// Terms that follow one another must all match. "or" (or "||") offers
// alternatives, "not" or "!" negates the next term, parentheses group; "and"
// (or "&&") may be written. "not" binds tighter than "and", "and" tighter than
// "or"; the words may be in any case. No text at all matches everything.
//
//	paid                          the text is in the type, request target, id,
//	                              a header's value, or the body
//	"two words"                   \" and \\ stand for " and \
//	/inv_[0-9]+/                  a regular expression (RE2), looked for in each of these
//	type:invoice.*                event type; also app: provider: source: method:
//	path:/hooks/*                 the request target up to its query, as it was sent
//	id:evt_01J                    how the id begins, or a pattern for all of it
//	status:5xx status:>=400       the newest answer's status; status:0 is no answer
//	try:>1 dur:>1s size:>10k      finished attempts; how long the newest took; bytes of body
//	is:failed                     ok failed pending retry captured refused pinned replay
//	sig:invalid                   valid invalid stale unsigned unchecked
//	schema:invalid                valid warning invalid unmatched unchecked
//	origin:ingress                ingress trigger sample replay import
//	since:1h before:14:00         when it was received
//	header.x-github-event:push    any line of that name, whatever its case
//	query.a:1                     any parameter of that name, decoded
//	body.data.object.amount:>1000 a value in a JSON or form body
//
// A term without a field is taken as it stands: only field values have
// wildcards and lists. A word with a colon must name a field, unless it is a
// URL (https://…); put other text with a colon in quotes. A word ends at a
// space or a parenthesis; quote those too, and the words and, or and not.
//
// # Values
//
// A comma offers alternatives: type:a,b. The pattern stands for the whole
// value, * for any text in it and ? for one character. A lone * asks that
// there is a value: provider:* is any event whose provider is known, and
// body.x:* any body that has x, be it null. type:"" is an event without a
// type. A quoted value is literal, and may hold commas, spaces, * and a
// leading !. A value between slashes is a regular expression, and may match
// anywhere in the value; a space in it is written "\ " or \s, and a slash \/.
// So path:/hooks/ is an expression, and path:"/hooks/" that very path.
//
// Case is smart: a pattern without an upper-case letter matches in any case,
// one with such a letter only as written. In a regular expression, a letter
// behind a backslash does not count. Ids, and words from a list such as those
// of is:, are in any case; keys in a body or query are always as written.
//
// Numbers take =, >, >=, <, <= and ranges, which include both ends: 200..299,
// 500.., ..10k. Sizes may end in k, m, g or t (also kb, kib), powers of 1024.
// Durations are as Go's (1.5s, 200ms), and d and w are days and weeks.
// A comparison never matches what has no value: status:<400 asks for an
// answer, dur:<1s for an attempt.
//
// since: includes its time and before: does not. Both take a duration, which
// counts back from when the text was parsed; RFC 3339; a date, a date and time
// (2006-01-02T15:04, or quoted with a space for the T), or a time of day (15:04, 15:04:05) in local time, which
// is the newest such time that has been.
//
// is:pending includes what waits for a retry, is:retry is only that.
// is:replay is an edited copy, or whatever else names another event as its
// parent.
//
// # Values in a body
//
// Behind body come keys, separated by dots, and indexes of arrays: body.a.0
// or body.a[0], body[0] where the body is an array. A key with special
// characters is quoted, body."a b"["c.d"], or has them escaped, body.a\.b. A
// quoted number is a key and no index.
//
// body.id:42 matches the number 42 (also written 42.0 or 4.2e1) and the string
// "42"; body.id:"42" only the string. true, false and null likewise.
// Comparisons are of numbers, and of strings that are numbers, exact to the
// last digit. Objects and arrays match only *.
//
// The whole body must be valid JSON, nested no deeper than 10,000 levels; else
// no body term matches. Of a key that is there twice the last counts, as in
// most JSON readers. If the body does not begin with { or [ and its
// Content-Type is application/x-www-form-urlencoded, body.a is any field a,
// body.a.b any field a.b or a[b], or b in the JSON that a field a holds.
// Escapes that cannot be decoded are compared as they are.
//
// # What endpoints subscribe to
//
// Subscribe compiles an endpoint's filter and its subscriptions into one
// Predicate; a Set asks thousands of them about an event, and looks up once
// what they all look at. Beside a filter in this language, a subscription has
//
//   - a type and a source, in the very case, in which * stands for any text, none
//     among it; nothing else is special, and in an exact one * is not either;
//   - conditions, as ARK's core-webhooks 3.9.1 takes them;
//   - filter rules, as Wacht takes them.
//
// All that a subscription has must hold.
//
// Conditions are rows of a key, an operator and a value, asked in order of the
// body as JavaScript has it. The first that holds is enough; one that throws
// before that stops the event. A key is a member of the body, or else the
// dotted path to one within. eq and ne compare JSON text; gt, gte, lt, lte,
// between and not-between (or notBetween) whole numbers of any size, and text
// that is one: what has a fraction is neither more nor less than anything;
// contains looks in text and arrays, and throws on all else; truthy and falsy
// ask whether the text is "true", and throw on null and what is missing;
// regexp is JavaScript's, without flags, but for what looks around or refers
// back, and characters beyond the basic plane count as one. Every condition
// throws if the body is not JSON, or null, a number, true or false; a body
// that is a string has no members.
//
// Filter rules are an object, of which all members must hold: paths of keys,
// separated by dots, with the value that is there or with operators ($eq $ne
// $gt $gte $lt $lte $in $nin $contains $exists), and $and and $or with lists of
// rules. Numbers are compared as float64, strings by their bytes, and different
// types never match; objects are equal whatever the order of their members. What
// is missing matches only {"$exists":false}; null is not missing. No rule holds
// for a body that is not JSON.
//
// # Limits
//
// A text has at most 64 KiB, 1,000 terms and 100 levels of parentheses; a
// regular expression or a pattern with wildcards at most 1 KiB, and all its
// expressions together 5,000 instructions. Time grows with the length of what
// is looked at, times that of the pattern where it is an expression or has
// wildcards. An endpoint has at most 100 subscriptions of 100 conditions, 64 KiB
// of rules and 64 KiB in a condition's value, both nested 32 levels deep at most,
// and all its subscriptions ask 10,000 things; its regular expressions, in
// filters and conditions, have the limits of one text. A Predicate is never
// changed and safe for concurrent use.
package match
