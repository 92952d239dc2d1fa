package dashboards

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// Shadow is what people do about pages at a review, and about shifts in which newcomers walk
// along. Each act is decided, kept as an event, and returns when the next page shows it or a
// second has passed. Errors: *LearnError is the caller's mistake, *access.Denied says who may.
type Shadow interface {
	Review(ctx context.Context, who access.Who, t Tap) error
	Walk(ctx context.Context, who access.Who, w Walk) error
	// CallOff takes back a walk that is to come, and ends one that runs.
	CallOff(ctx context.Context, who access.Who, person, shift string) error
}

// Tap is what somebody says of a page, or without one of all pages of an incident. What is
// empty was not said.
type Tap struct {
	Page, Incident string
	Verdict        string
	MadeSense      *bool
	Note           string
}

// Walk is a shift that is planned for a newcomer beside a host's.
type Walk struct {
	Person, Role string // as analytics.RoleShadow
	Host         string // HostKey of the host's shift
}

// HostKey stands for a shift in a form. It is a digest: a form's address names nobody.
func HostKey(r analytics.ShiftRow) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%s\x00%d\x00%d", r.Schedule, r.Level, r.Person, r.Start.UnixMilli(), r.End.UnixMilli()))
	return hex.EncodeToString(sum[:8])
}
