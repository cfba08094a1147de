package front_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/relay/front"
)

// BenchmarkLimit asks both limits for 10,000 sources in turn, with and without
// Proxies in front. Beside it net/http reads such a request of 8 KiB from
// memory, which is the least it costs anyway: "of-read" is the part of that
// time which the limits take.
func BenchmarkLimit(b *testing.B) {
	const sources = 10_000
	proxies, err := front.ParseProxies("private")
	if err != nil {
		b.Fatal(err)
	}
	requests := make([]*http.Request, sources)
	for i := range requests {
		requests[i] = httptest.NewRequest("POST", fmt.Sprintf("/in/ik_%d/hooks", i%100), nil)
		requests[i].RemoteAddr = fmt.Sprintf("10.%d.%d.1:4711", i>>8, i&0xff)
		requests[i].Header.Set("X-Forwarded-For", fmt.Sprintf("203.%d.%d.9", i>>8, i&0xff))
	}
	raw := "POST /in/ik_1/hooks HTTP/1.1\r\nHost: hooks.example\r\nUser-Agent: x\r\nContent-Type: application/json\r\nX-Forwarded-For: 203.0.113.9\r\n" +
		"X-A: 1\r\nContent-Length: 8192\r\n\r\n" + strings.Repeat("x", 8192)
	read := func(n int) time.Duration {
		start := time.Now()
		for range n {
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, r.Body)
		}
		return time.Since(start)
	}
	plenty := front.Rate{PerSecond: 1e6, Burst: 1e6}
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	limits := (&front.Limit{Source: plenty, Key: plenty}).Handler(nothing)
	for _, c := range []struct {
		name string
		http.Handler
	}{{"limits", limits}, {"proxies+limits", proxies.Handler(limits)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				c.ServeHTTP(nil, requests[i%sources])
			}
			b.StopTimer()
			b.ReportMetric(float64(b.Elapsed())/float64(read(b.N)), "of-read")
		})
	}
}
