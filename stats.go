package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
	"code.hooktape.dev/hooktape/relay/api"
)

// intervals are the widths of a timeseries, each with how far back it goes
// when nothing is said.
var intervals = []struct {
	by   capture.Interval
	back time.Duration
}{
	{capture.ByMinute, time.Hour},
	{capture.ByHour, 24 * time.Hour},
	{capture.ByDay, 30 * 24 * time.Hour},
	{capture.ByWeek, 12 * 7 * 24 * time.Hour},
	{capture.ByMonth, 365 * 24 * time.Hour},
}

func statsCommand(e *env) *cli.Command {
	var o statsOptions
	return &cli.Command{
		Name: "stats", Usage: "what attempts came to: totals, times, reasons, endpoints",
		Flags: append(o.flags(),
			&cli.StringFlag{Name: "app", Usage: "only those of the app `NAME`", Destination: &o.app},
			&cli.StringFlag{Name: "endpoint", Usage: "only those of the endpoint `ID`", Destination: &o.endpoint},
			&cli.StringFlag{Name: "since", Usage: "since `WHEN`: 24h, 7d or an RFC 3339 time", DefaultText: "24h", Destination: &o.since},
			&cli.StringFlag{Name: "until", Usage: "until `WHEN`", DefaultText: "now", Destination: &o.until},
			setter("by", "a line for each `INTERVAL`: minute, hour, day, week or month (UTC)", func(v string) error {
				var names []capture.Interval
				for _, i := range intervals {
					names = append(names, i.by)
				}
				_, err := oneOf(names...)(v)
				o.by = capture.Interval(v)
				return err
			})),
		Before: fillCommon,
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usage("stats takes no arguments, and was given %q", c.Args().First())
			}
			return withClient(c.Context, e, &o.common, func(client *api.Client) error { return o.run(c.Context, e, client) })
		},
	}
}

type statsOptions struct {
	common
	app, endpoint, since, until string
	by                          capture.Interval
}

func (o *statsOptions) run(ctx context.Context, e *env, client *api.Client) (err error) {
	q := capture.StatsQuery{App: o.app, Interval: o.by}
	now := time.Now()
	if q.Since, err = when("since", o.since, now); err != nil {
		return err
	}
	if q.Until, err = when("until", o.until, now); err != nil {
		return err
	}
	for _, i := range intervals {
		if i.by == o.by && q.Since.IsZero() {
			end := q.Until
			if end.IsZero() {
				end = now
			}
			q.Since = end.Add(-i.back)
		}
	}
	if err := knownApp(ctx, client, o.app); err != nil {
		return err
	}
	if q.Endpoint, err = knownEndpoint(ctx, client, o.endpoint); err != nil {
		return err
	}
	if o.by != "" {
		series, err := client.Timeseries(ctx, q)
		if err != nil {
			return err
		}
		return show(e, &o.common, series, func(w io.Writer) { writeSeries(w, &series, narrow(e.stdout)) })
	}
	stats, err := client.Stats(ctx, q)
	if err != nil {
		return err
	}
	return show(e, &o.common, stats, func(w io.Writer) { writeStats(w, &stats, narrow(e.stdout)) })
}

// writeStats shows totals and what they are made of to a person.
func writeStats(w io.Writer, s *capture.Stats, width int) {
	fmt.Fprintf(w, "from %s to %s\n", stamp(s.Since), stamp(s.Until))
	if s.Events > 0 {
		fmt.Fprintf(w, "  %-12s %d\n", "events", s.Events)
	}
	fmt.Fprintf(w, "  %-12s %d: %d succeeded, %d failed%s\n", "attempts", s.Attempts, s.Succeeded, s.Failed, rateText(&s.Totals, ", "))
	fmt.Fprintf(w, "  %-12s %d, %d of them given up\n", "deliveries", s.Deliveries, s.Exhausted)
	if l := s.Latency; l != nil {
		fmt.Fprintf(w, "  %-12s mean %s, p50 %s, p95 %s, p99 %s, max %s\n", "answers",
			tookText(l.Mean), tookText(l.P50), tookText(l.P95), tookText(l.P99), tookText(l.Max))
	}
	writeCounts(w, "why attempts failed", s.Reasons, width)
	writeCounts(w, "types", s.Types, width)
	if len(s.Endpoints) > 0 {
		fmt.Fprintln(w, "\nendpoints")
	}
	for i := range s.Endpoints {
		t := &s.Endpoints[i]
		p95 := ""
		if t.Latency != nil {
			p95 = "p95 " + tookText(t.Latency.P95)
		}
		fmt.Fprintln(w, fit(width, column{fmt.Sprintf("  %7d  ", t.Attempts), 0}, column{fmt.Sprintf("%7s  ", rateText(&t.Totals, "")), 0},
			column{fmt.Sprintf("%-10s  ", p95), 1}, column{string(t.Endpoint) + "  ", 0}, column{safe.Line(t.URL), 0}))
	}
}

func writeCounts(w io.Writer, title string, counts []capture.Count, width int) {
	if len(counts) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, c := range counts {
		fmt.Fprintln(w, fit(width, column{fmt.Sprintf("  %7d  ", c.Count), 0}, column{safe.Line(or(c.Name, "(none)")), 0}))
	}
}

// writeSeries shows a timeseries to a person: a bar is as long as there were
// attempts, its dark part those that succeeded.
func writeSeries(w io.Writer, t *capture.Timeseries, width int) {
	if len(t.Points) == 0 {
		fmt.Fprintln(w, "Nothing happened.")
		return
	}
	var most int64 = 1
	for _, p := range t.Points {
		most = max(most, p.Attempts)
	}
	layout := map[capture.Interval]string{capture.ByMinute: "2006-01-02 15:04", capture.ByHour: "2006-01-02 15:04", capture.ByMonth: "2006-01"}[t.Interval]
	layout = or(layout, time.DateOnly)
	bar := int64(min(40, max(10, width-56)))
	fmt.Fprintf(w, "%-*s  %7s  %8s  %7s  %7s\n", len(layout), "UTC", "events", "attempts", "ok", "p95")
	for _, p := range t.Points {
		p95 := ""
		if p.Latency != nil {
			p95 = tookText(p.Latency.P95)
		}
		dark, all := (p.Succeeded*bar+most-1)/most, (p.Attempts*bar+most-1)/most
		fmt.Fprintln(w, fit(width, column{p.Start.UTC().Format(layout) + "  ", 0}, column{fmt.Sprintf("%7d  ", p.Events), 3},
			column{fmt.Sprintf("%8d  ", p.Attempts), 0}, column{fmt.Sprintf("%7s  ", rateText(&p.Totals, "")), 1}, column{fmt.Sprintf("%7s  ", p95), 2},
			column{strings.Repeat("█", int(dark)) + strings.Repeat("░", int(max(0, all-dark))), 0}))
	}
}

// rateText is the part that succeeded; "" when nothing was tried.
func rateText(t *capture.Totals, before string) string {
	if t.SuccessRate == nil {
		return ""
	}
	return fmt.Sprintf("%s%.1f %%", before, 100**t.SuccessRate)
}

// tookText is a duration to three places or so.
func tookText(d capture.Duration) string {
	switch t := time.Duration(d); {
	case t < 10*time.Millisecond:
		return t.Round(100 * time.Microsecond).String()
	case t < time.Second:
		return t.Round(time.Millisecond).String()
	default:
		return t.Round(10 * time.Millisecond).String()
	}
}
