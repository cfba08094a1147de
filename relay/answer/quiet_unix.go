//go:build unix

package answer

import "syscall"

// quiet looks at a socket without taking anything: it is open and has
// nothing to say exactly when a read would have to wait.
func quiet(fd uintptr) bool {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
}
