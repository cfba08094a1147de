package sign

import (
	"time"
)

// Explain judges as Verify does, and says what was looked at.
func (s *Scheme) Explain(r *Request, now time.Time, secrets ...Secret) Explanation {
	return Explanation{Signature: s.Verify(r, now, secrets...)}
}
