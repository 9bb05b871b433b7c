package wazero

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasmpool/wasmpool/isolate/engine"
)

// recordName is a file beside wazero's own that says what lies there.
const recordName = "record"

// cache is a directory with the code of one module. wazero's files protect the
// machine code with a checksum, but not the offsets of the functions in it nor
// the number of them, by which it allocates. So a record of the whole file is
// kept beside it, and compared before wazero opens anything. It guards against
// damage: who can write here can write any code.
type cache struct {
	dir      string
	readOnly bool
	version  string
	source   string

	usable bool // wazero may be given the directory
	hit    bool // and will find the code there
}

func openCache(config engine.Config, version string, source []byte) *cache {
	c := &cache{dir: config.CacheDir, readOnly: config.CacheReadOnly, version: version}
	if c.dir == "" || strings.HasPrefix(version, unknownVersion) {
		return c
	}
	c.source = fmt.Sprintf("%x", sha256.Sum256(source))
	want, err := os.ReadFile(filepath.Join(c.dir, recordName))
	if err == nil {
		got, err := c.describe()
		c.hit = err == nil && bytes.Equal(want, got)
	}
	if !c.hit {
		c.clear()
	}
	c.usable = c.hit || !c.readOnly
	return c
}

// describe returns the record of what lies in the directory: one file.
func (c *cache) describe() ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(globEscape(c.dir), "wazero-*", "*"))
	if err != nil {
		return nil, err
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("wazero: cache %s holds %d files, 1 is expected", c.dir, len(files))
	}
	f, err := os.Open(files[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	size, err := io.Copy(sum, f)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "engine wazero %s\nsource sha256 %s\ncode %s, %d bytes, crc32c %08x\n",
		c.version, c.source, filepath.Base(files[0]), size, sum.Sum32()), nil
}

// globEscape makes a directory's name match itself only.
func globEscape(dir string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(dir)
}

// record writes down what wazero has left in the directory. Without a record
// the next Load compiles again: a fault here is not one of the module's.
func (c *cache) record() {
	if c.hit || c.readOnly {
		return
	}
	text, err := c.describe()
	if err == nil {
		name := filepath.Join(c.dir, recordName)
		err = os.WriteFile(name+".tmp", text, 0o600)
		if err == nil {
			err = os.Rename(name+".tmp", name)
		}
	}
	if err != nil {
		c.clear()
	}
}

// clear removes what is stale, damaged or half written. What cannot be removed
// stays, and is compared again by the next one.
func (c *cache) clear() {
	if c.readOnly {
		return
	}
	stale, err := filepath.Glob(filepath.Join(globEscape(c.dir), "wazero-*"))
	if err != nil {
		return
	}
	_ = os.Remove(filepath.Join(c.dir, recordName))
	for _, dir := range stale {
		_ = os.RemoveAll(dir)
	}
}
