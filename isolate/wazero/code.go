package wazero

import (
	"bytes"
	"crypto/sha256"
	"io"
	"reflect"

	"github.com/tetratelabs/wazero"
)

// code is the compiled code of one module, in memory, as wazero keeps it.
//
// Its methods are those that wazero asks of what it keeps code in, whose type it
// does not export.
type code struct {
	mark    [sha256.Size]byte // what it was made of; see [outline.mark]
	content []byte            // empty: nothing was compiled yet
	release func()            // gives the content back; nil: it is of Go's heap
	loaded  bool              // wazero took it
	wanted  bool              // what wazero compiles is to be kept
}

// Get returns the code. There is one module that wazero can ask for, whatever key
// it has made of it.
func (c *code) Get([32]byte) (io.ReadCloser, bool, error) {
	if len(c.content) == 0 {
		return nil, false, nil
	}
	c.loaded = true
	return io.NopCloser(reading{bytes.NewReader(c.content)}), true, nil
}

// reading is how wazero reads code: numbers, and then the machine code into
// memory that was mapped for it.
type reading struct{ *bytes.Reader }

func (r reading) Read(b []byte) (int, error) {
	huge(b)
	return r.Reader.Read(b)
}

// Add keeps what was compiled, if that is wanted.
func (c *code) Add(_ [32]byte, content io.Reader) error {
	if !c.wanted {
		return nil
	}
	b, err := io.ReadAll(content)
	c.drop()
	c.content = b
	return err
}

// Delete drops code that wazero finds to be of another version.
func (c *code) Delete([32]byte) error {
	c.drop()
	return nil
}

// drop forgets the code, and that any was loaded.
func (c *code) drop() {
	c.content, c.loaded = nil, false
	if c.release != nil {
		c.release()
		c.release = nil
	}
}

// compilationCache makes wazero keep code in c. All that wazero itself offers is
// a directory: there it reads a file that may not be the one that was compared
// any more. So what it has made for one, a field of its cache, is exchanged.
func compilationCache(c *code) wazero.CompilationCache {
	cache := wazero.NewCompilationCache()
	field := keeper(cache)
	reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem().Set(reflect.ValueOf(c))
	return cache
}

// replaceable says whether this wazero is built as [compilationCache] wants it.
// Where it is not, no code is kept.
func replaceable() bool {
	field := keeper(wazero.NewCompilationCache())
	return field.IsValid() && field.Kind() == reflect.Interface && reflect.TypeFor[*code]().Implements(field.Type())
}

// keeper is the field of wazero's cache with what it keeps code in.
func keeper(cache wazero.CompilationCache) reflect.Value {
	v := reflect.ValueOf(cache)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v.Elem().FieldByName("fileCache")
}
