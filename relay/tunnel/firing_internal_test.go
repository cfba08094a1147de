package tunnel

import (
	"testing"

	"code.hooktape.dev/hooktape/capture"
)

// A trigger's firing goes to the trigger's target, and to no listener.
func TestFiringsStay(t *testing.T) {
	s := new(session)
	for _, tt := range []struct {
		e    capture.Event
		want bool
	}{
		{capture.Event{Origin: capture.FromTrigger}, true},
		{capture.Event{Origin: capture.FromTrigger, Trigger: capture.NewID(capture.TriggerID)}, false},
	} {
		if got := s.wants(&tt.e); got != tt.want {
			t.Errorf("a listener wants %+v: %v, want %v", tt.e, got, tt.want)
		}
	}
}
