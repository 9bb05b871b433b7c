//go:build !unix

package wazero

import (
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// setAppend is not to be had here.
func setAppend(*os.File, bool) sys.Errno { return sys.ENOSYS }
