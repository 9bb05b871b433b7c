package pool

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The files of an entry.
const (
	codeName   = "code"
	recordName = "record"
)

// maxRecordBytes bounds the record of an entry. A guess, many times what it has.
const maxRecordBytes = 4 << 10

// entries are the modules' compiled code on disk: a directory for each, named by
// the module's digest, with the code and a record of whose it is and what digest
// it has. Only this process and others like it write there: an entry is made by
// copying what a child has left elsewhere. The code is never decoded here.
//
// Who can write there as this user can run code as this user. All that is
// guarded against is what others do, damage, and mistakes.
type entries struct {
	dir    string // of one engine
	engine string // its name and version, and what else its code depends on

	mu    sync.Mutex
	known map[string]known // by the module's digest
}

// known is code that was compared with its record, as the file was then.
type known struct {
	file identity
	code string // its digest
}

func newEntries(dir, engine string) *entries {
	return &entries{dir: dir, engine: engine, known: make(map[string]known)}
}

// entry is where a module's entry is, code where its code is.
func (e *entries) entry(module string) string { return filepath.Join(e.dir, module) }
func (e *entries) code(module string) string  { return filepath.Join(e.entry(module), codeName) }

// record is what must be written in an entry.
func (e *entries) record(module, code string, size int64) string {
	return fmt.Sprintf("engine %s\nmodule sha256 %s\ncode sha256 %s, %d bytes\n", e.engine, module, code, size)
}

// open makes the directory of the entries, unless it is there, as it must be.
func (e *entries) open() error {
	if err := os.MkdirAll(e.dir, 0o700); err != nil {
		return err
	}
	return own(e.dir, fs.ModeDir)
}

// find returns the digest of a module's code. The error is [fs.ErrNotExist]
// where there is no entry; after another one the entry is of no use to anybody.
func (e *entries) find(module string) (code string, err error) {
	dir := e.entry(module)
	if err := own(dir, fs.ModeDir); err != nil {
		return "", err
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	if len(names) != 2 || names[0].Name() != codeName || names[1].Name() != recordName {
		return "", fmt.Errorf("pool: cache entry %s has other files than %s and %s", dir, codeName, recordName)
	}
	f, file, err := openOwn(filepath.Join(dir, codeName))
	if err != nil {
		return "", err
	}
	defer f.Close()
	if code, err = e.digest(module, f, file); err != nil {
		return "", err
	}
	record, err := readOwn(filepath.Join(dir, recordName), maxRecordBytes)
	if err != nil {
		return "", err
	}
	if want := e.record(module, code, file.size); string(record) != want {
		return "", fmt.Errorf("pool: cache entry %s has the record %q; want %q", dir, record, want)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.known[module] = known{file, code}
	return code, nil
}

// digest returns that of the code in an entry: it is computed once, and again
// when the file is another or was touched. For 12 MB that takes 8 ms.
func (e *entries) digest(module string, f io.Reader, file identity) (string, error) {
	e.mu.Lock()
	last := e.known[module]
	e.mu.Unlock()
	if last.file == file {
		return last.code, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, file.size)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Names of what is under way begin with these.
const (
	compilingPrefix = "compiling-"
	adoptingPrefix  = "adopting-"
)

// abandoned is the age at which what is under way is not any more: who made it
// was killed. A guess: an adoption takes the time to copy some megabytes.
const abandoned = time.Hour

// sweep removes what other programs like this one have left unfinished.
func (e *entries) sweep() {
	for _, prefix := range []string{compilingPrefix, adoptingPrefix} {
		left, _ := filepath.Glob(filepath.Join(e.dir, prefix+"*")) // an error is one of the pattern
		for _, path := range left {
			if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > abandoned {
				_ = os.RemoveAll(path) // at worst it is there the next time
			}
		}
	}
}

// blank returns a file without a name, for a child to write code to: it is never
// told where entries are.
func (e *entries) blank() (*os.File, error) {
	f, err := os.CreateTemp(e.dir, compilingPrefix)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// adopt makes an entry of the code that a child has written to a file, of at
// most limit bytes. The child is dead; it is copied all the same, so that nobody
// to whom it may have given the file has a hold on the entry.
func (e *entries) adopt(module string, written *os.File, limit int64) error {
	e.sweep()
	fresh, err := os.MkdirTemp(e.dir, adoptingPrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh) // gone by then, if all went well
	code, size, err := copyCode(filepath.Join(fresh, codeName), written, limit)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(fresh, recordName), []byte(e.record(module, code, size)), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, e.entry(module))
}

// copyCode copies a file, and returns its digest and size.
func copyCode(to string, from *os.File, limit int64) (digest string, size int64, err error) {
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(out, h), io.NewSectionReader(from, 0, limit+1))
	if err = errors.Join(err, out.Close()); err != nil {
		return "", 0, err
	}
	if size > limit {
		return "", 0, fmt.Errorf("pool: compiled code is larger than %d bytes", limit)
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// remove takes away what lies in an entry's place, whatever it is.
func (e *entries) remove(module string) error {
	e.mu.Lock()
	delete(e.known, module)
	e.mu.Unlock()
	return os.RemoveAll(e.entry(module))
}

// readOwn reads a file of at most limit bytes that is this user's alone.
func readOwn(path string, limit int64) ([]byte, error) {
	f, _, err := openOwn(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// fileDigest returns the SHA-256 of a file, in hexadecimal.
func fileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
