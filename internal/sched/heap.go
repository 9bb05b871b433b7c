package sched

// workerHeap keeps workers with the first by some order on top. A worker knows
// its place in it, so that it can be moved when its key changes: a decision
// costs the logarithm of the number of workers.
type workerHeap struct {
	items []*Worker
	less  func(a, b *Worker) bool
	index func(w *Worker) *int // where a worker keeps its place
}

func (h *workerHeap) top() *Worker {
	if len(h.items) == 0 {
		return nil
	}
	return h.items[0]
}

func (h *workerHeap) add(w *Worker) {
	*h.index(w) = len(h.items)
	h.items = append(h.items, w)
	h.up(len(h.items) - 1)
}

func (h *workerHeap) remove(w *Worker) {
	i := *h.index(w)
	last := len(h.items) - 1
	h.swap(i, last)
	h.items[last] = nil
	h.items = h.items[:last]
	*h.index(w) = -1
	if i < last {
		h.fix(h.items[i])
	}
}

// fix moves a worker whose key has changed.
func (h *workerHeap) fix(w *Worker) {
	if i := *h.index(w); !h.down(i) {
		h.up(i)
	}
}

func (h *workerHeap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(h.items[i], h.items[parent]) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *workerHeap) down(i int) (moved bool) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h.items); child++ {
			if h.less(h.items[child], h.items[least]) {
				least = child
			}
		}
		if least == i {
			return moved
		}
		h.swap(i, least)
		i, moved = least, true
	}
}

func (h *workerHeap) swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	*h.index(h.items[i]) = i
	*h.index(h.items[j]) = j
}
