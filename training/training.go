// Package training is how developers learn operations: what the skills are, what teaches
// them, and what shows that somebody has learned.
//
// Theory of operation
//
//  1. skills.yaml names the skills. Everything else speaks of a skill by its id.
//  2. curriculum/ holds one Markdown file a module, below a folder a track. Load reads it, and
//     lays an organisation's own directory over it: the same id replaces, a new id adds.
//  3. Load keeps what can be shown and remembers what is wrong; Check finds the rest. A
//     faulty file of an organisation's therefore costs that file and not the start.
//  4. A body becomes HTML once, when it is loaded, in a form that needs no trust in who wrote
//     it: see body.go.
//  5. A quiz is marked by a pure function, and what came of it is said in events. A module is
//     completed by evidence only; having read it and having passed the quiz complete nothing.
package training
