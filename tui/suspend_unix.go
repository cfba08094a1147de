//go:build unix

package tui

import (
	"os"

	"golang.org/x/sys/unix"
)

// canSuspend reports whether there is a shell to come back from with fg.
// Without one, as when a container or tmux started us, the kernel drops the
// stop signal and Bubble Tea would wait for ever to be continued.
func canSuspend() bool {
	own, err := unix.Getsid(0)
	if err != nil {
		return true
	}
	parents, err := unix.Getsid(os.Getppid())
	return err == nil && parents == own
}
