package wazero

import (
	"bytes"
	"io"
	"reflect"

	"github.com/tetratelabs/wazero"
)

// code is the compiled code of one module, in memory: the key that wazero has
// made of the module and the processor, and what it keeps under that.
//
// Its methods are those that wazero asks of what it keeps code in, whose type it
// does not export.
type code struct {
	bytes   []byte
	release func() // gives the bytes back; nil: they are of Go's heap
	loaded  bool   // wazero took it
}

// Get returns the code with a key.
func (c *code) Get(key [32]byte) (io.ReadCloser, bool, error) {
	content, ok := bytes.CutPrefix(c.bytes, key[:])
	if !ok {
		return nil, false, nil
	}
	c.loaded = true
	return io.NopCloser(bytes.NewReader(content)), true, nil
}

// Add keeps what was compiled.
func (c *code) Add(key [32]byte, content io.Reader) error {
	b := bytes.NewBuffer(key[:])
	_, err := io.Copy(b, content)
	c.drop()
	c.bytes = b.Bytes()
	return err
}

// Delete drops code that wazero finds to be of another version.
func (c *code) Delete([32]byte) error {
	c.drop()
	return nil
}

// drop forgets the code, and that any was loaded.
func (c *code) drop() {
	c.bytes, c.loaded = nil, false
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
