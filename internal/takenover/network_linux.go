package takenover

import (
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// socket is a try to make a socket of some kind and to connect it, or to have it
// take what comes, where the first argument of the call is.
func socket(domain, kind, protocol int, then func(fd int, address unix.Sockaddr) error) func([]string) (string, error) {
	return func(args []string) (string, error) {
		fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC, protocol)
		if err != nil {
			return "", err
		}
		defer unix.Close(fd)
		if then == nil {
			return "", nil
		}
		var address unix.Sockaddr = &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
		if len(args) > 0 {
			address = addressOf(args[0])
		}
		return "", then(fd, address)
	}
}

// addressOf reads "host:port", or the path of a Unix socket; "@" begins one
// without a path.
func addressOf(text string) unix.Sockaddr {
	if _, _, err := net.SplitHostPort(text); err != nil {
		return &unix.SockaddrUnix{Name: text}
	}
	a := netip.MustParseAddrPort(text)
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}

var _ = add(map[string]func([]string) (string, error){
	"connect TCP":     socket(unix.AF_INET, unix.SOCK_STREAM, 0, unix.Connect),
	"connect UDP":     socket(unix.AF_INET, unix.SOCK_DGRAM, 0, unix.Connect),
	"connect Unix":    socket(unix.AF_UNIX, unix.SOCK_STREAM, 0, unix.Connect),
	"listen TCP":      socket(unix.AF_INET, unix.SOCK_STREAM, 0, listen),
	"raw socket":      socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP, nil),
	"packet socket":   socket(unix.AF_PACKET, unix.SOCK_RAW, 0, nil),
	"netlink":         socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE, nil),
	"vsock":           socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0, nil),
	"kernel's crypto": socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0, nil),
	"socket pair": func([]string) (string, error) {
		_, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		return "", err
	},
})

func listen(fd int, address unix.Sockaddr) error {
	if err := unix.Bind(fd, address); err != nil {
		return err
	}
	return unix.Listen(fd, 1)
}
