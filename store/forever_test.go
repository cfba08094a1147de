package store

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// TestTapeIsForever opens a store that was made when format 1 was new: what
// was kept then is read now, to the last byte, and what was pending goes on.
// A new format gets a new archive here; the old ones stay.
func TestTapeIsForever(t *testing.T) {
	s := opened(t, unpacked(t, "format1"), Options{})
	at := time.Date(2026, 11, 22, 1, 2, 3, 456789012, time.UTC)
	for i, body := range []string{"", "{\"n\":1}\r\n", string(noise(4000)), "\x00\xff"} {
		want := capture.Event{
			ID: capture.ID("evt_01KAMB2CKW000000000000000" + string(rune('1'+i))), App: "default", Type: "push", Provider: "github", ProviderID: "d1",
			Origin: capture.Ingress, Received: at.Add(time.Duration(i) * time.Second), Remote: "127.0.0.1:1", Method: "POST", Target: "/hooks%zz?a=\xe9",
			Proto: "HTTP/1.1", Headers: capture.Headers{{"hOST", "x"}, {"X-A", "1"}, {"x-a", "\xe9"}}, Trailers: capture.Headers{{"T", "1"}},
			Size: int64(len(body)), SHA256: capture.Sum([]byte(body)), Signature: capture.Signature{Verdict: capture.Unchecked, Scheme: "X-Hub-Signature-256"},
			Metadata: map[string]string{"k": "v"},
		}
		row, err := s.Event(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		want.Seq = row.Seq
		if !reflect.DeepEqual(row.Event, want) || row.Pinned != (i == 0) {
			t.Errorf("event %d is %+v\nwant %+v", i, row, want)
		}
		if got, err := s.Body(t.Context(), want.ID); err != nil || string(got) != body {
			t.Errorf("body %d is %q, %v; want %q", i, got, err, body)
		}
		a, err := s.Attempt(t.Context(), capture.ID(strings.Replace(string(want.ID), "evt_", "att_", 1)))
		switch {
		case err != nil:
			t.Error(err)
		case i == 3 && (a.Status != capture.AttemptPending || row.Outcome.State != capture.Pending):
			t.Errorf("attempt %d is %s of an event that is %s; want it pending", i, a.Status, row.Outcome.State)
		case i < 3 && (a.Code != 200 || row.Outcome.State != capture.OK || string(a.Response.Body) != "ok\xff" || a.Request.Target != "/hooks%zz"):
			t.Errorf("attempt %d is %+v, and its event %s", i, a, row.Outcome.State)
		}
	}
	if due, err := s.Due(t.Context(), "wh_01KAMB2CKW0000000000000001", 10); err != nil || len(due) != 1 {
		t.Errorf("pending are %v, %v; want one", due, err)
	}
	page, err := s.Events(t.Context(), capture.Query{Filter: "type:push provider:github is:ok"})
	if err != nil || len(page.Rows) != 3 {
		t.Errorf("found %d events by index, %v; want 3", len(page.Rows), err)
	}
	if err := s.Check(t.Context(), func(id capture.ID, err error) { t.Errorf("%s: %v", id, err) }); err != nil {
		t.Error(err)
	}
}

// unpacked is the directory of a store in testdata.
func unpacked(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return filepath.Join(dir, name)
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		data, err := io.ReadAll(r)
		if err := errors.Join(err, os.WriteFile(path, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}
