package warehouse

import (
	"context"
	"io"
)

// answer is the body of a response: blocks in the engine's memory, each freed when it has been read.
type answer struct {
	ctx   context.Context
	block *result // being read
	next  *result // fetched already
	read  int
	more  func() (*result, error) // nil when block is all
	end   func(finished bool)     // gives the connection back, once
	err   error                   // what ended the answer early; said again to every later read
}

func (a *answer) Read(p []byte) (int, error) {
	for a.block == nil || a.read == len(a.block.data) {
		if a.block != nil {
			a.block.close()
		}
		a.block, a.next, a.read = a.next, nil, 0
		if a.block != nil {
			continue
		}
		if a.err != nil {
			return 0, a.err
		}
		if a.end == nil {
			return 0, io.EOF
		}
		block, err := a.more()
		if err != nil {
			if a.ctx.Err() != nil {
				err = context.Cause(a.ctx)
			}
			a.err = err
			a.finish(false)
			return 0, err
		}
		if a.block = block; block == nil {
			a.finish(true)
			return 0, io.EOF
		}
	}
	n := copy(p, a.block.data[a.read:])
	a.read += n
	return n, nil
}

func (a *answer) finish(finished bool) {
	if a.end != nil {
		a.end(finished)
		a.end = nil
	}
}

// Close frees what is left and, in the middle of an answer, cancels its statement.
func (a *answer) Close() error {
	for _, r := range []*result{a.block, a.next} {
		if r != nil {
			r.close()
		}
	}
	a.block, a.next = nil, nil
	a.finish(false)
	return nil
}
