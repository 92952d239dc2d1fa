package dashboards

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// page is everything a template draws.
type page struct {
	Title, Nav  string
	Sub, Answer []bit
	Filter      *filterView
	Cards       []card
	Start       []step // what to do first, where there is nothing to show yet
	Notice      string // said once above the cards, as after a re-drive
	Version     string
	Asked       string // when; a printed "now" would be anybody's guess
	Dev         bool
	Who         string // who asks; empty for nobody
	Me          bool   // whether they are a person, who has a page
	SignOut     bool   // whether they can
	Pages       []navItem
	As          []choice // the switcher's choices
	Here        string   // where it leads back to
	// Pages of their own kind carry their part here; the template of that name draws it.
	Incident    *incidentView
	Definitions []definitionView
	Record      *recordView
	Tokens      *tokensView
	Drill       *drillView
	Book        *bookView
	Player      *playerView
	Debrief     *debriefView
	Author      *authorView
	Module      *moduleView
	Ability     *abilityView
	After       []card // cards that stand below it
	Review      *reviewView
	Ready       *readyView
	Reminders   *remindersView
	Give        *giveView
	Due         *dueView
	Word        *wordView
	Rollout     *rolloutView
	Question    *questionPage
	TokenForm   *string // where signing in with a token leads
}

type renderer struct {
	t *template.Template
}

func newRenderer(files embed.FS, assets map[string]asset) (*renderer, error) {
	t := template.New("").Funcs(template.FuncMap{
		// static is the address of an asset with its digest, so that it may be kept for ever.
		"static": func(name string) string { return "/static/" + name + "?v=" + assets[name].digest },
		// pair hands a template two things; upto counts from 1.
		"pair": func(a, b any) struct{ A, B any } { return struct{ A, B any }{a, b} },
		"upto": func(n int) []int {
			out := make([]int, n)
			for i := range out {
				out[i] = i + 1
			}
			return out
		},
		"excuse": excuseWords,
		"has":    func(name string) bool { _, ok := assets[name]; return ok },
	})
	t, err := t.ParseFS(files, "template/*.html")
	if err != nil {
		return nil, err
	}
	return &renderer{t}, nil
}

type navItem struct{ Name, Href string }

// navigation leads to the pages of everybody; what every number means is at each page's foot.
var navigation = []navItem{
	{"Overview", "/"}, {"Teams", "/teams"}, {"On call", "/oncall"}, {"Ownership", "/ownership"}, {"Services", "/services"},
	{"Incidents", "/incidents"}, {"Drills", "/drills"},
}

// adminPages are in the navigation of admins.
var adminPages = []navItem{{"Quarantine", "/quarantine"}, {"Tokens", "/tokens"}, {"Audit", "/audit"}}

// asked puts who asks, and where they may go, on a page.
func (s *Server) asked(c echo.Context, p *page) {
	w := who(c)
	p.Pages = navigation
	if s.Learn != nil {
		p.Pages = append(slices.Clone(navigation), navItem{"Skills", "/skills"}, navItem{"Training", "/training"})
	}
	if w.Known() && w.Administer("") == nil {
		p.Pages = slices.Clone(p.Pages)
		for _, i := range adminPages {
			if i.Href != "/tokens" || s.Keys != nil {
				p.Pages = append(p.Pages, i)
			}
		}
	}
	if !w.Known() {
		p.Pages = nil
		return
	}
	p.Who, p.Me = w.Label(), w.Person != ""
	p.SignOut = s.SignIn != nil && (w.Method == "oidc" || w.Method == "token")
	if s.ViewAs {
		p.As, p.Here = s.choices(c), c.Request().URL.RequestURI()
		if c.Request().Method != http.MethodGet {
			p.Here = "/"
		}
	}
}

// render draws a page into memory first, so that an error never leaves half a page. A
// page with wrong filters is a 400, one whose every answer failed a 500.
func (s *Server) render(c echo.Context, p *page) error {
	p.Version, p.Dev = s.Version, s.Dev
	status := http.StatusOK
	hidden := 0
	for i, cd := range p.Cards {
		if len(cd.Empty) > 0 && cd.Body == nil && strings.HasPrefix(cd.N, "0 ") { // there is nothing behind nothing
			p.Cards[i].Events = ""
		}
	}
	for i := range p.Cards {
		if reason, denied := strings.CutPrefix(p.Cards[i].Err, withheld); denied {
			p.Cards[i] = card{ID: p.Cards[i].ID, Title: p.Cards[i].Title, Wide: p.Cards[i].Wide, Empty: say("Not shown to you: " + reason + ".")}
			hidden++
		}
	}
	if hidden > 0 && hidden == len(p.Cards) {
		status = http.StatusForbidden
	}
	if p.Filter != nil && len(p.Filter.Problems) > 0 {
		status = http.StatusBadRequest
		p.Cards = slices.DeleteFunc(p.Cards, func(c card) bool { return c.Err == refused })
	} else if n := broken(p.Cards); n > 0 && n == len(p.Cards) {
		status = http.StatusInternalServerError
	}
	return s.draw(c, status, p)
}

func (s *Server) draw(c echo.Context, status int, p *page) error {
	s.asked(c, p)
	p.Version, p.Dev = s.Version, s.Dev
	p.Asked = s.Now().In(s.Zone).Format("2 Jan 2006 15:04 MST")
	var out bytes.Buffer
	if err := s.pages.t.ExecuteTemplate(&out, "page", p); err != nil {
		return err
	}
	return c.HTMLBlob(status, out.Bytes())
}

func broken(cards []card) int {
	n := 0
	for _, c := range cards {
		if c.Err != "" {
			n++
		}
	}
	return n
}

// failPage says an error to a person.
func (s *Server) failPage(c echo.Context, e *apiError) error {
	title, message := "Something went wrong", e.Message
	switch {
	case e.status == http.StatusNotFound:
		title = "There is no such page"
		if e.Message == "not found" {
			message = "nothing here has the address " + clip(c.Request().URL.Path, 200)
		}
	case e.status == http.StatusForbidden && c.Request().Method == http.MethodGet:
		title = "This is not open to you"
	case e.status < 500:
		title = "That cannot be done"
	}
	p := &page{Title: title, Answer: say(capital(message) + "."), Version: s.Version, Dev: s.Dev}
	p.Sub = say(linked("Overview", "/"))
	return s.draw(c, e.status, p)
}

// missing is a 404 that names what was looked for.
func missing(kind, id string) error {
	return &apiError{status: http.StatusNotFound, Message: "no " + kind + " “" + clip(id, 200) + "” is known here"}
}

// safeLink lets only web addresses through; data may call anything a link.
func safeLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return ""
	}
	return u.String()
}
