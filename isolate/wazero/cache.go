package wazero

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math"
	"os"
	"strings"

	"github.com/wasmpool/wasmpool/isolate/engine"
)

// cache is the file with the code of one module. wazero is never let near it: it
// would look at the file twice and at its checksum only, which covers the
// machine code, and neither the offsets of the functions in it nor the number of
// them, by which it allocates.
//
// The file begins with the mark of what the code was made of, and goes on with
// what wazero keeps.
type cache struct {
	file   *os.File
	digest string     // that the file must have; empty: it is to be written
	found  chan *code // what [cache.read] has found; nil: there is nothing to read
}

// openCache begins to read a file that has code. [cache.take] must follow.
func openCache(config engine.Config) *cache {
	if config.Code == nil || !replaceable() {
		return &cache{}
	}
	c := &cache{file: config.Code, digest: config.CodeSHA256}
	if c.digest != "" {
		c.found = make(chan *code, 1)
		go func() { c.found <- c.read() }() // ends with the file; take waits for it
	}
	return c
}

// take returns what was read, if it is what it must be, or nil. The code is the
// caller's to drop.
func (c *cache) take() *code {
	if c.found == nil {
		return nil
	}
	return <-c.found
}

// read returns what is in the file, if it is what it must be. What is
// loaded is what was compared: the file may be another a moment later.
func (c *cache) read() *code {
	info, err := c.file.Stat()
	if err != nil || info.Size() < sha256.Size || info.Size() > math.MaxInt32 {
		return nil
	}
	b, release, err := scratch(int(info.Size()))
	if err != nil {
		return nil
	}
	huge(b)
	if _, err := io.ReadFull(c.file, b); err == nil && strings.EqualFold(c.digest, digest(b)) {
		return &code{mark: [sha256.Size]byte(b), content: b[sha256.Size:], release: release}
	}
	release()
	return nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// wants says whether code that is compiled is to be written to the file.
func (c *cache) wants() bool { return c.file != nil && c.digest == "" }

// keep writes what was compiled to the file, and returns why it could not.
func (c *cache) keep(code *code) (unkept string) {
	for _, b := range [][]byte{code.mark[:], code.content} {
		if _, err := c.file.Write(b); err != nil {
			return err.Error()
		}
	}
	return ""
}
