package seal_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/capture/seal"
)

// key is a new key, and whom to seal to for it.
func key(t testing.TB) (seal.Keys, string) {
	t.Helper()
	file, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.ReadKeys(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return keys, keys.Recipients()[0]
}

// order is a webhook with all that one can have.
func order() (*capture.Event, []byte) {
	body := []byte("{\"secret\":\"canary\"}\x00\xff")
	return &capture.Event{
		ID: capture.NewID(capture.EventID), App: "shop", Origin: capture.Ingress, Received: time.Now().UTC().Round(0), Remote: "192.0.2.1:4711",
		Method: "CANARY", Target: "/canary\xff?a=%zz", Proto: "HTTP/1.1", Parsed: true,
		Headers:  capture.Headers{{"Host", "canary"}, {"x-CANARY", "\xfe 1"}, {"x-CANARY", "2"}},
		Trailers: capture.Headers{{"X-Sum", "canary"}}, Size: int64(len(body)), SHA256: capture.Sum(body),
	}, body
}

// What was sealed opens as it was, for any of its recipients, and shows nothing
// until then.
func TestSeal(t *testing.T) {
	ada, toAda := key(t)
	bob, toBob := key(t)
	e, body := order()
	kept, sealed, err := seal.Seal(e, body, []string{toAda, toBob})
	if err != nil {
		t.Fatal(err)
	}
	want := &capture.Event{ID: e.ID, App: "shop", Origin: capture.Ingress, Received: e.Received, Method: "POST", Target: "/", Proto: "HTTP/1.1",
		Headers: capture.Headers{{"Content-Type", "application/age"}}, Size: int64(len(sealed)),
		Signature: capture.Signature{Verdict: capture.Unchecked}, Sealed: true}
	if !reflect.DeepEqual(kept, want) {
		t.Errorf("kept %+v\nwant %+v", kept, want)
	}
	if bytes.Contains(bytes.ToLower(sealed), []byte("canary")) {
		t.Error("what is sealed can be read")
	}
	was := *e
	was.Opened = true
	for name, keys := range map[string]seal.Keys{"ada": ada, "bob": bob} {
		got, plain, err := seal.Open(kept, sealed, keys)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, &was) || !bytes.Equal(plain, body) {
			t.Errorf("%s opens %+v %q\nwant %+v %q", name, got, plain, &was, body)
		}
	}
}

// Bodies of any size open, the empty one and those that end where age's chunks
// of 64 KiB do.
func TestSizes(t *testing.T) {
	keys, to := key(t)
	for _, n := range []int{0, 1, 64<<10 - 1, 64 << 10, 1 << 20} {
		e, _ := order()
		body := bytes.Repeat([]byte{7}, n)
		kept, sealed, err := seal.Seal(e, body, []string{to})
		if err != nil {
			t.Fatal(err)
		}
		if got, plain, err := seal.Open(kept, sealed, keys); err != nil || got.Size != int64(n) || !bytes.Equal(plain, body) {
			t.Errorf("%d bytes: opened %d, %v", n, len(plain), err)
		}
	}
}

// What does not open says why, and gives nothing away.
func TestOpenRefuses(t *testing.T) {
	keys, to := key(t)
	stranger, _ := key(t)
	e, body := order()
	kept, sealed, err := seal.Seal(e, body, []string{to})
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(*capture.Event)) *capture.Event {
		e := *kept
		f(&e)
		return &e
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	crowd := []byte("age-encryption.org/v1\n" + strings.Repeat("-> X25519 "+strings.Repeat("A", 43)+"\n"+strings.Repeat("A", 43)+"\n", 1000) + "--- x\n")
	for name, tt := range map[string]struct {
		event *capture.Event
		body  []byte
		keys  seal.Keys
		want  error
	}{
		"no key":            {kept, sealed, seal.Keys{}, seal.ErrNoKey},
		"another key":       {kept, sealed, stranger, seal.ErrNoKey},
		"not sealed":        {e, body, keys, seal.ErrNotSealed},
		"a stub":            {change(func(e *capture.Event) { e.Refused = new(capture.Refusal) }), nil, keys, seal.ErrNotSealed},
		"not age":           {kept, body, keys, seal.ErrNotSealed},
		"empty":             {kept, nil, keys, seal.ErrNotSealed},
		"a flipped bit":     {kept, flipped, keys, seal.ErrDamaged},
		"cut":               {kept, sealed[:len(sealed)-20], keys, seal.ErrDamaged},
		"another event":     {change(func(e *capture.Event) { e.ID = capture.NewID(capture.EventID) }), sealed, keys, seal.ErrDamaged},
		"another app":       {change(func(e *capture.Event) { e.App = "forge" }), sealed, keys, seal.ErrDamaged},
		"a crowded header":  {kept, crowd, keys, seal.ErrDamaged},
		"a header and more": {kept, sealed[:100], keys, seal.ErrDamaged},
	} {
		got, plain, err := seal.Open(tt.event, tt.body, tt.keys)
		if !errors.Is(err, tt.want) || got != nil || plain != nil {
			t.Errorf("%s: %v %q %v, want %v", name, got, plain, err, tt.want)
		}
	}
}

// Only what can be sealed to is a recipient.
func TestCheckRecipients(t *testing.T) {
	_, a := key(t)
	_, b := key(t)
	const nobody = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z" // a point without a key
	var many []string
	for range seal.MostRecipients + 1 {
		_, r := key(t)
		many = append(many, r)
	}
	for name, tt := range map[string]struct {
		to []string
		ok bool
	}{
		"none": {nil, true}, "one": {[]string{a}, true}, "two": {[]string{a, b}, true}, "as many as can be": {many[1:], true},
		"too many": {many, false}, "twice": {[]string{a, a}, false}, "no words": {[]string{""}, false}, "ssh": {[]string{"ssh-ed25519 AAAA"}, false},
		"cut": {[]string{a[:30]}, false}, "a point of low order": {[]string{nobody}, false},
	} {
		if err := seal.CheckRecipients(tt.to); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Files are age's own: one of several keys, and none of anything else.
func TestReadKeys(t *testing.T) {
	one, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	two, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.ReadKeys(bytes.NewReader(append(one, two...)))
	if err != nil || len(keys.Recipients()) != 2 || !bytes.Contains(one, []byte("# public key: "+keys.Recipients()[0]+"\n")) {
		t.Errorf("%q, %v", keys.Recipients(), err)
	}
	for _, text := range []string{"", "# nothing\n", "AGE-SECRET-KEY-1", "age1abc"} {
		if _, err := seal.ReadKeys(strings.NewReader(text)); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzOpen opens what strangers made: what they encrypted to us, and what they
// did not encrypt at all.
func FuzzOpen(f *testing.F) {
	keys, to := key(f)
	e, body := order()
	kept, sealed, err := seal.Seal(e, body, []string{to})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte("age-encryption.org/v1\n-> X25519 \n\n--- \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, plain, err := seal.Open(kept, b, keys)
		if (err == nil) != (got != nil) || err == nil && (got.ID != e.ID || got.Size != int64(len(plain)) || len(plain) > len(b)) {
			t.Errorf("%+v %q %v", got, plain, err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	_, to := key(b)
	e, _ := order()
	for name, n := range map[string]int{"1KiB": 1 << 10, "1MiB": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			body := make([]byte, n)
			b.SetBytes(int64(n))
			for b.Loop() {
				if _, _, err := seal.Seal(e, body, []string{to}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
