package subprocess

import "github.com/wasmpool/wasmpool/internal/wire"

// job is a call that waits. Its memory is its own.
type job struct {
	name      string
	call      wire.Call // without name and views
	memory    []byte
	bytes     []byte // within it: meta, then arguments
	metaBytes int
}

// jobs is a queue, first in, first out.
type jobs struct {
	ring   []*job // a power of two
	head   int
	n      int
	free   []*job // without memory
	memory buffers
}

// keepJobs bounds the jobs that are kept for reuse. A guess: more than a parent
// sends ahead.
const keepJobs = 1024

func (q *jobs) len() int { return q.n }

// push adds a call. If it lies in owned memory, that becomes the job's.
func (q *jobs) push(name string, m wire.Call, owned []byte) {
	if q.n == len(q.ring) {
		grown := make([]*job, max(16, 2*q.n))
		for i := range q.n {
			grown[i] = q.ring[(q.head+i)%len(q.ring)]
		}
		q.ring, q.head = grown, 0
	}
	j := q.fresh()
	j.name, j.metaBytes, j.memory = name, len(m.Meta), owned
	if owned != nil {
		j.bytes = owned[len(owned)-len(m.Meta)-len(m.Arguments):] // a call ends with them
	} else {
		j.memory = q.memory.take(len(m.Meta) + len(m.Arguments))
		j.bytes = append(append(j.memory[:0], m.Meta...), m.Arguments...)
	}
	m.Name, m.Meta, m.Arguments = nil, nil, nil
	j.call = m
	q.ring[(q.head+q.n)%len(q.ring)] = j
	q.n++
}

// fresh returns a job that is kept, or a new one. What is not reused here is
// garbage, which cannot be collected as long as a guest runs.
func (q *jobs) fresh() *job {
	last := len(q.free) - 1
	if last < 0 {
		return new(job)
	}
	j := q.free[last]
	q.free = q.free[:last]
	return j
}

func (q *jobs) pop() *job {
	j := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) % len(q.ring)
	q.n--
	return j
}

// remove takes a call out of the queue, and reports whether it was there.
func (q *jobs) remove(seq uint64) bool {
	for i := range q.n {
		at := (q.head + i) % len(q.ring)
		if q.ring[at].call.Seq != seq {
			continue
		}
		q.recycle(q.ring[at])
		for ; i < q.n-1; i++ {
			next := (q.head + i + 1) % len(q.ring)
			q.ring[at] = q.ring[next]
			at = next
		}
		q.ring[at] = nil
		q.n--
		return true
	}
	return false
}

// recycle keeps a job for reuse, and its memory.
func (q *jobs) recycle(j *job) {
	q.memory.give(j.memory)
	if len(q.free) < keepJobs {
		*j = job{}
		q.free = append(q.free, j)
	}
}
