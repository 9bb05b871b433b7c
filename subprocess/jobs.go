package subprocess

import "github.com/wasmpool/wasmpool/internal/wire"

// job is a call that waits. Its bytes are its own.
type job struct {
	name      string
	call      wire.Call // without name and views
	bytes     []byte    // meta, then arguments
	metaBytes int
}

// jobs is a queue, first in, first out.
type jobs struct {
	ring []*job // a power of two
	head int
	n    int
	free []*job
	kept int // bytes in free
}

// keepJobs and keepJobBytes bound what is kept for reuse, in all. Guesses: more
// calls than a parent sends ahead, and 64 of 64 KiB among them.
const (
	keepJobs     = 1024
	keepJobBytes = 8 << 20
)

func (q *jobs) len() int { return q.n }

func (q *jobs) push(name string, m wire.Call) {
	if q.n == len(q.ring) {
		grown := make([]*job, max(16, 2*q.n))
		for i := range q.n {
			grown[i] = q.ring[(q.head+i)%len(q.ring)]
		}
		q.ring, q.head = grown, 0
	}
	j := q.fresh()
	j.name = name
	j.bytes = append(append(j.bytes[:0], m.Meta...), m.Arguments...)
	j.metaBytes = len(m.Meta)
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
	q.kept -= cap(j.bytes)
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

// recycle keeps a job for reuse.
func (q *jobs) recycle(j *job) {
	if len(q.free) < keepJobs && q.kept+cap(j.bytes) <= keepJobBytes {
		q.free = append(q.free, j)
		q.kept += cap(j.bytes)
	}
}
