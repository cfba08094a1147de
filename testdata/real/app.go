// A Go app that believes a webhook by its signature, and writes a line for
// each one that it does.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[1], []byte(l.Addr().String()), 0o600); err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /github/hooks", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mac := hmac.New(sha256.New, []byte(os.Getenv("SECRET")))
		mac.Write(body)
		want := "sha256=" + hex.EncodeToString(mac.Sum(nil))
		if !hmac.Equal([]byte(want), []byte(r.Header.Get("X-Hub-Signature-256"))) {
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
		fmt.Printf("%s %s %x\n", r.Header.Get("X-GitHub-Delivery"), r.Header.Get("X-GitHub-Event"), sha256.Sum256(body))
	})
	log.Fatal(http.Serve(l, nil))
}
