//go:build linux || darwin

package broker

import "syscall"

// freeBytes reports what an ordinary user may still write to the file system
// that holds dir, and the file system's size, in bytes.
func freeBytes(dir string) (free, total int64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize), nil
}
