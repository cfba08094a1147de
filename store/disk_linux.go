package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// allocate gives f its size, with blocks behind it.
func allocate(f *os.File, size int64) error {
	err := unix.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return errors.ErrUnsupported
	}
	return err
}
