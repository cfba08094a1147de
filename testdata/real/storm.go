// Storm is both ends of weather.sh: senders that write down what they were
// told, and an app that writes down what came.
//
//	storm send URL LOG STOP   16 senders, until the file STOP is there; LOG has a line "SENDER.N EVENT" for each
//	                          webhook, without EVENT where it was not acknowledged
//	storm app ADDR LOG        LOG has the event of each request
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

func main() {
	switch {
	case len(os.Args) == 5 && os.Args[1] == "send":
		send(os.Args[2], create(os.Args[3]), os.Args[4])
	case len(os.Args) == 4 && os.Args[1] == "app":
		f := create(os.Args[3])
		log.Fatal(http.ListenAndServe(os.Args[2], http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(f, r.Header.Get("Hooktape-Event-Id")) // one write: lines do not mix
		})))
	default:
		log.Fatal("usage: storm send URL LOG STOP | app ADDR LOG")
	}
}

func create(name string) *os.File {
	f, err := os.Create(name)
	if err != nil {
		log.Fatal(err)
	}
	return f
}

func send(url string, f *os.File, stop string) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 3 * time.Second}
	padding := bytes.Repeat([]byte("x"), 8<<10)
	var wg sync.WaitGroup
	for sender := range 16 {
		wg.Go(func() {
			for n := 1; ; n++ {
				if _, err := os.Stat(stop); err == nil {
					return
				}
				body := fmt.Appendf(nil, "%d.%d %s", sender, n, padding)
				fmt.Fprintf(f, "%d.%d %s\n", sender, n, post(client, url, body))
				time.Sleep(40 * time.Millisecond)
			}
		})
	}
	wg.Wait()
}

// post is the event that a webhook was acknowledged as, "" if it was not.
func post(client *http.Client, url string, body []byte) string {
	res, err := client.Post(url, "text/plain", bytes.NewReader(body))
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	var answer struct{ ID string }
	if json.NewDecoder(res.Body).Decode(&answer) != nil || res.StatusCode/100 != 2 {
		return ""
	}
	return answer.ID
}
