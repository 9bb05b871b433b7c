package wazero

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
)

const modulePath = "github.com/tetratelabs/wazero"

// moduleVersion is wazero's version as the program was linked. Test programs do
// not carry it, nor do those that other tools than go have built: there it is
// the digest of the program itself (7 ms for 12 MB, once a process), and
// failing that empty.
var moduleVersion = sync.OnceValue(func() string {
	if version := linkedVersion(); version != "" {
		return version
	}
	digest, err := programDigest()
	if err != nil {
		return ""
	}
	return "program-" + digest
})

func linkedVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, dep := range info.Deps {
		if dep.Path != modulePath {
			continue
		}
		if dep.Replace != nil {
			dep = dep.Replace
		}
		if dep.Version != "(devel)" {
			return dep.Version
		}
	}
	return ""
}

func programDigest() (string, error) {
	name, err := executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), nil
}
