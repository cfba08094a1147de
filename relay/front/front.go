// Package front is what stands between the internet and the handlers: TLS with
// certificates from files or by ACME, who is really calling when proxies stand
// in between, and bounds on connections and on how often somebody may call.
//
// From the outside in: Conns, then the Listener of Files or ACME, then
// head.Listener, so that heads are read as they were sent; and around the
// handlers Proxies.Handler, then Limit.Handler, which goes by what that found.
package front

import (
	"crypto/tls"
	"net"
)

// overTLS wraps l. HTTP/1.1 alone is offered: HTTP/2 would lose the case and
// order of a sender's headers, and websockets need 1.1. A sender that offers
// no protocol at all is served, too.
func overTLS(l net.Listener, certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error), more ...string) net.Listener {
	return tls.NewListener(l, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     append([]string{"http/1.1"}, more...),
		GetCertificate: certificate,
	})
}
