package sandbox

import (
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Flags of mounts in a worker.
const (
	inert    = unix.MS_NOSUID | unix.MS_NODEV
	readOnly = inert | unix.MS_RDONLY
)

// view is what a worker sees of the file system.
type view struct {
	dirs  []Dir
	links map[string]string // symbolic links that lead to some of them
	base  string            // where the new root is made
	fixed bool              // the root that there is cannot be left: see pivot
}

// root appends the calls that make an empty root, and in it what is granted.
// They begin in a mount namespace of the worker's own.
func (s *script) root(v view) {
	const l = Root
	s.add(l, "set umask", unix.SYS_UMASK, 0o022)
	s.add(l, "make mounts private", unix.SYS_MOUNT, 0, s.text("/"), 0, unix.MS_REC|unix.MS_PRIVATE)
	s.add(l, "mount an empty root on "+v.base, unix.SYS_MOUNT, s.text("wasmpool"), s.text(v.base), s.text("tmpfs"),
		inert, s.text("size=1m,nr_inodes=4k,mode=0755"))
	made := map[string]bool{"/": true}
	for i, d := range v.dirs {
		if !below(d.Path, v.dirs[:i], nil) { // else it is there with the one above
			s.mkdirs(v.base, d.Path, made)
		}
		s.bind(v.base, d)
	}
	for _, from := range slices.Sorted(maps.Keys(v.links)) {
		s.mkdirs(v.base, path.Dir(from), made)
		s.add(l, "link "+from, unix.SYS_SYMLINKAT, s.text(v.links[from]), fromHere(), s.text(v.base+from))
	}
	s.add(l, "enter the new root", unix.SYS_CHDIR, s.text(v.base))
	s.pivot(v.fixed)
	s.add(l, "enter the root", unix.SYS_CHDIR, s.text("/"))
	s.add(l, "make the root read-only", unix.SYS_MOUNT, 0, s.text("/"), 0, unix.MS_REMOUNT|unix.MS_BIND|readOnly)
}

// exchange is what cannot be done on a machine that runs from its initial RAM
// file system: pivot_root(2), "NOTES".
const exchange = "pivot root"

// pivot appends the calls that exchange the root for the working directory. A
// root that cannot be exchanged is covered: without the privilege to unmount
// anything, or to change the root again, nothing below is to be reached.
func (s *script) pivot(fixed bool) {
	if fixed {
		s.add(Root, "cover the old root", unix.SYS_MOUNT, s.text("."), s.text("/"), 0, unix.MS_MOVE)
		s.add(Root, "change the root", unix.SYS_CHROOT, s.text("."))
		return
	}
	s.add(Root, exchange, unix.SYS_PIVOT_ROOT, s.text("."), s.text("."))
	s.add(Root, "leave the old root", unix.SYS_UMOUNT2, s.text("."), unix.MNT_DETACH)
}

// mkdirs appends the calls that make a directory and its parents in the new
// root, but for those that are made.
func (s *script) mkdirs(base, dir string, made map[string]bool) {
	if made[dir] {
		return
	}
	made[dir] = true
	s.mkdirs(base, path.Dir(dir), made)
	s.add(Root, "make "+dir, unix.SYS_MKDIRAT, fromHere(), s.text(base+dir), 0o755)
}

// bind appends the calls that show a directory at its own path in the new root.
func (s *script) bind(base string, d Dir) {
	target := s.text(base + d.Path)
	s.add(Root, "bind "+d.Path, unix.SYS_MOUNT, s.text(d.Path), target, 0, unix.MS_BIND|unix.MS_REC)
	attr := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
	if !d.Writable {
		attr.Attr_set |= unix.MOUNT_ATTR_RDONLY
	}
	s.add(Root, "restrict "+d.Path, unix.SYS_MOUNT_SETATTR, fromHere(), target, unix.AT_RECURSIVE,
		keep(s, attr), unsafe.Sizeof(*attr))
}

// newView decides where the new root is made: over a directory that is none of
// the granted ones, nor above one.
func newView(dirs []Dir, links map[string]string) view {
	v := view{dirs: slices.SortedFunc(maps.Values(once(dirs)), func(a, b Dir) int { return strings.Compare(a.Path, b.Path) }), links: links}
	for _, base := range []string{"/proc", "/sys", "/dev", "/run", "/tmp", "/mnt"} {
		info, err := os.Stat(base)
		if err != nil || !info.IsDir() {
			continue
		}
		v.base = base
		if !slices.ContainsFunc(dirs, func(d Dir) bool { return d.Path == base || strings.HasPrefix(d.Path, base+"/") }) {
			break
		}
	}
	return v
}

// once has each directory once, writable if it is granted so anywhere.
func once(dirs []Dir) map[string]Dir {
	all := make(map[string]Dir)
	for _, d := range dirs {
		d.Writable = d.Writable || all[d.Path].Writable
		all[d.Path] = d
	}
	return all
}
