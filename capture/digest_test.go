package capture_test

import (
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "", time.Second: "1s", 5 * time.Minute: "5m", 24 * time.Hour: "24h",
		90 * time.Minute: "1h30m", 20 * time.Hour: "20h", 100 * time.Second: "1m40s", 10*time.Hour + 10*time.Second: "10h0m10s", 1500 * time.Millisecond: "1.5s"} {
		if got := capture.Duration(d).Short(); got != want {
			t.Errorf("Duration(%d).Short() = %q, want %q", d, got, want)
		}
	}
}
