package tunnel

import (
	"log/slog"
	"net"
	"net/http"

	"golang.org/x/net/http2"
)

//lint:file-ignore SA1019 net/http.Server has no way to serve one connection, and its own holds 43 KiB for an idle one where this holds 33.

// server speaks HTTP/2 over the connections of all listeners.
var server = http2.Server{
	MaxConcurrentStreams:         256,
	MaxReadFrameSize:             16 << 10,
	MaxUploadBufferPerConnection: 1 << 20,
	MaxUploadBufferPerStream:     256 << 10,
}

// serveHTTP2 answers what is asked over c until that ends.
func serveHTTP2(c net.Conn, h http.Handler, log *slog.Logger) {
	quiet := &http.Server{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	server.ServeConn(c, &http2.ServeConnOpts{Handler: h, BaseConfig: quiet})
}
