package pool

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Bounds of [Module.Dirs].
const (
	maxDirs         = 64    // a guess: each takes a descriptor, and a mount where processes are sandboxed
	maxDirPathBytes = 4_096 // as in Linux
)

// Dir is a directory that a guest is granted by WASI. It reaches what is in it,
// by whatever path, and nothing else: no symbolic link leads out of it, and a
// guest can make none, nor a hard link. It has regular files and directories
// only; what else is there it can list, and not open.
type Dir struct {
	// Guest is the absolute path at which the guest sees it, such as "/data".
	Guest string

	// Host is the directory. A relative path is resolved against Options.Dir, as
	// that of a module is. It must exist when a worker is started; symbolic links
	// on the way to it are followed then.
	Host string

	// Writable lets the guest make, change and remove files and directories.
	// Without it every change is refused (EROFS).
	Writable bool
}

func (v *validator) dirs(field string, dirs []Dir) {
	if len(dirs) > maxDirs {
		v.add(field, fmt.Sprintf("%d directories", len(dirs)), fmt.Sprintf("at most %d", maxDirs))
	}
	seen := make(map[string]bool)
	for i, d := range dirs {
		field := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case !path.IsAbs(d.Guest) || path.Clean(d.Guest) != d.Guest || strings.Contains(d.Guest, "\x00") || len(d.Guest) > maxDirPathBytes:
			v.add(field+".Guest", d.Guest, `an absolute path as path.Clean leaves it, such as "/data"`)
		case seen[d.Guest]:
			v.add(field+".Guest", d.Guest, "each path once")
		}
		seen[d.Guest] = true
		if d.Host == "" || strings.Contains(d.Host, "\x00") {
			v.add(field+".Host", d.Host, "the path of a directory")
		}
	}
}

// grants returns the directories of a module for a generation, with their real
// paths: what a process is granted is what is there when it is started.
func (m *module) grants(g *generation) ([]Dir, error) {
	var dirs []Dir
	for _, d := range m.settings.Dirs {
		host, err := filepath.EvalSymlinks(resolve(g.settings.dir, d.Host))
		if err == nil {
			var info os.FileInfo
			if info, err = os.Stat(host); err == nil && !info.IsDir() {
				err = fmt.Errorf("%s is not a directory", host)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("directory %q cannot be granted as %q: %w", d.Host, d.Guest, err)
		}
		d.Host = host
		dirs = append(dirs, d)
	}
	return dirs, nil
}

// launch says what the process of a worker is started with.
func (w *worker) launch(g *generation, m *module) (Launch, error) {
	if m == nil {
		return Launch{Name: "blank"}, nil
	}
	dirs, err := m.grants(g)
	return Launch{Name: m.name, Dirs: dirs, FileBytes: m.settings.Limits.FileBytes}, err
}
