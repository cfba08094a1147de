//go:build !unix

package answer

// quiet cannot look without taking here; a fresh connection is the safe
// choice.
func quiet(uintptr) bool { return false }
