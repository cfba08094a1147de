package ductape

// What is tested by itself.
var (
	Decrypt  = decrypt
	Describe = describe
	EventTag = eventTag
	Shown    = shown
)

type SampleInput = sampleInput

var Literal = (*sampleInput).literal
