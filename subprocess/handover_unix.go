//go:build linux || darwin

package subprocess

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// handover is how a file gets from the parent to a child that runs already: a
// pair of sockets that carries nothing else, in this direction only. The parent
// never reads from its end, so whatever a child sends there stays in the kernel.

// giveFile hands a file to the process at the other end. It does not block: the
// other end has room for one.
func giveFile(socket, file *os.File) error {
	err := unix.Sendmsg(int(socket.Fd()), []byte{0}, unix.UnixRights(int(file.Fd())), nil, unix.MSG_NOSIGNAL)
	return os.NewSyscallError("sendmsg", err)
}

// takeFile takes the file that was handed over before a frame said so, if there
// is one, and closes the socket: nothing else ever comes.
func takeFile(socket int, some bool) (*os.File, error) {
	defer unix.Close(socket)
	if !some {
		return nil, nil
	}
	var one [1]byte
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, one[:], control, 0)
	if err != nil {
		return nil, os.NewSyscallError("recvmsg", err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil {
		return nil, fmt.Errorf("recvmsg: %w", err)
	}
	for _, m := range messages {
		if fds, err := unix.ParseUnixRights(&m); err == nil && len(fds) == 1 {
			unix.CloseOnExec(fds[0])
			return os.NewFile(uintptr(fds[0]), "file of the module"), nil
		}
	}
	return nil, errors.New("subprocess: no file came along")
}
