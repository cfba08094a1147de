package main

import "testing"

func TestRates(t *testing.T) {
	for text, want := range map[string]float64{"": 0, "100": 100, "100/s": 100, "600/m": 10, "1800/h": 0.5, "0.5/s": 0.5, "1e3": 1000, "1/h": 1. / 3600} {
		if got, err := parseRate(text); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"0", "-1", "nan", "NaN/s", "inf", "+Inf/m", "1e10", "1e-300/h", "1e-6", "5/d", "5/s/s", "/s", "x", "0x10", "5 5", "5/S", " ", "５"} {
		if got, err := parseRate(text); err == nil {
			t.Errorf("%q is %v, and no error", text, got)
		}
	}
}
