package ductape

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// decrypt opens hex(iv):base64(text), text being AES-256 in CBC mode with
// padding (PKCS #7), under the digest of a key. The key comes with it: this
// hides nothing, and proves nothing.
func decrypt(payload, key string) ([]byte, error) {
	start, sealed, ok := strings.Cut(payload, ":")
	if !ok {
		return nil, errors.New("want hex(iv):base64(text)")
	}
	iv, err := hex.DecodeString(start)
	if err != nil || len(iv) != aes.BlockSize {
		return nil, errors.New("the part before the colon is not 16 bytes in hex")
	}
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(text) == 0 || len(text)%aes.BlockSize != 0 {
		return nil, errors.New("the part behind the colon is no base64 of whole blocks")
	}
	digest := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(digest[:])
	if err != nil {
		return nil, err
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad == 0 || pad > aes.BlockSize || strings.Trim(string(text[len(text)-pad:]), string(rune(pad))) != "" {
		return nil, errors.New("it was not made with this public_key")
	}
	return text[:len(text)-pad], nil
}
