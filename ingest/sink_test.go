package ingest

import "testing"

func TestSinkDirect(t *testing.T) {
	w := newWorld(t, false, 4)
	cfg := w.config()
	cfg.Direct = true
	s, _ := w.start(cfg)
	w.publish(sample("a", 5000)...)
	w.drain(s)
	w.exactly(5000, 0)
}
