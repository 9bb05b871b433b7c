//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// room is what a socket has in each direction: a large payload fits, so that
// neither end is in the middle of writing when it should read.
const room = 256 << 10

func startSocketpair(_ context.Context, w workload) (*target, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, fmt.Errorf("making a socketpair: %w", err)
	}
	for _, fd := range fds {
		syscall.CloseOnExec(fd)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer theirs.Close()
	conn, err := socket(ours)
	if err != nil {
		return nil, err
	}
	cmd, err := ourselves("socket")
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	cmd.ExtraFiles, cmd.Stderr = []*os.File{theirs}, os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the other end: %w", err), conn.Close())
	}
	return pingPong(w, conn, conn, func() error { return errors.Join(conn.Close(), cmd.Wait()) }), nil
}

// echoSocket is the other end of the socketpair.
func echoSocket() {
	conn, err := socket(os.NewFile(3, "socket"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(exitFailed)
	}
	echo(conn, conn)
}

// socket makes a connection of a file, which it closes.
func socket(f *os.File) (*net.UnixConn, error) {
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("opening the socket: %w", err)
	}
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("opening the socket: it is a %T", conn), conn.Close())
	}
	if err := errors.Join(c.SetWriteBuffer(room), c.SetReadBuffer(room)); err != nil {
		return nil, errors.Join(fmt.Errorf("setting the socket's buffers: %w", err), c.Close())
	}
	return c, nil
}

func startPipes(_ context.Context, w workload) (*target, error) {
	cmd, err := ourselves("pipes")
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	to, from, err := startPiped(cmd)
	if err != nil {
		return nil, fmt.Errorf("starting the other end: %w", err)
	}
	return pingPong(w, to, from, func() error { return errors.Join(to.Close(), cmd.Wait()) }), nil
}
