package ingest

import (
	"hash/fnv"
	"io"
)

// contentOf is a digest of what projections read of row i: two copies of one event with
// the same digest are the same to every number. It is never 0, which stands for rows
// stored before there were digests. FNV-1a, 64 bits: copies of one event that differ and
// still collide are not to be feared, and nothing else is compared.
func (b *block) contentOf(i int) uint64 {
	h := fnv.New64a()
	for _, s := range []string{
		b.kind[i], b.incident[i], b.service[i], b.team[i], b.person[i], b.actor[i], b.title[i], b.urgency[i], b.priority[i],
		b.severity[i], b.class[i], b.channel[i], b.state[i],
	} {
		text(h, s)
	}
	for _, t := range b.targets[i] {
		text(h, t)
	}
	ms := uint64(b.at[i].UnixMilli())
	h.Write([]byte{
		byte(ms), byte(ms >> 8), byte(ms >> 16), byte(ms >> 24), byte(ms >> 32), byte(ms >> 40), byte(ms >> 48), byte(ms >> 56),
		byte(b.level[i]), byte(b.level[i] >> 8), b.auto[i], b.drill[i], byte(b.delivered[i]),
	})
	return max(h.Sum64(), 1)
}

// text writes a string and where it ends, so that two fields cannot lend each other letters.
func text(h io.Writer, s string) {
	_, _ = io.WriteString(h, s) // a hash takes everything
	_, _ = h.Write([]byte{0xff})
}
