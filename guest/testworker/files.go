package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/wasmpool/wasmpool/guest"
)

func init() {
	guest.Export("listDir", listDir)
	guest.Export("readFile", readFile)
	guest.Export("writeFile", func(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) })
	guest.Export("appendFile", appendFile)
	guest.Export("growFile", growFile)
	guest.Export("truncate", os.Truncate)
	guest.Export("mkdir", func(path string) error { return os.Mkdir(path, 0o700) })
	guest.Export("remove", os.Remove)
	guest.Export("rename", os.Rename)
	guest.Export("symlink", os.Symlink)
	guest.Export("link", os.Link)
	guest.Export("readlink", os.Readlink)
	guest.Export("stat", stat)
	guest.Export("openMany", openMany)
	guest.Export("openAt", openAt)
}

// listDir returns the names in a directory; those of directories end with "/".
func listDir(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	names := []string{}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	return names, err
}

func readFile(path string) (string, error) {
	b, err := os.ReadFile(path)
	return string(b), err
}

func appendFile(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// growFile writes so many bytes to a file, in pieces, and returns how many it
// wrote before an error.
func growFile(path string, bytes int64) (int64, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	n, err := io.CopyBuffer(f, io.LimitReader(zeros{}, bytes), make([]byte, 64<<10))
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	return n, nil
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// stat returns the size and the kind of what a path leads to.
func stat(path string) (map[string]any, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return map[string]any{"size": info.Size(), "dir": info.IsDir(), "regular": info.Mode().Type() == fs.FileMode(0)}, nil
}

// openMany opens a file again and again, and returns how often that went well,
// and why it did not any more. It closes all of them.
func openMany(path string, times int) (int, string) {
	var open []*os.File
	defer func() {
		for _, f := range open {
			_ = f.Close()
		}
	}()
	for range times {
		f, err := os.Open(path)
		if err != nil {
			_, reason, _ := strings.Cut(err.Error(), ": ")
			return len(open), reason
		}
		open = append(open, f)
	}
	return len(open), ""
}
