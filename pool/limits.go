package pool

import (
	"fmt"
	"time"
)

// Defaults of [Limits].
const (
	defaultMemoryBytes  = 256 << 20       // a guess: ample for a function, a tenth of a small machine
	defaultModuleBytes  = 32 << 20        // a guess: the largest interpreters are 10 to 30 MB
	defaultPayloadBytes = 16 << 20        // a guess
	defaultProcessBytes = 512 << 20       // endless recursion of a guest, with garbage, was seen to need 448 MiB
	defaultCompileBytes = 2 << 30         // a guess
	defaultCompileTime  = 2 * time.Minute // a guess: 4 MB take a second, ten under the race detector
	defaultTables       = 1_000_000       // elements; a guess
	defaultLogBytes     = 1 << 20         // a guess: some ten thousand lines
	defaultOpenFiles    = 64              // a guess
	defaultFileBytes    = 64 << 20        // a guess
	wasmMemoryBytes     = 4 << 30         // the most that 32-bit WebAssembly can address
	maxPayloadBytes     = 1<<31 - 1       // the ABI's bound on a payload
	leastProcessBytes   = 64 << 20        // a guess: a small module needs about half
	mostProcessBytes    = 1 << 40         // a guess, above any machine's memory
	maxTables           = 10_000_000      // the WebAssembly JavaScript Interface's bound on one table
	maxOpenFiles        = 65_536          // a guess, far above what a function needs
	maxFileBytes        = 1 << 40         // a guess
)

// Limits bound what one module may use. A zero field means its default.
type Limits struct {
	// MemoryBytes bounds the linear memory of one instance: more is refused to
	// the guest, as when memory has run out. Zero means 256 MiB; 64 KiB to 4 GiB,
	// rounded down to whole pages of 64 KiB.
	MemoryBytes int64

	// ModuleBytes bounds the size of a module. Zero means 32 MiB.
	ModuleBytes int64

	// InputBytes bounds the arguments of a call. Zero means 16 MiB; up to 2 GiB.
	InputBytes int64

	// OutputBytes bounds the result of a call, its error, and what it passes to
	// host functions. Zero means 16 MiB; up to 2 GiB.
	OutputBytes int64

	// ProcessBytes bounds the memory of a worker beyond the linear memories of its
	// instances: code, tables, stacks, payloads, and the garbage of calls. What
	// asks for more fails, and in most cases ends the process. It counts
	// addresses, which are more than what is resident. Zero means 512 MiB;
	// 64 MiB to 1 TiB. Linux only.
	ProcessBytes int64

	// CompileBytes bounds the memory that compiling the module takes, likewise.
	// Zero means 2 GiB; 64 MiB to 1 TiB.
	CompileBytes int64

	// ResidentBytes bounds the memory of a worker that is resident, all of it: it
	// is read once a second, and a worker above it is killed. Zero means no bound;
	// 16 MiB to 1 TiB. Linux only. With [Options].Cgroup the kernel does it, and at
	// once. See also [Options].MaxMemoryBytes, which kills nobody.
	ResidentBytes int64

	// TableElements bounds the elements of all tables of one instance together:
	// more is refused to the guest, and a module that begins with more is refused.
	// Zero means 1,000,000; up to 10,000,000.
	TableElements int64

	// LogBytes bounds what a worker logs in a second, standard output and error
	// included: text, and 64 bytes a record. What is more is dropped, and counted in
	// a record that follows. Zero means 1 MiB; 1 KiB to 1 GiB.
	LogBytes int64

	// ProcessorTime bounds the processor time that a call uses, in all threads of
	// its worker; with a Concurrency above 1 its neighbours' counts too. It is read
	// 20 times a second; a worker whose call exceeds it is killed. Zero means no
	// bound. Linux only.
	ProcessorTime time.Duration

	// CompileTime bounds the time that compiling the module takes. Zero means
	// 2 min.
	CompileTime time.Duration

	// OpenFiles bounds how many files of Module.Dirs an instance has open at once,
	// those directories included; one more fails inside the guest. Zero means 64;
	// 1 to 65,536.
	OpenFiles int

	// FileBytes bounds the size of a file that a guest writes: what would make it
	// larger fails inside the guest. How many files there are is not bounded. Zero
	// means 64 MiB; 1 byte to 1 TiB.
	FileBytes int64
}

func (l Limits) withDefaults() Limits {
	return l.inherit(Limits{
		MemoryBytes: defaultMemoryBytes, ModuleBytes: defaultModuleBytes,
		InputBytes: defaultPayloadBytes, OutputBytes: defaultPayloadBytes,
		ProcessBytes: defaultProcessBytes, CompileBytes: defaultCompileBytes, CompileTime: defaultCompileTime,
		TableElements: defaultTables, LogBytes: defaultLogBytes,
		OpenFiles: defaultOpenFiles, FileBytes: defaultFileBytes,
	})
}

// inherit takes from others what is not set.
func (l Limits) inherit(from Limits) Limits {
	l.MemoryBytes = or(l.MemoryBytes, from.MemoryBytes)
	l.ModuleBytes = or(l.ModuleBytes, from.ModuleBytes)
	l.InputBytes = or(l.InputBytes, from.InputBytes)
	l.OutputBytes = or(l.OutputBytes, from.OutputBytes)
	l.ProcessBytes = or(l.ProcessBytes, from.ProcessBytes)
	l.CompileBytes = or(l.CompileBytes, from.CompileBytes)
	l.ResidentBytes = or(l.ResidentBytes, from.ResidentBytes)
	l.TableElements = or(l.TableElements, from.TableElements)
	l.LogBytes = or(l.LogBytes, from.LogBytes)
	l.ProcessorTime = or(l.ProcessorTime, from.ProcessorTime)
	l.CompileTime = or(l.CompileTime, from.CompileTime)
	l.OpenFiles = or(l.OpenFiles, from.OpenFiles)
	l.FileBytes = or(l.FileBytes, from.FileBytes)
	return l
}

func (l Limits) validate(v *validator, field string) {
	if l.CompileTime < 0 {
		v.add(field+".CompileTime", l.CompileTime, "zero or more")
	}
	if l.ProcessorTime < 0 {
		v.add(field+".ProcessorTime", l.ProcessorTime, "zero or more")
	}
	if l.TableElements < 0 || l.TableElements > maxTables {
		v.add(field+".TableElements", l.TableElements, fmt.Sprintf("0 to %d", maxTables))
	}
	v.within(field+".OpenFiles", l.OpenFiles, 0, maxOpenFiles)
	for _, limit := range []struct {
		name               string
		value, least, most int64
	}{
		{"MemoryBytes", l.MemoryBytes, 64 << 10, wasmMemoryBytes},
		{"ModuleBytes", l.ModuleBytes, 8, maxPayloadBytes},
		{"InputBytes", l.InputBytes, 2, maxPayloadBytes},
		{"OutputBytes", l.OutputBytes, 2, maxPayloadBytes},
		{"ProcessBytes", l.ProcessBytes, leastProcessBytes, mostProcessBytes},
		{"CompileBytes", l.CompileBytes, leastProcessBytes, mostProcessBytes},
		{"ResidentBytes", l.ResidentBytes, leastProcessBytes / 4, mostProcessBytes},
		{"LogBytes", l.LogBytes, 1 << 10, 1 << 30},
		{"FileBytes", l.FileBytes, 1, maxFileBytes},
	} {
		if limit.value != 0 && (limit.value < limit.least || limit.value > limit.most) {
			v.add(field+"."+limit.name, limit.value, fmt.Sprintf("%d to %d bytes", limit.least, limit.most))
		}
	}
}
