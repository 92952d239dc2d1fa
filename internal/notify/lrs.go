package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/stewardhq/steward/training/xapi"
)

// Theory of operation of a store of learning records
//
//  1. Statements go by POST /statements, in batches, in the order in which they became known:
//     a voiding statement comes behind what it withdraws.
//  2. 200 and 204 mean that the store has the batch. Without an answer it may have it too; the
//     batch is sent again, and the ids make that harmless.
//  3. 409 means that one of a batch is there already in other words. The batch is halved until
//     it stands alone: it counts as sent, since statements are never changed. So is a batch that
//     is too large (413).
//  4. 408, 425, 429, 5xx and no answer are tried again, later and later. Any other answer is a
//     mistake of ours or of the configuration: sending stops and says so, since going on would
//     lose statements or lock an account.
//  5. What does not pass our own reading of the rules is not sent: a store refuses a whole batch
//     for it.

// batch is how many statements go at once, as long as the store takes them.
const batch = 50

// Version is that of the specification, as the header has it.
const Version = "1.0.3"

// StoppedError means that the store refuses, and that nothing more is sent until a person has
// looked.
type StoppedError struct{ Reason string }

func (e *StoppedError) Error() string {
	return "sending to the store of learning records has stopped: " + e.Reason
}

// Outcome counts statements.
type Outcome struct{ Sent, Conflicts, Invalid int }

// Store is a store of learning records.
type Store struct {
	cfg    LRS
	client *http.Client
	now    func() time.Time
	sent   *Sent
	most   int // in a batch, as far as the store has shown
}

// NewStore is the store of a resolved configuration; sent is what it has already.
func NewStore(l LRS, sent *Sent, now func() time.Time) *Store {
	return &Store{l, l.client(), now, sent, batch}
}

// Mbox says whether actors are e-mail addresses.
func (s *Store) Mbox() bool { return s.cfg.Actor == "mbox" }

// statement is one that is to be sent.
type statement struct {
	id  string
	raw json.RawMessage
}

var (
	errConflict = errors.New("it is there in other words")
	errTooLarge = errors.New("the batch is too large")
)

// Push sends what the store does not have yet, in order. On an error what was sent before it
// stays sent. A *StoppedError is for a person; after all others it is tried again.
func (s *Store) Push(ctx context.Context, all []xapi.Statement) (Outcome, error) {
	var done Outcome
	var next []statement
	for _, st := range all {
		if s.sent.Has(st.ID) {
			continue
		}
		st.Stored = ""
		raw, err := json.Marshal(st)
		if err != nil {
			return done, fmt.Errorf("write a statement: %w", err)
		}
		if len(xapi.Validate(raw)) > 0 {
			done.Invalid++
			continue
		}
		next = append(next, statement{st.ID, raw})
		if len(next) >= s.most {
			if err := s.put(ctx, next, &done); err != nil {
				return done, err
			}
			next = nil
		}
	}
	if len(next) == 0 {
		return done, nil
	}
	return done, s.put(ctx, next, &done)
}

// put sends a batch, in halves where the store wants no more at once.
func (s *Store) put(ctx context.Context, list []statement, done *Outcome) error {
	err := s.post(ctx, list)
	switch {
	case errors.Is(err, errConflict), errors.Is(err, errTooLarge):
		if len(list) > 1 {
			half := len(list) / 2
			if errors.Is(err, errTooLarge) {
				s.most = half
			}
			if err := s.put(ctx, list[:half], done); err != nil {
				return err
			}
			return s.put(ctx, list[half:], done)
		}
		if errors.Is(err, errTooLarge) {
			return &StoppedError{"one statement alone is too large for it (413)"}
		}
		done.Conflicts++
	case err != nil:
		return err
	default:
		done.Sent += len(list)
	}
	ids := make([]string, len(list))
	for i, st := range list {
		ids[i] = st.id
	}
	return s.sent.Add(ids...)
}

func (s *Store) post(ctx context.Context, list []statement) error {
	raws := make([]json.RawMessage, len(list))
	for i, st := range list {
		raws[i] = st.raw
	}
	body, err := json.Marshal(raws)
	if err != nil {
		return fmt.Errorf("write the batch: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.Endpoint+"/statements", bytes.NewReader(body))
	if err != nil {
		return unaddressed(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Experience-API-Version", Version)
	req.Header.Set("User-Agent", "Steward")
	if s.cfg.User != "" {
		req.SetBasicAuth(s.cfg.User, s.cfg.secret.reveal())
	} else {
		req.Header.Set("Authorization", "Bearer "+s.cfg.secret.reveal())
	}
	res, err := s.client.Do(req)
	if err != nil {
		return unaddressed(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil && res.StatusCode < 300 {
		return fmt.Errorf("its answer broke off: %w", err)
	}
	switch res.StatusCode {
	case http.StatusConflict:
		return errConflict
	case http.StatusRequestEntityTooLarge:
		return errTooLarge
	case http.StatusUnauthorized, http.StatusForbidden:
		return &StoppedError{fmt.Sprintf("it answered %d: check user and secret, and that they may write statements", res.StatusCode)}
	}
	err = judge(res, s.now())
	if refused := (*RefusedError)(nil); errors.As(err, &refused) {
		return &StoppedError{"it " + refused.Reason + ": check the endpoint, and whether it takes version " + Version}
	}
	return err
}
