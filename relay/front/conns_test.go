package front_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"code.hooktape.dev/hooktape/relay/front"
)

func TestConnectionsAreBounded(t *testing.T) {
	conns := &front.Conns{Listener: listen(t), Max: 2}
	accepted := make(chan net.Conn, 10)
	go func() {
		defer close(accepted)
		for {
			c, err := conns.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", conns.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	dial()
	dial()
	first, second := <-accepted, <-accepted
	c, err := net.Dial("tcp", conns.Addr().String())
	if err == nil { // the reset may even come before Dial is back
		_, err = c.Read(make([]byte, 1))
		c.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("one too many got %v, want a reset at once", err)
	}
	if conns.Open() != 2 || conns.Refused() != 1 { // counted before the reset
		t.Errorf("%d open, %d refused; want 2 and 1", conns.Open(), conns.Refused())
	}
	first.Close()
	first.Close() // counts once
	dial()
	third := <-accepted
	if conns.Open() != 2 || conns.Refused() != 1 {
		t.Errorf("with a place free again: %d open, %d refused; want 2 and 1", conns.Open(), conns.Refused())
	}
	second.Close()
	third.Close()
	conns.Close()
	if _, more := <-accepted; more || conns.Open() != 0 {
		t.Errorf("at the end: %d open, more accepted %v; want none", conns.Open(), more)
	}
}
