//go:build unix

package pool

import (
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// identity tells a file from every other, and from what it was before it was
// changed: nobody can set the time at which its inode was changed last.
type identity struct {
	dev, ino, size int64
	sec, nsec      int64
}

// own returns an error unless what a path leads to, itself and not by a link, is
// of a type, belongs to this user, and can be written by nobody else.
func own(path string, kind fs.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	return ownInfo(path, info, kind)
}

func ownInfo(path string, info fs.FileInfo, kind fs.FileMode) error {
	what := "file"
	if kind.IsDir() {
		what = "directory"
	}
	uid := ownerOf(info)
	if mode := info.Mode(); mode.Type() != kind || uid != os.Geteuid() || mode.Perm()&0o022 != 0 {
		return fmt.Errorf("pool: %s has mode %v and belongs to user %d; want a %s of user %d that nobody else can write to",
			path, mode, uid, what, os.Geteuid())
	}
	return nil
}

// openRegular opens a regular file, and nothing that a path might lead to
// instead: no link is followed, and no pipe waited for.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, fmt.Errorf("pool: %s is not a regular file", path)
	}
	return f, nil
}

// openOwn opens a regular file that is this user's, that nobody else can write
// to, and that has no other name.
func openOwn(path string) (*os.File, identity, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, identity{}, err
	}
	info, err := f.Stat()
	if err == nil {
		err = ownInfo(path, info, 0)
	}
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(int(f.Fd()), &st)
	}
	if err == nil && st.Nlink != 1 {
		err = fmt.Errorf("pool: %s has %d names; want one", path, st.Nlink)
	}
	if err != nil {
		_ = f.Close()
		return nil, identity{}, err
	}
	sec, nsec := st.Ctim.Unix()
	return f, identity{int64(st.Dev), int64(st.Ino), st.Size, sec, nsec}, nil
}
