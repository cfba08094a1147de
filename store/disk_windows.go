package store

import "golang.org/x/sys/windows"

// volume is the space of dir's volume: free to us, and in all.
func volume(dir string) (free, size int64, err error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, 0, err
	}
	var f, n uint64
	if err := windows.GetDiskFreeSpaceEx(path, &f, &n, nil); err != nil {
		return 0, 0, err
	}
	return int64(f), int64(n), nil
}
