package subprocess

// underWay is what this side knows of a call that has no reply yet.
type underWay struct {
	recalled  bool // the child may give it back
	cancelled bool // likewise, and nobody waits for it
	begun     bool // it asked for a host function: it cannot be given back any more
}

// recent is how many of the calls that were queued last have a place of their
// own: a power of two, and more than a parent sends ahead.
const recent = 128

// calls are those that are under way, by their numbers, which rise one by one. It
// is a table that most of them pass through without a collision: a map would take
// a twentieth of a call's time.
type calls struct {
	seqs  [recent]uint64 // 0: none
	known [recent]underWay
	older map[uint64]*underWay // whose places were taken by later ones
	n     int
}

func (c *calls) len() int { return c.n }

// add adds a call with a number that is higher than all before.
func (c *calls) add(seq uint64) {
	i := seq % recent
	if old := c.seqs[i]; old != 0 {
		if c.older == nil {
			c.older = make(map[uint64]*underWay)
		}
		moved := c.known[i]
		c.older[old] = &moved
	}
	c.seqs[i], c.known[i] = seq, underWay{}
	c.n++
}

// find returns what is known of a call, to be changed, or nil when it is not under
// way. It is valid until the next add.
func (c *calls) find(seq uint64) *underWay {
	if i := seq % recent; c.seqs[i] == seq && seq != 0 {
		return &c.known[i]
	}
	return c.older[seq]
}

// take removes a call, and returns what was known of it.
func (c *calls) take(seq uint64) (underWay, bool) {
	known := c.find(seq)
	if known == nil {
		return underWay{}, false
	}
	c.n--
	if i := seq % recent; c.seqs[i] == seq {
		c.seqs[i] = 0
	} else {
		delete(c.older, seq)
	}
	return *known, true
}
