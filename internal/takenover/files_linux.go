package takenover

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// handed is the file that came with the module, while that is loaded.
var handed *os.File

var _ = add(map[string]func([]string) (string, error){
	"open": func(args []string) (string, error) {
		return "", closed(unix.Open(args[0], unix.O_RDONLY|unix.O_CLOEXEC, 0))
	},
	"create": func(args []string) (string, error) {
		return "", closed(unix.Open(args[0], unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC, 0o600))
	},
	"find": func(args []string) (string, error) {
		var st unix.Stat_t
		return "", unix.Stat(args[0], &st)
	},
	"change handed": func([]string) (string, error) {
		if handed == nil {
			return "", errors.New("takenover: no file came with the module")
		}
		_, err := unix.Write(int(handed.Fd()), []byte("forged"))
		return "", err
	},
	"map handed": func([]string) (string, error) {
		if handed == nil {
			return "", errors.New("takenover: no file came with the module")
		}
		_, err := unix.Mmap(int(handed.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		return "", err
	},
})

func closed(fd int, err error) error {
	if err == nil {
		err = unix.Close(fd)
	}
	return err
}

// compile is the life of the child that is to compile the hostile module: it
// leaves code that is none, with the argument "flood" until it is stopped.
func compile(out io.Writer, args []string) error {
	if len(args) == 0 || args[0] != "flood" {
		_, err := out.Write([]byte("no code"))
		return err
	}
	zeros := make([]byte, 1<<20)
	for {
		if _, err := out.Write(zeros); err != nil {
			return err
		}
	}
}
