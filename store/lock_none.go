//go:build !linux && !darwin && !freebsd && !windows

package store

import "os"

// lock leaves it to Badger.
func lock(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) }
