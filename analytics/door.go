package analytics

import (
	"context"
	"fmt"
	"regexp"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of the door
//
//  1. run is the only way a statement of this package reaches the warehouse; a test reads
//     the package's source and finds no other.
//  2. It wants a pass, and package access alone makes passes that open anything. A
//     statement that names a column which holds people wants one decided for people.
//  3. What comes out is rows, not answers. Whether rows of people may leave the package,
//     and in which form, is decided in view.go by the same pass.

// personColumn finds the names under which facts and projections hold people. A test
// compares it with the schema, so that a new column cannot be forgotten.
var personColumn = regexp.MustCompile(`(?i)\b(person|person_of|persons|people|member|members|actor|last_actor|resolver|acts|actions|assigned|target|aliases|subject|title|last_title|data|raw|extensions|targets)\b`)

// namesPeople says whether a statement reads what holds people, directly or within a
// document.
func namesPeople(sql string) bool { return personColumn.MatchString(sql) }

// run sends a statement if the pass opens it.
func (s *Store) run(ctx context.Context, pass access.Pass, name, sql string, params ...warehouse.Param) (*warehouse.Rows, error) {
	switch {
	case !pass.Opens():
		return nil, fmt.Errorf("%s: nobody may ask this", name)
	case !pass.People() && namesPeople(sql):
		return nil, fmt.Errorf("%s: a statement about people without a decision about people", name)
	}
	return s.db.Query(ctx, name, sql, params...)
}
