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
type cache struct {
	file   *os.File
	digest string // that the file must have; empty: it is to be written
	code   *code  // nil: there is no use in a cache
}

func openCache(config engine.Config) *cache {
	c := &cache{file: config.Code, digest: config.CodeSHA256}
	switch {
	case c.file == nil || !replaceable():
	case c.digest == "":
		c.code = new(code)
	default:
		c.code = c.read()
	}
	return c
}

// read returns the code in the file, if it is what it must be. What is
// loaded is what was compared: the file may be another a moment later.
func (c *cache) read() *code {
	info, err := c.file.Stat()
	if err != nil || info.Size() == 0 || info.Size() > math.MaxInt32 {
		return nil
	}
	b, release, err := scratch(int(info.Size()))
	if err != nil {
		return nil
	}
	if _, err := io.ReadFull(c.file, b); err == nil && strings.EqualFold(c.digest, digest(b)) {
		return &code{bytes: b, release: release}
	}
	release()
	return nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// keep writes what was compiled to the file, if that is wanted, and returns why
// it could not.
func (c *cache) keep() (unkept string) {
	if c.code == nil || c.digest != "" {
		return ""
	}
	if _, err := c.file.Write(c.code.bytes); err != nil {
		return err.Error()
	}
	return ""
}
