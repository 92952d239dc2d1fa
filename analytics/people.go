package analytics

import (
	"context"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Membership is what the events say, as of now, of somebody who signed in.
func (s *Store) Membership(ctx context.Context, id access.Identity) (access.Membership, error) {
	if id.Person == "" {
		return access.Membership{}, nil
	}
	alias, err := s.aliasesNow(ctx)
	if err != nil {
		return access.Membership{}, err
	}
	d, err := s.everybody(ctx)
	if err != nil {
		return access.Membership{}, err
	}
	out := access.Membership{Person: s.canonical(alias, id.Person)}
	for _, t := range d.Teams {
		if slices.Contains(t.Members, out.Person) {
			out.Teams = append(out.Teams, t.ID)
		}
		if slices.Contains(t.Leads, out.Person) {
			out.Leads = append(out.Leads, t.ID)
		}
	}
	return out, nil
}

// AuditRow is one administrative act.
type AuditRow struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Action string    `json:"action"`
	Target string    `json:"target"`
}

// Audit lists administrative acts, newest first, at most limit. It is for admins.
func (v *View) Audit(ctx context.Context, limit int) ([]AuditRow, error) {
	if err := v.who.Administer("the audit log"); err != nil {
		return nil, err
	}
	out := []AuditRow{}
	err := v.s.look(ctx, access.Working(), "audit", v.s.present(), nil, `
SELECT at, JSONExtractString(data, 'by') AS by, JSONExtractString(data, 'action') AS action, JSONExtractString(data, 'target') AS target
FROM (SELECT at, data, source, id FROM events WHERE kind = 'audit.recorded' AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')} ORDER BY seen LIMIT 1 BY source, id)
ORDER BY at DESC, id DESC LIMIT {limit:UInt32}`,
		[]warehouse.Param{{Name: "limit", Value: uint32(limit)}},
		func(r *warehouse.Rows) error {
			var a AuditRow
			err := r.Scan(&a.At, &a.By, &a.Action, &a.Target)
			a.By, a.Target = v.s.reveal(a.By), v.s.reveal(a.Target)
			out = append(out, a)
			return err
		})
	return out, err
}
