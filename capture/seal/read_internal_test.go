package seal

import (
	"bytes"
	"errors"
	"testing"
)

// A newer hooktape's is told from a damaged one.
func TestReadNewer(t *testing.T) {
	if _, _, err := read([]byte{2, 0, 0, 0, 0}); !errors.Is(err, ErrNewer) {
		t.Errorf("%v, want %v", err, ErrNewer)
	}
}

// FuzzRead reads what whoever knows a recipient may have encrypted to it.
func FuzzRead(f *testing.F) {
	head, err := encoder.Marshal(letter{ID: "evt_1", App: "shop", Target: "/\xff"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append([]byte{version, 0, 0, 0, byte(len(head))}, append(head, "body"...)...))
	f.Add([]byte{version, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, plain []byte) {
		_, body, err := read(plain)
		if err != nil && body != nil || err == nil && !bytes.HasSuffix(plain, body) {
			t.Errorf("%q %v", body, err)
		}
	})
}
