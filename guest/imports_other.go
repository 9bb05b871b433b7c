//go:build !wasip1

package guest

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/guest/internal/border"
)

// outside serves contexts that belong to no call: in a native program there is
// no host then.
var outside border.Host = absent{}

// absent answers as a host does outside a call, and logs to standard error.
type absent struct{}

func (absent) Input([]byte) int          { return 0 }
func (absent) Output([]byte)             {}
func (absent) Fail([]byte)               {}
func (absent) Function([]byte) int       { return 0 }
func (absent) Context(b []byte) int      { return copy(b, "{}") }
func (absent) Cancelled() bool           { return false }
func (absent) Host(string, []byte) int32 { return abi.HostNotFound }
func (absent) Reply([]byte) int          { return 0 }

func (absent) Log(level int32, record []byte) {
	fmt.Fprintf(os.Stderr, "%v %s\n", slog.Level(level), record)
}
