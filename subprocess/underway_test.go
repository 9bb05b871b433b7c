package subprocess

import (
	"math/rand/v2"
	"testing"
)

// TestCallsUnderWayAreFoundByTheirNumbers plays a table against a map: with few
// calls under way, with more than have a place, and with some that never end.
func TestCallsUnderWayAreFoundByTheirNumbers(t *testing.T) {
	t.Parallel()
	for _, most := range []int{1, 3, recent, 5 * recent} {
		r := rand.New(rand.NewPCG(1, uint64(most)))
		var c calls
		want := make(map[uint64]underWay)
		var seqs []uint64
		for seq := uint64(1); seq < 20_000; {
			switch r.IntN(4) {
			case 0, 1:
				if len(want) < most {
					c.add(seq)
					want[seq] = underWay{}
					seqs = append(seqs, seq)
					seq++
				}
			case 2:
				asked := r.Uint64N(seq + 2)
				known, there := want[asked]
				got := c.find(asked)
				if (got != nil) != there || there && *got != known {
					t.Fatalf("call %d is known as %v, want %v, %v", asked, got, known, there)
				}
				if there {
					got.recalled = true
					want[asked] = *got
				}
			case 3:
				if len(seqs) == 0 {
					break
				}
				i := r.IntN(len(seqs))
				known, there := want[seqs[i]]
				if got, ok := c.take(seqs[i]); ok != there || got != known {
					t.Fatalf("call %d was %v, %v, want %v, %v", seqs[i], got, ok, known, there)
				}
				delete(want, seqs[i])
				if most < 2 || r.IntN(50) > 0 { // else it is asked for again
					seqs[i] = seqs[len(seqs)-1]
					seqs = seqs[:len(seqs)-1]
				}
			}
			if c.len() != len(want) {
				t.Fatalf("%d calls are under way, want %d", c.len(), len(want))
			}
		}
	}
}
