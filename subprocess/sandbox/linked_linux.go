package sandbox

import (
	"debug/elf"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// libraries are where the libraries of a dynamically linked program are, by
// convention (hier(7)), as far as they exist here.
var libraries = []string{"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib"}

// linked returns the directories that a program needs to be executed, and the
// symbolic links that lead to them: none for a statically linked one.
func linked(program io.ReaderAt) (dirs []Dir, links map[string]string) {
	interpreter := interpreterOf(program)
	if interpreter == "" {
		return nil, nil
	}
	links = make(map[string]string)
	for _, dir := range libraries {
		if target, err := os.Readlink(dir); err == nil {
			links[dir] = target
		} else if info, err := os.Stat(dir); err == nil && info.IsDir() {
			dirs = append(dirs, Dir{Path: dir})
		}
	}
	resolved, err := filepath.EvalSymlinks(interpreter)
	if err != nil {
		return dirs, links
	}
	for _, file := range []string{interpreter, resolved} {
		if !below(file, dirs, links) {
			dirs = append(dirs, Dir{Path: path.Dir(file)}) // its libraries are beside it, as in Nix
		}
	}
	return dirs, links
}

// interpreterOf returns the path of the program that loads a program's
// libraries, or nothing if it has none.
func interpreterOf(program io.ReaderAt) string {
	f, err := elf.NewFile(program)
	if err != nil {
		return ""
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP || p.Filesz > 4096 {
			continue
		}
		b, err := io.ReadAll(p.Open())
		if err == nil {
			return strings.TrimRight(string(b), "\x00")
		}
	}
	return ""
}

// below reports whether a file is in one of some directories, or behind a link.
func below(file string, dirs []Dir, links map[string]string) bool {
	for _, d := range dirs {
		if strings.HasPrefix(file, d.Path+"/") {
			return true
		}
	}
	for link := range links {
		if strings.HasPrefix(file, link+"/") {
			return true
		}
	}
	return false
}
