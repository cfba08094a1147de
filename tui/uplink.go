package tui

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/safe"
)

// Uplink is how the interface hears of the connection to the relay that
// webhooks come from, and is asked about it. Its methods may be called before
// there is an interface.
type Uplink struct {
	link func() capture.Link
	news chan struct{}  // one slot, lossy: the link has changed
	asks chan *question // blocks until the interface reads it
}

// question is how to catch up, asked of the user.
type question struct {
	gap    capture.Gap
	gone   <-chan struct{}      // closed when nobody waits for the answer any more
	answer chan capture.CatchUp // one slot
}

// NewUplink is one of which link says how it stands.
func NewUplink(link func() capture.Link) *Uplink {
	return &Uplink{link: link, news: make(chan struct{}, 1), asks: make(chan *question)}
}

// Changed says that the link has changed. How it stands now is asked anew, for
// news may overtake one another. It does not block.
func (u *Uplink) Changed(capture.Link) {
	select {
	case u.news <- struct{}{}:
	default:
	}
}

// Ask has the user say how to catch up with what was missed. It returns ctx's
// error when that is done before there is an answer; the question is then no
// longer on the screen.
func (u *Uplink) Ask(ctx context.Context, g capture.Gap) (capture.CatchUp, error) {
	q := &question{gap: g, gone: ctx.Done(), answer: make(chan capture.CatchUp, 1)}
	select {
	case u.asks <- q:
	case <-ctx.Done():
		return capture.CatchUp{}, ctx.Err()
	}
	select {
	case c := <-q.answer:
		return c, nil
	case <-ctx.Done():
		return capture.CatchUp{}, ctx.Err()
	}
}

// Messages of the uplink.
type (
	linkMsg      struct{}            // it has changed
	linkClockMsg struct{}            // a second has passed
	askedMsg     struct{ *question } // to be put to the user
	unaskedMsg   struct{ *question } // nobody waits for its answer any more
)

// run sends what there is to tell, until ctx is done: of the link no more than
// ten times a second, for its place in the sequence moves with every event.
func (u *Uplink) run(ctx context.Context, send func(tea.Msg)) {
	var q *question // put to the user
	for {
		var gone <-chan struct{}
		if q != nil {
			gone = q.gone
		}
		select {
		case <-ctx.Done():
			return
		case q = <-u.asks:
			send(askedMsg{q})
		case <-gone:
			send(unaskedMsg{q})
			q = nil
		case <-u.news:
			send(linkMsg{})
			if !sleep(ctx, 100*time.Millisecond) {
				return
			}
		}
	}
}

// linkBar is the root's part that shows the link.
type linkBar struct {
	capture.Link
	clock
}

// linkHeight is the least height of a window in which the link has a line of
// its own; in a smaller one it is in the title line.
const linkHeight = 12

// hasLine reports whether the link has a line of its own.
func (r *root) hasLine() bool { return r.Uplink != nil && r.h >= linkHeight }

// linked reads the link again, and is the command for the second in which its
// ages change next.
func (r *root) linked() tea.Cmd {
	if r.Uplink == nil {
		return nil
	}
	was := r.link.Notice
	r.link.Link, r.link.at = r.Uplink.link(), r.now()
	if n := r.link.Notice; n != "" && n != was {
		r.note = noteMsg{text: "relay: " + n}
	}
	if r.link.ticking || !r.hasLine() {
		return nil
	}
	r.link.ticking = true
	return r.tick(time.Second, func(time.Time) tea.Msg { return linkClockMsg{} })
}

// linkLine draws the link: how it stands and, at the right, what proves it.
func (r *root) linkLine() string {
	l, now := &r.link.Link, r.link.at
	left := []span{{plain, " relay "}, linkState(l, now)}
	switch {
	case r.asked != nil:
		left[1] = span{warn, "? " + comma(int64(r.asked.gap.Missed)) + " missed: a question waits"}
	case l.State == capture.LinkConnected:
		if r.w >= 120 {
			left = append(left, span{dim, " to "}, span{plain, hostOf(l.URL)})
			if len(l.Others) > 0 {
				left = append(left, span{dim, " with "}, span{plain, safe.Line(strings.Join(l.Others, ", "))})
			}
		}
		if l.Notice != "" {
			left = append(left, span{dim, " · "}, span{info, safe.Line(l.Notice)})
		}
	case l.Reason != "":
		left = append(left, span{plain, redial(l, now)}, span{bad, ": " + safe.Line(l.Reason)})
	}
	var right []span
	if l.State == capture.LinkConnected {
		right = append(right, span{plain, "  rtt " + short(time.Duration(l.RTT))})
	}
	if skew := time.Duration(l.Skew); skew.Abs() > 2*time.Second {
		side := "ahead"
		if skew < 0 {
			side = "behind"
		}
		right = append(right, span{warn, "  its clock " + lasts(skew.Abs()) + " " + side})
	}
	if l.Seq > 0 {
		right = append(right, span{plain, "  seq " + comma(int64(l.Seq))})
	}
	if !l.Heard.IsZero() {
		right = append(right, span{plain, "  heard " + age(now, l.Heard) + " ago"})
	}
	return r.theme.spread(r.w, left, append(right, span{plain, " "}))
}

// linkState is the glyph and the words of how a link stands, and for how long.
func linkState(l *capture.Link, now time.Time) span {
	switch l.State {
	case capture.LinkConnected:
		return span{good, "● connected " + age(now, l.Since)}
	case capture.LinkDisconnected:
		return span{bad, "✗ down " + age(now, l.Since)}
	}
	return span{info, "… connecting"}
}

// redial says when it is dialled next.
func redial(l *capture.Link, now time.Time) string {
	if left := l.RetryAt.Sub(now); left >= time.Second {
		return ", again in " + lasts(left)
	}
	return ", dialling"
}

// hostOf is where a URL leads.
func hostOf(u string) string {
	if p, err := url.Parse(u); err == nil && p.Host != "" {
		u = p.Host
	}
	return safe.Line(u)
}

// linkBadge is the link where there is no line for it.
func (r *root) linkBadge() []span {
	switch l := &r.link; {
	case r.Uplink == nil || r.hasLine():
		return nil
	case l.State == capture.LinkConnected:
		return []span{{good, fmt.Sprintf("relay ● %s ", short(time.Duration(l.RTT)))}}
	case l.State == capture.LinkDisconnected:
		return []span{{bad, "relay ✗ down "}}
	}
	return []span{{info, "relay … "}}
}
