package sandbox

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// maxTasks bounds the threads of a worker, where they can be counted for it
// alone. A guess: a Go program has one for each call that runs and some besides,
// and calls are bounded by 1,000.
const maxTasks = 1200

// maxDescriptors bounds the open descriptors of a worker: those that it is born
// with, those of the Go runtime, and the files of its guest. A guess, some room
// above what was seen; what a guest opens has a bound of its own.
const maxDescriptors = 1100

// limit is a bound of setrlimit(2).
type limit struct {
	which int
	name  string // in /proc/<pid>/limits
	what  string
	most  uint64
}

// taskLimit is the bound of tasks, where a user's tasks are counted for each user
// namespace: from Linux 5.14 on. Elsewhere all processes of the user count, whoever
// started them.
var taskLimit = limit{unix.RLIMIT_NPROC, "Max processes", "processes", maxTasks}

// countsTasksApart reports whether this kernel does that.
var countsTasksApart = sync.OnceValue(func() bool {
	var u unix.Utsname
	var major, minor int
	if err := unix.Uname(&u); err != nil {
		return false
	}
	_, _ = fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor) // 0 where it is not like that
	return major > 5 || major == 5 && minor >= 14
})

// fixedLimits are the bounds of a worker that writes files of at most so many
// bytes.
func fixedLimits(fileBytes int64) []limit {
	return []limit{
		{unix.RLIMIT_CORE, "Max core file size", "core dumps", 0},
		{unix.RLIMIT_NOFILE, "Max open files", "open files", maxDescriptors},
		{unix.RLIMIT_MEMLOCK, "Max locked memory", "locked memory", 0},
		{unix.RLIMIT_MSGQUEUE, "Max msgqueue size", "message queues", 0},
		{unix.RLIMIT_FSIZE, "Max file size", "file size", uint64(fileBytes)},
	}
}

// limit appends the calls that set bounds. One that is lower already stays.
func (s *script) limit(ls []limit) {
	for _, l := range ls {
		var now unix.Rlimit
		if err := unix.Getrlimit(l.which, &now); err != nil {
			now.Max = l.most
		}
		most := min(l.most, now.Max)
		s.add(Limits, "limit "+l.what, unix.SYS_PRLIMIT64, 0, uintptr(l.which), keep(s, &unix.Rlimit{Cur: most, Max: most}), 0)
	}
}
