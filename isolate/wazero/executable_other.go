//go:build !linux

package wazero

import "os"

// executable names the file of this program.
func executable() (string, error) { return os.Executable() }
