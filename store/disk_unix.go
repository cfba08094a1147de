//go:build linux || darwin || freebsd

package store

import "golang.org/x/sys/unix"

// volume is the space of dir's file system: free to us, and in all.
func volume(dir string) (free, size int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize), nil
}
