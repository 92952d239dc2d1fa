package warehouse

import (
	"context"
	"testing"
)

// TestSignalTable compares every disposition before and after; a connect of the engine on its own changes some.
func TestSignalTable(t *testing.T) {
	before := saveSignals()
	before.restore()
	db := open(t, Config{})
	after := saveSignals()
	for sig := 1; sig <= 31; sig++ {
		if before[sig] != after[sig] {
			t.Errorf("signal %d was changed from %x to %x", sig, before[sig], after[sig])
		}
	}
	// the engine's own signal still works; its default would end this process
	if n, err := db.text(context.Background(), "test", "SELECT toString(count() > 0) FROM system.stack_trace"); err != nil || n != "1" {
		t.Error(n, err)
	}
}
