package wazero

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/tetratelabs/wazero/experimental/sys"
	wazerosys "github.com/tetratelabs/wazero/sys"
)

// Numbers of errors for which wazero has none: a guest sees EIO.
const (
	errTooManyFiles sys.Errno = sys.EIO // EMFILE
	errFileTooLarge sys.Errno = sys.EIO // EFBIG
)

// errnoOf is an error as a guest sees it. What is not the system's is of
// [os.Root]: a path that leads out.
func errnoOf(err error) sys.Errno {
	var number syscall.Errno
	switch {
	case err == nil:
		return 0
	case errors.Is(err, fs.ErrClosed):
		return sys.EBADF
	case errors.As(err, &number):
		return sys.UnwrapOSError(number)
	}
	return sys.EPERM
}

// file is an open file or directory of a grant.
type file struct {
	place[int64]

	grant   *grant
	name    string // when it was opened
	appends bool
	closed  bool
}

// place is where an open file is read and written next. It is generic since go
// vet holds every method Seek of an int64 to the result of [io.Seeker].
type place[N ~int64] struct {
	file *os.File
	dir  bool
}

// Seek implements [sys.File].
func (p place[N]) Seek(offset N, whence int) (N, sys.Errno) {
	if whence < io.SeekStart || whence > io.SeekEnd || p.dir && (offset != 0 || whence != io.SeekStart) {
		return 0, sys.EINVAL
	}
	n, err := p.file.Seek(int64(offset), whence)
	return N(n), errnoOf(err)
}

// Dev implements [sys.File].
func (f *file) Dev() (uint64, sys.Errno) {
	st, errno := f.Stat()
	return st.Dev, errno
}

// Ino implements [sys.File].
func (f *file) Ino() (wazerosys.Inode, sys.Errno) {
	st, errno := f.Stat()
	return st.Ino, errno
}

// IsDir implements [sys.File].
func (f *file) IsDir() (bool, sys.Errno) { return f.dir, 0 }

// IsAppend implements [sys.File].
func (f *file) IsAppend() bool { return f.appends }

// SetAppend implements [sys.File].
func (f *file) SetAppend(enable bool) sys.Errno {
	if errno := setAppend(f.file, enable); errno != 0 {
		return errno
	}
	f.appends = enable
	return 0
}

// Stat implements [sys.File].
func (f *file) Stat() (wazerosys.Stat_t, sys.Errno) {
	info, err := f.file.Stat()
	if err != nil {
		return wazerosys.Stat_t{}, errnoOf(err)
	}
	return statOf(info), 0
}

// Read implements [sys.File].
func (f *file) Read(b []byte) (int, sys.Errno) {
	if f.dir {
		return 0, sys.EISDIR
	}
	return count(f.file.Read(b))
}

// Pread implements [sys.File].
func (f *file) Pread(b []byte, offset int64) (int, sys.Errno) {
	if f.dir {
		return 0, sys.EISDIR
	}
	if offset < 0 {
		return 0, sys.EINVAL
	}
	return count(f.file.ReadAt(b, offset))
}

// count is how many bytes were read; the end of a file is no error.
func count(n int, err error) (int, sys.Errno) {
	if n > 0 || errors.Is(err, io.EOF) {
		return n, 0
	}
	return 0, errnoOf(err)
}

// Readdir implements [sys.File]. It has names and types, and no numbers of
// inodes: those come from a look at each file.
func (f *file) Readdir(n int) ([]sys.Dirent, sys.Errno) {
	if !f.dir {
		return nil, sys.ENOTDIR
	}
	entries, err := f.file.ReadDir(n)
	if err != nil && !errors.Is(err, io.EOF) && len(entries) == 0 {
		return nil, errnoOf(err)
	}
	dirents := make([]sys.Dirent, len(entries))
	for i, e := range entries {
		dirents[i] = sys.Dirent{Name: e.Name(), Type: typeOf(e.Type())}
	}
	return dirents, 0
}

// Write implements [sys.File].
func (f *file) Write(b []byte) (int, sys.Errno) {
	if f.dir {
		return 0, sys.EISDIR
	}
	at, errno := f.end()
	if !f.appends && errno == 0 {
		at, errno = f.Seek(0, io.SeekCurrent)
	}
	if errno != 0 {
		return 0, errno
	}
	b, errno = f.within(b, at)
	if errno != 0 {
		return 0, errno
	}
	n, err := f.file.Write(b)
	return n, errnoOf(err)
}

// end is the size of the file, if that is where it is written.
func (f *file) end() (int64, sys.Errno) {
	if !f.appends {
		return 0, 0
	}
	info, err := f.file.Stat()
	if err != nil {
		return 0, errnoOf(err)
	}
	return info.Size(), 0
}

// Pwrite implements [sys.File].
func (f *file) Pwrite(b []byte, offset int64) (int, sys.Errno) {
	switch {
	case f.dir:
		return 0, sys.EISDIR
	case offset < 0:
		return 0, sys.EINVAL
	case f.appends: // there is no other place
		return f.Write(b)
	}
	b, errno := f.within(b, offset)
	if errno != 0 {
		return 0, errno
	}
	n, err := f.file.WriteAt(b, offset)
	return n, errnoOf(err)
}

// within is as much of what is written at an offset as the file may have.
func (f *file) within(b []byte, offset int64) ([]byte, sys.Errno) {
	room := f.grant.limits.fileBytes - offset
	switch {
	case room >= int64(len(b)):
		return b, 0
	case room <= 0:
		return nil, errFileTooLarge
	}
	return b[:room], 0
}

// Truncate implements [sys.File].
func (f *file) Truncate(size int64) sys.Errno {
	switch {
	case f.dir:
		return sys.EISDIR
	case size < 0:
		return sys.EINVAL
	case size > f.grant.limits.fileBytes:
		return errFileTooLarge
	}
	return errnoOf(f.file.Truncate(size))
}

// Sync implements [sys.File].
func (f *file) Sync() sys.Errno { return errnoOf(f.file.Sync()) }

// Datasync implements [sys.File].
func (f *file) Datasync() sys.Errno { return f.Sync() }

// Utimens implements [sys.File]: by the name that the file had when it was
// opened, if that is still its own.
func (f *file) Utimens(atime, mtime int64) sys.Errno {
	if !f.grant.writable {
		return sys.EROFS
	}
	own, err := f.file.Stat()
	if err != nil {
		return errnoOf(err)
	}
	if there, err := f.grant.root.Stat(f.name); err != nil || !os.SameFile(own, there) {
		return sys.ENOENT
	}
	return f.grant.Utimens(f.name, atime, mtime)
}

// Close implements [sys.File].
func (f *file) Close() sys.Errno {
	if f.closed {
		return 0
	}
	f.closed = true
	f.grant.open.Add(-1)
	return errnoOf(f.file.Close())
}
