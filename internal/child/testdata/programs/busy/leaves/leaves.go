// Package leaves leaves a goroutine behind when it is initialized: before the
// pool's packages are, by its path.
package leaves

import (
	"net"
	"os"
	"time"
)

var _ = begin()

func begin() bool {
	go func() {
		for ; ; time.Sleep(time.Millisecond) {
			if f, err := os.Open("/etc/hosts"); err == nil {
				_ = f.Close()
			}
			if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
				_ = l.Close()
			}
		}
	}()
	return true
}
