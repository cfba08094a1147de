//go:build unix

package store

import (
	"io/fs"
	"syscall"
)

// allocated is what a file takes up; Badger's have holes.
func allocated(fi fs.FileInfo) int64 { return fi.Sys().(*syscall.Stat_t).Blocks * 512 }
