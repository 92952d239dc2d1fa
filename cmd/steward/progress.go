package main

import (
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar shows how far long work is, with rate and time left, and only on a terminal:
// elsewhere standard error stays for errors.
type bar struct{ inner *progressbar.ProgressBar }

// progress starts a bar over size bytes; with -1 the size is not known and it shows the
// rate alone.
func (c *command) progress(size int64) *bar { return c.bar(size, true) }

// rows starts a bar that counts rows.
func (c *command) rows() *bar { return c.bar(-1, false) }

func (c *command) bar(size int64, bytes bool) *bar {
	f, ok := c.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &bar{}
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(f),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(),
	}
	if bytes {
		options = append(options, progressbar.OptionShowBytes(true))
	} else {
		options = append(options, progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"))
	}
	return &bar{progressbar.NewOptions64(size, options...)}
}

// at moves the bar to done of its units; a terminal that went away is no reason to stop.
func (b *bar) at(done int64, what string) {
	if b.inner == nil {
		return
	}
	b.inner.Describe(what)
	_ = b.inner.Set64(done)
}

func (b *bar) done() {
	if b.inner != nil {
		_ = b.inner.Exit()
	}
}
