package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"filippo.io/age"
)

// Keys are private keys. The zero Keys open nothing.
type Keys struct{ all []*age.X25519Identity }

// NewKey makes a key: the text of its file, as age-keygen writes it and
// ReadKeys reads it.
func NewKey() (file []byte, err error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("seal: make a key: %w", err)
	}
	return fmt.Appendf(nil, "# created: %s\n# public key: %s\n%s\n", time.Now().UTC().Format(time.RFC3339), key.Recipient(), key), nil
}

// ReadKeys reads an age identity file: an X25519 key a line, empty lines and
// those that begin with # left out. At least one must be there.
func ReadKeys(r io.Reader) (k Keys, err error) {
	all, err := age.ParseIdentities(r)
	if err != nil {
		return k, fmt.Errorf("seal: read keys: %w", err)
	}
	for _, id := range all {
		key, ok := id.(*age.X25519Identity)
		if !ok {
			return Keys{}, errors.New("seal: read keys: only X25519 keys (AGE-SECRET-KEY-1…) are known")
		}
		k.all = append(k.all, key)
	}
	return k, nil
}

// Recipients are those that the keys open for: age1….
func (k Keys) Recipients() (all []string) {
	for _, key := range k.all {
		all = append(all, key.Recipient().String())
	}
	return all
}

// open is what is encrypted in sealed, which is no shorter.
func (k Keys) open(sealed []byte) ([]byte, error) {
	if !bytes.HasPrefix(sealed, []byte("age-encryption.org/v1\n")) {
		return nil, ErrNotSealed
	}
	if !bytes.Contains(sealed[:min(len(sealed), mostHeader)], []byte("\n--- ")) {
		return nil, fmt.Errorf("%w: no end of its header within %d bytes", ErrDamaged, mostHeader)
	}
	if len(k.all) == 0 {
		return nil, ErrNoKey
	}
	identities := make([]age.Identity, len(k.all))
	for i, key := range k.all {
		identities[i] = key
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), identities...)
	if none := new(age.NoIdentityMatchError); errors.As(err, &none) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	plain := bytes.NewBuffer(make([]byte, 0, len(sealed)))
	if _, err := plain.ReadFrom(r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return plain.Bytes(), nil
}

// MostRecipients is to how many an event can be sealed.
const MostRecipients = 16

// CheckRecipients says what is wrong with recipients: one is no age1… of an
// X25519 key, or is there twice, or there are more than MostRecipients.
func CheckRecipients(to []string) error {
	if len(to) > MostRecipients {
		return fmt.Errorf("%d recipients: want %d at most", len(to), MostRecipients)
	}
	for i, s := range to {
		if slices.Contains(to[:i], s) {
			return fmt.Errorf("%q is there twice", s)
		}
	}
	if len(to) == 0 {
		return nil
	}
	recipients, err := parse(to)
	if err == nil {
		_, err = age.Encrypt(io.Discard, recipients...) // finds points that no key can have
	}
	return err
}

func parse(to []string) (all []age.Recipient, err error) {
	for _, s := range to {
		r, err := age.ParseX25519Recipient(s)
		if err != nil {
			return nil, fmt.Errorf("%.80q: want the recipient of an X25519 key, age1…, as hooktape keygen shows it", s)
		}
		all = append(all, r)
	}
	return all, nil
}
