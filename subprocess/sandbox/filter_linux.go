package sandbox

import (
	"errors"
	"fmt"
	"math/bits"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Verdicts of a filter, as seccomp(2) has them.
const (
	verdictAllow  = unix.SECCOMP_RET_ALLOW
	verdictRefuse = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	verdictAbsent = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	verdictKill   = unix.SECCOMP_RET_KILL_PROCESS
)

// rule is what becomes of one system call: the verdict of the first clause that
// holds, or else the last one.
type rule struct {
	number  uintptr
	clauses []clause
	or      uint32
}

// clause holds when all its conditions do.
type clause struct {
	all  []condition
	then uint32
}

// condition holds when an argument has certain bits.
type condition struct {
	arg        int
	mask, want uint64
}

// is is the condition that an argument has one value.
func is(arg int, value uint64) condition { return condition{arg, ^uint64(0), value} }

// has is the condition that an argument has all of some bits, lacks that it has
// none of them.
func has(arg int, mask uint64) condition   { return condition{arg, mask, mask} }
func lacks(arg int, mask uint64) condition { return condition{arg, mask, 0} }

// Offsets into struct seccomp_data.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16
)

// assemble turns rules into a program of classic BPF that the kernel runs for
// each system call. A number without a rule has the verdict otherwise, but one
// that is newer than this list is said not to exist, as on an older kernel.
func assemble(rules []rule, otherwise uint32) ([]unix.SockFilter, error) {
	p := []unix.SockFilter{
		load(offsetArch),
		jump(unix.BPF_JEQ, auditArch, 1, 0),
		ret(verdictKill), // the numbers below are those of this architecture
		load(offsetNumber),
	}
	if foreignNumbers != 0 {
		p = append(p, jump(unix.BPF_JGE, foreignNumbers, 0, 1), ret(verdictKill))
	}
	for _, r := range rules {
		body, err := r.body()
		if err != nil {
			return nil, err
		}
		p = append(p, jump(unix.BPF_JEQ, uint32(r.number), 0, uint8(len(body))))
		p = append(p, body...)
	}
	p = append(p, jump(unix.BPF_JGT, newestNumber, 0, 1), ret(verdictAbsent), ret(otherwise))
	if len(p) > 4096 {
		return nil, fmt.Errorf("sandbox: filter of %d instructions, the kernel takes 4096", len(p))
	}
	return p, nil
}

// body is the program of a rule, once the number is known to be its.
func (r *rule) body() ([]unix.SockFilter, error) {
	var p []unix.SockFilter
	for _, c := range r.clauses {
		p = append(p, c.program()...)
	}
	p = append(p, ret(r.or))
	if len(p) > 255 {
		return nil, errors.New("sandbox: rule too long for a jump over it")
	}
	return p, nil
}

// program returns the verdict of a clause, or runs into what follows.
func (c clause) program() []unix.SockFilter {
	var p []unix.SockFilter
	for _, cond := range c.all {
		for half := range 2 {
			mask, want := uint32(cond.mask>>(32*half)), uint32(cond.want>>(32*half))
			if mask == 0 {
				continue
			}
			// Both architectures have the low half first.
			p = append(p, load(uint32(offsetArgs+8*cond.arg+4*half)))
			if bits.OnesCount32(mask) < 32 {
				p = append(p, unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: mask})
			}
			p = append(p, jump(unix.BPF_JEQ, want, 0, 0)) // where to, when not, is filled in below
		}
	}
	p = append(p, ret(c.then))
	for i := range p {
		if p[i].Code == unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K {
			p[i].Jf = uint8(len(p) - i - 1)
		}
	}
	return p
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func jump(test uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, K: k, Jt: yes, Jf: no}
}

func ret(verdict uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: verdict}
}

// install makes a filter hold for all threads of this process, for ever.
func install(rules []rule, otherwise uint32) error {
	p, err := assemble(rules, otherwise)
	if err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	// With the second flag a thread that cannot be held to the filter is an error
	// like others; without it the result would be its id, which looks like success.
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC|unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH, uintptr(unsafe.Pointer(&prog)))
	if errno == 0 {
		return nil
	}
	if errno == unix.ENOSYS || errno == unix.EINVAL {
		return fmt.Errorf("this kernel has no seccomp filters (seccomp: %w)", errno)
	}
	return fmt.Errorf("seccomp: %w", errno)
}
