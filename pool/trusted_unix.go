//go:build unix

package pool

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxLinks is how many symbolic links a path may lead through, as in Linux.
const maxLinks = 40

// trusted returns an error if somebody else could put something in the place of
// an absolute path, or write into what it leads to: every directory on the way,
// and on that of each link, belongs to this user or to root and is written by
// nobody else, unless its sticky bit keeps what is in it to its owners; the last
// one is this user's alone. What does not exist is no fault: it can be made.
func trusted(path string) error {
	at, rest := "/", strings.Split(filepath.Clean(path), "/")
	for links := 0; ; {
		for len(rest) > 0 && (rest[0] == "" || rest[0] == ".") {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return own(at, fs.ModeDir)
		}
		info, err := os.Lstat(at)
		if err != nil || !info.IsDir() {
			return nil
		}
		if err := trustedDir(at, info); err != nil {
			return err
		}
		next := filepath.Join(at, rest[0])
		rest = rest[1:]
		if info, err = os.Lstat(next); err != nil {
			return nil
		}
		if info.Mode().Type() != fs.ModeSymlink {
			at = next
			continue
		}
		target, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks {
			return nil
		}
		if uid := ownerOf(info); uid != 0 && uid != os.Geteuid() {
			return fmt.Errorf("pool: the link %s, on the way to it, belongs to user %d; want user %d, or 0", next, uid, os.Geteuid())
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(filepath.Clean(target), "/"), rest...)
	}
}

// trustedDir is about a directory on the way. A group that has the number of
// this user is taken to be this user's own, and root's may do as root does.
func trustedDir(path string, info fs.FileInfo) error {
	uid, gid, mode := ownerOf(info), int(info.Sys().(*syscall.Stat_t).Gid), info.Mode()
	others := mode.Perm() & 0o022
	if gid == 0 || gid == os.Geteuid() {
		others &= 0o002
	}
	if uid != 0 && uid != os.Geteuid() || others != 0 && mode&fs.ModeSticky == 0 {
		return fmt.Errorf("pool: %s, on the way to it, has mode %v and belongs to user %d; "+
			"want one of user %d or 0 that nobody else can write to, or with the sticky bit", path, mode, uid, os.Geteuid())
	}
	return nil
}

func ownerOf(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }
