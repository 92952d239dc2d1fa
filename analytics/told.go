package analytics

import "sync"

// toldOf is the people whose ledger already has this view.
type toldOf struct {
	mu     sync.Mutex
	people map[string]bool
}
