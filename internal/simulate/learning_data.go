package simulate

import "strconv"

// The data of learning's kinds, as data.go has that of the others.

type givenData struct {
	fact
	Assignment string   `json:"assignment"`
	Module     string   `json:"module"`
	Person     string   `json:"person"`
	By         string   `json:"by"`
	Reason     string   `json:"reason"`
	Cites      []string `json:"cites,omitempty"`
	Due        string   `json:"due"`
}

type enrolData struct {
	fact
	Assignment string `json:"assignment"`
	Module     string `json:"module"`
	Version    int    `json:"version"`
	Person     string `json:"person"`
}

type answeredData struct {
	enrolData
	Attempt  int  `json:"attempt"`
	Question int  `json:"question"`
	Correct  bool `json:"correct"`
}

type scoredData struct {
	enrolData
	Attempt int     `json:"attempt"`
	Score   float64 `json:"score"`
	Right   int     `json:"right"`
	Of      int     `json:"of"`
}

type completedData struct {
	enrolData
	Kind string `json:"kind"`
	Ref  string `json:"ref"`
	By   string `json:"by,omitempty"`
}

type waivedData struct {
	Assignment string `json:"assignment"`
	Module     string `json:"module"`
	Person     string `json:"person"`
	By         string `json:"by"`
	Reason     string `json:"reason"`
}

func (waivedData) incident() string { return "" }

type ratedData struct {
	fact
	Module string `json:"module"`
	Person string `json:"person"`
	Helped bool   `json:"helped"`
	After  string `json:"after"`
}

type tagData struct {
	Incident string `json:"incident"`
	Skill    string `json:"skill"`
	Basis    string `json:"basis"`
	By       string `json:"by"`
}

func (d tagData) incident() string { return d.Incident }

// index36 is a person in an address that names nobody.
func (p *person) index36() string { return "n" + strconv.FormatInt(int64(p.index), 36) }
