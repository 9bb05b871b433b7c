package wazero

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	wazerosys "github.com/tetratelabs/wazero/sys"

	"github.com/wasmpool/wasmpool/isolate/engine"
)

// maxPathBytes bounds the paths of a guest, as Linux does.
const maxPathBytes = 4096

// grants are the directories of a module, open for all its instances.
type grants struct {
	dirs      []engine.Dir
	roots     []*os.Root
	openFiles int64
	fileBytes int64
}

func openGrants(config engine.Config) (*grants, error) {
	g := &grants{dirs: config.Dirs, openFiles: int64(config.OpenFiles), fileBytes: config.FileBytes}
	for _, d := range config.Dirs {
		root, err := os.OpenRoot(d.Host)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("wazero: open the directory granted as %q: %w", d.Guest, err), g.close())
		}
		g.roots = append(g.roots, root)
	}
	return g, nil
}

func (g *grants) close() error {
	var errs []error
	for _, root := range g.roots {
		errs = append(errs, root.Close())
	}
	return errors.Join(errs...)
}

// mount gives the directories to one instance.
func (g *grants) mount(c wazero.ModuleConfig) wazero.ModuleConfig {
	if len(g.roots) == 0 {
		return c
	}
	open := new(atomic.Int64)
	mounts := wazero.NewFSConfig().(sysfs.FSConfig)
	var all wazero.FSConfig
	for i, root := range g.roots {
		all = mounts.WithSysFSMount(&grant{root: root, writable: g.dirs[i].Writable, limits: g, open: open}, g.dirs[i].Guest)
		mounts = all.(sysfs.FSConfig)
	}
	return c.WithFSConfig(all)
}

// grant is a granted directory as one instance sees it. Every path goes through
// [os.Root]: no symbolic link, old or new, leads out of it. wazero's own way to
// mount a directory lets a guest make such a link and follow it.
//
// A guest makes and moves no links, hard or symbolic: what else reads the directory may
// follow them farther than the guest could. It has regular files and directories
// only; whatever else lies there is not opened.
type grant struct {
	sys.UnimplementedFS

	root     *os.Root
	writable bool
	limits   *grants
	open     *atomic.Int64 // files that the instance has open, in all its directories
}

// named returns a path as [os.Root] takes it, and whether it must be that of a
// directory.
func named(path string) (name string, dir bool, errno sys.Errno) {
	if len(path) > maxPathBytes {
		return "", false, sys.ENAMETOOLONG
	}
	name = strings.TrimRight(path, "/")
	if name == "" {
		return ".", true, 0
	}
	return name, len(name) < len(path), 0
}

// changeable is named, for what changes something.
func (g *grant) changeable(path string) (name string, dir bool, errno sys.Errno) {
	if !g.writable {
		return "", false, sys.EROFS
	}
	return named(path)
}

// OpenFile implements [sys.FS].
func (g *grant) OpenFile(path string, flag sys.Oflag, perm fs.FileMode) (sys.File, sys.Errno) {
	name, dir, errno := named(path)
	if errno != 0 {
		return nil, errno
	}
	dir = dir || flag&sys.O_DIRECTORY != 0
	const changes = sys.O_RDWR | sys.O_WRONLY | sys.O_CREAT | sys.O_TRUNC
	if !g.writable && flag&changes != 0 {
		if info, err := g.root.Stat(name); err == nil && info.IsDir() {
			return nil, sys.EISDIR
		}
		return nil, sys.EROFS
	}
	if flag&sys.O_NOFOLLOW != 0 { // os.Root does not say when it has followed one
		if info, err := g.root.Lstat(name); err == nil && info.Mode().Type() == fs.ModeSymlink {
			return nil, sys.ELOOP
		}
	}
	if g.open.Add(1) > g.limits.openFiles {
		g.open.Add(-1)
		return nil, errTooManyFiles
	}
	f, errno := g.openRegular(name, osFlags(flag), perm, dir)
	if errno != 0 {
		g.open.Add(-1)
		return nil, errno
	}
	return f, 0
}

// openRegular opens a file or a directory, and nothing that would have the guest
// wait for another, as a pipe does.
func (g *grant) openRegular(name string, flag int, perm fs.FileMode, dir bool) (sys.File, sys.Errno) {
	f, err := g.root.OpenFile(name, flag|syscall.O_NONBLOCK, perm.Perm())
	if err != nil {
		return nil, errnoOf(err)
	}
	info, err := f.Stat()
	var errno sys.Errno
	switch {
	case err != nil:
		errno = errnoOf(err)
	case dir && !info.IsDir():
		errno = sys.ENOTDIR
	case !info.IsDir() && !info.Mode().IsRegular():
		errno = sys.EACCES
	}
	if errno != 0 {
		_ = f.Close()
		return nil, errno
	}
	return &file{place: place[int64]{f, info.IsDir()}, grant: g, name: name, appends: flag&os.O_APPEND != 0}, 0
}

// osFlags are a guest's flags in the system's numbers.
func osFlags(flag sys.Oflag) int {
	flags := os.O_RDONLY
	switch {
	case flag&sys.O_RDWR != 0:
		flags = os.O_RDWR
	case flag&sys.O_WRONLY != 0:
		flags = os.O_WRONLY
	}
	for _, f := range []struct {
		guest sys.Oflag
		os    int
	}{
		{sys.O_APPEND, os.O_APPEND},
		{sys.O_CREAT, os.O_CREATE},
		{sys.O_EXCL, os.O_EXCL},
		{sys.O_TRUNC, os.O_TRUNC},
		{sys.O_SYNC | sys.O_DSYNC | sys.O_RSYNC, os.O_SYNC},
	} {
		if flag&f.guest != 0 {
			flags |= f.os
		}
	}
	return flags
}

// Stat implements [sys.FS].
func (g *grant) Stat(path string) (wazerosys.Stat_t, sys.Errno) { return g.stat(path, g.root.Stat) }

// Lstat implements [sys.FS].
func (g *grant) Lstat(path string) (wazerosys.Stat_t, sys.Errno) { return g.stat(path, g.root.Lstat) }

func (g *grant) stat(path string, stat func(string) (fs.FileInfo, error)) (wazerosys.Stat_t, sys.Errno) {
	name, dir, errno := named(path)
	if errno != 0 {
		return wazerosys.Stat_t{}, errno
	}
	info, err := stat(name)
	if err != nil {
		return wazerosys.Stat_t{}, errnoOf(err)
	}
	if dir && !info.IsDir() {
		return wazerosys.Stat_t{}, sys.ENOTDIR
	}
	return statOf(info), 0
}

// statOf is what a guest is told of a file.
func statOf(info fs.FileInfo) wazerosys.Stat_t {
	st := wazerosys.NewStat_t(info)
	st.Mode = st.Mode&^fs.ModeType | typeOf(st.Mode)
	return st
}

// typeOf is a type that WASI has. It has none for a pipe, and a guest in Go takes
// what has none for a regular file.
func typeOf(mode fs.FileMode) fs.FileMode {
	if mode&fs.ModeNamedPipe != 0 {
		return fs.ModeDevice | fs.ModeCharDevice
	}
	return mode.Type()
}

// Readlink implements [sys.FS].
func (g *grant) Readlink(path string) (string, sys.Errno) {
	name, _, errno := named(path)
	if errno != 0 {
		return "", errno
	}
	target, err := g.root.Readlink(name)
	return target, errnoOf(err)
}

// Mkdir implements [sys.FS].
func (g *grant) Mkdir(path string, perm fs.FileMode) sys.Errno {
	name, _, errno := g.changeable(path)
	if errno != 0 {
		return errno
	}
	return errnoOf(g.root.Mkdir(name, perm.Perm()))
}

// Rename implements [sys.FS]. wazero refuses one from a grant to another.
func (g *grant) Rename(from, to string) sys.Errno {
	old, _, errno := g.changeable(from)
	if errno != 0 {
		return errno
	}
	name, _, errno := named(to)
	if errno != 0 {
		return errno
	}
	// A link that is moved may lead elsewhere: that is as good as making one.
	if info, err := g.root.Lstat(old); err == nil && info.Mode().Type() == fs.ModeSymlink {
		return sys.EPERM
	}
	return errnoOf(g.root.Rename(old, name))
}

// Rmdir implements [sys.FS].
func (g *grant) Rmdir(path string) sys.Errno { return g.remove(path, true) }

// Unlink implements [sys.FS].
func (g *grant) Unlink(path string) sys.Errno { return g.remove(path, false) }

func (g *grant) remove(path string, dir bool) sys.Errno {
	name, mustBeDir, errno := g.changeable(path)
	if errno != 0 {
		return errno
	}
	info, err := g.root.Lstat(name)
	switch {
	case err != nil:
		return errnoOf(err)
	case (dir || mustBeDir) && !info.IsDir():
		return sys.ENOTDIR
	case !dir && info.IsDir():
		return sys.EISDIR
	}
	return errnoOf(g.root.Remove(name))
}

// Link implements [sys.FS].
func (g *grant) Link(string, string) sys.Errno { return g.link() }

// Symlink implements [sys.FS].
func (g *grant) Symlink(string, string) sys.Errno { return g.link() }

func (g *grant) link() sys.Errno {
	if !g.writable {
		return sys.EROFS
	}
	return sys.EPERM
}

// Utimens implements [sys.FS].
func (g *grant) Utimens(path string, atime, mtime int64) sys.Errno {
	name, _, errno := g.changeable(path)
	if errno != 0 {
		return errno
	}
	return errnoOf(g.root.Chtimes(name, timeOf(atime), timeOf(mtime)))
}

// timeOf is a time in nanoseconds; the zero time leaves it as it is.
func timeOf(ns int64) time.Time {
	if ns == sys.UTIME_OMIT {
		return time.Time{}
	}
	return time.Unix(0, ns)
}
