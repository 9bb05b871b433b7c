package pool

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wasmpool/wasmpool/internal/sched"
)

// Strategy is the rule by which a call finds its worker.
type Strategy uint8

// The strategies. All of them prefer a worker that is not busy, then a new one
// while there are fewer than Max, and only then let a call wait.
const (
	// Fewest sends a call to the worker with the fewest.
	Fewest Strategy = iota
	// Fill sends it to the first worker, in the order of their start, with fewer
	// than Full, and when all are full to the least full one.
	Fill
	// RoundRobin sends it to the workers in turn.
	RoundRobin
	// Random sends it to any worker, uniformly.
	Random
)

func (s Strategy) String() string {
	switch s {
	case Fewest:
		return "fewest"
	case Fill:
		return "fill"
	case RoundRobin:
		return "round-robin"
	case Random:
		return "random"
	}
	return fmt.Sprintf("strategy %d", uint8(s))
}

// ParseStrategy returns the strategy that a name stands for: "fewest", "fill",
// "round-robin" or "random".
func ParseStrategy(name string) (Strategy, error) {
	for s := Fewest; s <= Random; s++ {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("pool: strategy %q: want fewest, fill, round-robin or random", name)
}

// Defaults of [Options], where zero does not speak for itself.
const (
	defaultMax          = 3                      // as in @jjavery/worker-pool
	defaultFull         = 10                     // likewise
	defaultIdleTimeout  = 10 * time.Second       // likewise
	defaultStopTimeout  = 10 * time.Second       // likewise
	defaultStartTimeout = 30 * time.Second       // a guess, far above what a busy machine was seen to need
	defaultCancelGrace  = 500 * time.Millisecond // a guess: ends what polls, and is no burden to one who waits
	defaultQueueLimit   = 65_536                 // calls; with the bound in bytes below, some 30 MB at worst of bookkeeping
	defaultQueueBytes   = 256 << 20              // a guess: a large part of a small machine

	maxSpin = time.Millisecond // a guess: whoever waits so long in vain had better sleep

	maxProcesses   = 2_000 // each takes a thread of this process, and another while it does not read what it is sent; twice as many while they are replaced; Go ends a program at 10,000
	maxConcurrency = 1_000 // likewise
)

// Options are the settings of a pool. The zero value works: it has a pool of up
// to three processes that start when calls ask for them.
//
// They are copied; changing them later changes nothing.
type Options struct {
	// Dir is the directory against which relative module paths are resolved.
	// Empty means the working directory at the time of New. A guest is never
	// granted it. [Pool.SetDir] changes it.
	Dir string

	// Args are the arguments of the guest (WASI argv), after the module's name.
	// [Pool.SetArgs] changes them.
	Args []string

	// Env is the whole environment of the guest (WASI environ). Nothing of this
	// process's own environment is added. [Pool.SetEnv] changes it.
	Env map[string]string

	// Min is how many processes are kept, from the start, however idle. Those
	// without a module are blank and adopt the first one that needs them.
	// 0 (the default) to Max. [Pool.Resize] changes it.
	Min int

	// Max is how many processes there may be, for all modules together. While a
	// generation is replaced there may be twice as many. Zero means 3; at most
	// 2,000. [Pool.Resize] changes it.
	Max int

	// Spare is how many blank processes are kept ready beside those that Max
	// bounds, so that scaling up finds one that is past its start. 0 to 2,000.
	Spare int

	// Concurrency is how many calls a worker runs at once, each in an instance of
	// its own. Zero means 1; at most 1,000.
	Concurrency int

	// Strategy is the rule by which a call finds its worker. Zero is [Fewest].
	Strategy Strategy

	// Full is how many calls make a worker full for [Fill]. Zero means 10.
	Full int

	// Seed makes [Random] repeatable. Zero is a seed like any other.
	Seed uint64

	// Manual leaves starting the pool to [Pool.Start].
	Manual bool

	// Preload names modules to be loaded at the start. They are dealt to the
	// first Min processes in turn; those that are more than Min are compiled into
	// the cache.
	Preload []string

	// Modules sets modules apart, by the name that calls use. A name here wins
	// over a path.
	Modules map[string]Module

	// IdleTimeout is how long a worker above Min is idle before it ends. Zero
	// means 10 s; negative means never.
	IdleTimeout time.Duration

	// StopTimeout is how long a worker has to end after it was asked to, before
	// it is killed. Zero means 10 s; negative means at once.
	StopTimeout time.Duration

	// StopSignal is the signal that a guest is told it is asked to stop with.
	// Zero means SIGTERM (15); SIGKILL (9) kills without asking. 1 to 64.
	StopSignal int

	// StartTimeout is how long a process has to start, and a module to become
	// ready in it. Zero means 30 s.
	StartTimeout time.Duration

	// CallTimeout is how long a call may run; waiting does not count. Zero means
	// no bound; the option [Timeout] goes before it.
	CallTimeout time.Duration

	// QueueTimeout is how long a call may wait before it runs. Zero means no
	// bound; the option [QueueTimeout] goes before it.
	QueueTimeout time.Duration

	// CancelGrace is how long a running call has to end after its caller has
	// given up, before its process is killed. Zero means 500 ms; negative means
	// at once.
	CancelGrace time.Duration

	// QueueLimit is how many calls may wait. Zero means 65,536. Whatever it is,
	// their arguments are bounded by 256 MiB together.
	QueueLimit int

	// MaxCalls is how many calls a worker serves before it is replaced, varied
	// downwards by up to 15 % from worker to worker. Its successor is started
	// first. Zero means no bound.
	MaxCalls int

	// MaxAge is how long a worker serves before it is replaced, likewise; one
	// above Min that has no call then just ends. Zero means no bound.
	MaxAge time.Duration

	// MaxMemoryBytes is how much resident memory a worker may hold before it is
	// replaced, likewise. It is read once a second and is no hard bound: see
	// Limits for that. One that a fresh worker exceeds has it replaced again and
	// again; a worker with a small module holds some 10 MB. Zero means no bound.
	// Linux only.
	MaxMemoryBytes int64

	// Retry runs a call again whose worker was lost, until its context ends, if
	// it is marked [Idempotent].
	Retry bool

	// Fresh gives every call an instance of its own: no state is left for the
	// next one.
	Fresh bool

	// Limits bound what guests may use.
	Limits Limits

	// Host are the functions that guests may call, by name. They run in this
	// process.
	Host map[string]HostFunc

	// CacheDir is where compiled modules are kept. Empty means "wasmpool" in the
	// user's cache directory. It must belong to the effective user, and nobody else
	// may be able to write to it or to put another in its place: New refuses one
	// that is named here and is otherwise, and does without the one that is not.
	// Each process compiles for itself where it cannot be written, or DisableCache
	// is set.
	CacheDir     string
	DisableCache bool

	// Runner is the executable that the processes run. Empty means this program
	// itself, whose packages are initialized in each of them, behind the wall and
	// without its environment. Any program that imports this package will do; the
	// smallest is cmd/wasmpool-runner. [RunnerBytes] makes one that is embedded.
	Runner string

	// Sandbox is how much of a wall the operating system must put around each
	// worker. Zero is [Default].
	Sandbox Sandbox

	// Cgroup is a directory of cgroups, version 2, with the controllers memory and
	// pids, that this program may use and has no process in: under systemd, that of
	// a unit with Delegate=yes and DelegateSubgroup=. Every worker has a group of
	// its own there, and the kernel holds it to Limits.ResidentBytes at every
	// moment. New says what is in the way. Empty means no groups. Linux only.
	Cgroup string

	// Transport is what calls and replies go through. Zero is [SharedMemory].
	Transport Transport

	// Spin is how long a caller, or a worker, that waits for the other polls before
	// it sleeps, with SharedMemory: a call to which both are awake takes a tenth of
	// the time. One that has been waiting in vain of late does not poll, so a pool
	// without calls uses no processor. Zero means 50 µs; at most 1 ms; negative means
	// that nobody polls, and so does a single processor (GOMAXPROCS of 1).
	Spin time.Duration

	// Launcher starts the workers. Nil means child processes; package pooltest
	// has one for tests.
	Launcher Launcher

	// Logger takes what guests and workers log. Nil means [slog.Default].
	Logger *slog.Logger

	// Events tells what happens in the pool.
	Events Events
}

// withDefaults returns a copy in which no zero stands for something else.
func (o Options) withDefaults() Options {
	o.Args, o.Env = slices.Clone(o.Args), maps.Clone(o.Env)
	o.Modules, o.Host, o.Preload = maps.Clone(o.Modules), maps.Clone(o.Host), slices.Clone(o.Preload)
	o.Max = or(o.Max, defaultMax)
	o.Concurrency = or(o.Concurrency, 1)
	o.Full = or(o.Full, defaultFull)
	o.IdleTimeout = or(o.IdleTimeout, defaultIdleTimeout)
	o.StopTimeout = or(o.StopTimeout, defaultStopTimeout)
	o.StopSignal = or(o.StopSignal, signalTerm)
	o.StartTimeout = or(o.StartTimeout, defaultStartTimeout)
	o.CancelGrace = or(o.CancelGrace, defaultCancelGrace)
	o.QueueLimit = or(o.QueueLimit, defaultQueueLimit)
	o.Limits = o.Limits.withDefaults()
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.CacheDir == "" && !o.DisableCache {
		if dir, err := os.UserCacheDir(); err == nil {
			o.CacheDir = filepath.Join(dir, "wasmpool")
		}
	}
	return o
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// POSIX numbers of the signals that the pool knows by name.
const (
	signalKill = 9
	signalTerm = 15
)

// config is what the scheduler has to know of the options.
func (o Options) config() sched.Config {
	return sched.Config{
		Min: o.Min, Max: o.Max, Spare: o.Spare,
		Strategy: sched.Strategy(o.Strategy), Full: o.Full, Seed: o.Seed,
		IdleTimeout: max(o.IdleTimeout, 0), CancelGrace: max(o.CancelGrace, 0),
		MaxCalls: o.MaxCalls, MaxAge: o.MaxAge,
		QueueLimit: o.QueueLimit, QueueBytes: defaultQueueBytes,
	}
}
