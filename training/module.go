package training

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"math"
)

// Module is one lesson.
type Module struct {
	ID              string     `yaml:"id"`    // FX1
	Track           string     `yaml:"track"` // FX
	Title           string     `yaml:"title"`
	Version         int        `yaml:"version"`          // from 1; raised when what it teaches changes
	Replaces        int        `yaml:"replaces"`         // of an organisation's own: the built-in version it was made from, else 0
	Minutes         int        `yaml:"minutes"`          // in all, as promised to the reader
	ExerciseMinutes int        `yaml:"exercise_minutes"` // of these, for the exercise
	Skills          []Teaches  `yaml:"skills"`
	Prereqs         []string   `yaml:"prereqs"`
	Evidence        Shown      `yaml:"evidence"`
	RefreshDays     int        `yaml:"refresh_days"` // after which the badge expires
	PassMark        float64    `yaml:"pass_mark"`    // share of right answers, in (0, 1]
	Quiz            []Question `yaml:"quiz"`
	Sources         []Source   `yaml:"sources"`

	HTML   template.HTML `yaml:"-"` // the body, safe to show under the pages' policy
	Words  int           `yaml:"-"` // of the body
	Digest string        `yaml:"-"` // SHA-256 of the file, hex: which text somebody has read
	File   string        `yaml:"-"`
	Own    bool          `yaml:"-"` // the organisation's, not built in

	at   places
	body *body
}

// Teaches says how far a module leads in a skill: 1 by reading and quiz, 2 by a drill.
type Teaches struct {
	ID       string `yaml:"id"`
	MaxLevel int    `yaml:"max_level"`
}

// Shown is what completes a module.
type Shown struct {
	Kind   string `yaml:"kind"`   // one of EvidenceKinds
	Rule   string `yaml:"rule"`   // what it must show, for people
	Check  string `yaml:"check"`  // of an event: one of EventChecks, what a program can tell of it; empty: that they are in it
	Score  int    `yaml:"score"`  // of a drill: the least points of 100; 0: the module's pass mark
	Drills int    `yaml:"drills"` // of a drill: how many different ones; 0 is one
	Also   string `yaml:"also"`   // what the event or the drill does not show by itself, and is handed in beside it
}

// EvidenceKinds are the ways in which a module can be completed.
func EvidenceKinds() []string { return []string{"event", "drill", "upload", "attestation"} }

// Question has exactly one right option.
type Question struct {
	Q       string   `yaml:"q"`
	Options []Option `yaml:"options"`
	Explain string   `yaml:"explain"`
}

// Option is a possible answer with what it teaches.
type Option struct {
	Text  string `yaml:"text"`
	Right bool   `yaml:"right"`
	Why   string `yaml:"why"` // it is tempting and wrong, or right
}

// Source is further reading.
type Source struct {
	Title string `yaml:"title"`
	URL   string `yaml:"url"`
}

// wordsPerMinute is slow for prose: these texts hold commands and figures that one stops at.
const (
	wordsPerMinute     = 200
	minutesPerQuestion = 1
)

// Estimate is how many minutes a module takes: reading, a minute a question, the exercise.
func (m *Module) Estimate() float64 {
	return float64(m.Words)/wordsPerMinute + float64(minutesPerQuestion*len(m.Quiz)) + float64(m.ExerciseMinutes)
}

// withinEstimate says whether the promise is within 30 % of the estimate's truth.
func (m *Module) withinEstimate() bool {
	return math.Abs(m.Estimate()-float64(m.Minutes)) <= 0.3*float64(m.Minutes)
}

// fence is the line before and after the front matter.
const fence = "---"

// readModule takes a file apart. A module without readable front matter is nil; what is
// wrong with the values in it is for Check.
func readModule(file string, text []byte) (*Module, []Problem) {
	normal := bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	rest, ok := bytes.CutPrefix(normal, []byte(fence+"\n"))
	if !ok {
		return nil, []Problem{{file, 1, "front matter", "the first line must be " + fence}}
	}
	front, markdown, ok := bytes.Cut(rest, []byte("\n"+fence+"\n"))
	if !ok {
		return nil, []Problem{{file, 1, "front matter", "no second line " + fence + " ends it"}}
	}
	m := &Module{File: file}
	// The fence is read as YAML too, so that the parser's lines are the file's.
	front = append([]byte(fence+"\n"), front...)
	at, problems := strict(file, front, m)
	if len(problems) > 0 {
		return nil, problems
	}
	sum := sha256.Sum256(text)
	m.Digest, m.at = hex.EncodeToString(sum[:]), at
	m.Words = len(bytes.Fields(markdown))
	m.body = readBody(markdown, bytes.Count(front, []byte("\n"))+3) // after its last line and the second fence
	return m, nil
}

func (m *Module) fault(field, reason string) Problem {
	return Problem{m.File, m.at.line(field), field, reason}
}

func (m *Module) faultAt(line int, field, reason string) Problem {
	return Problem{m.File, line, field, reason}
}
