package tunnel

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"golang.org/x/net/http2"
)

//lint:file-ignore SA1019 net/http.Server has no way to serve one connection, and its own holds 10 KiB more for an idle one.

// server speaks HTTP/2 over the connections of all listeners.
var server = http2.Server{
	MaxConcurrentStreams:         256,
	MaxReadFrameSize:             16 << 10,
	MaxUploadBufferPerConnection: 1 << 20,
	MaxUploadBufferPerStream:     256 << 10,
}

// quiet says nothing of connections that end in the middle of something, as
// those of listeners do.
var quiet = &http.Server{ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}

// serveHTTP2 answers what is asked over c until that ends.
func serveHTTP2(ctx context.Context, c net.Conn) {
	server.ServeConn(c, &http2.ServeConnOpts{Context: ctx, Handler: routes(), BaseConfig: quiet})
}
