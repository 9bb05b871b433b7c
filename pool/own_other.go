//go:build !unix

package pool

import (
	"io/fs"
	"os"
)

// There are no child processes here, and so no compiled code of theirs.

type identity struct{ size int64 }

func own(path string, _ fs.FileMode) error {
	_, err := os.Lstat(path)
	return err
}

func openRegular(path string) (*os.File, error) { return os.Open(path) }

func openOwn(path string) (*os.File, identity, error) {
	f, err := os.Open(path)
	return f, identity{}, err
}

func trusted(string) error { return nil }
