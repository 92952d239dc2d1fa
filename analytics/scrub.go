package analytics

import (
	"regexp"
	"strings"

	"github.com/stewardhq/steward/access"
)

// scrubber takes people out of what people wrote: titles, contacts, descriptions. It knows
// the ids and names of the directory and the form of an e-mail address; a nickname, or a
// name in another spelling, it does not.
type scrubber struct{ names *strings.Replacer }

var address = regexp.MustCompile(`[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+`)

// leastName is the shortest name that is looked for: shorter ones are words.
const leastName = 4

func newScrubber(d *Directory, who access.Who) scrubber {
	var pairs []string
	for _, p := range d.People {
		if who.Sees(p.ID, p.Teams) {
			continue
		}
		for _, s := range []string{p.ID, p.Name} {
			if len(s) >= leastName {
				pairs = append(pairs, s, Somebody)
			}
		}
	}
	return scrubber{strings.NewReplacer(pairs...)}
}

// words takes ids, names and addresses out.
func (s scrubber) words(text string) string {
	text = s.names.Replace(text)
	if strings.IndexByte(text, '@') < 0 {
		return text
	}
	return address.ReplaceAllString(text, "(address)")
}

// known takes out only who is known to be a person: a team's address may stand.
func (s scrubber) known(text string) string { return s.names.Replace(text) }
