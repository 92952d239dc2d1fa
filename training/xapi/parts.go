package xapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// actor checks an Agent or a Group. Whoever is identified is so by exactly one of four
// means; two could be two people.
func (v *validator) actor(path string, a object) {
	kind := "Agent"
	if t, ok := a["objectType"]; ok {
		kind, _ = t.(string)
	}
	var by []string
	for _, name := range []string{"mbox", "mbox_sha1sum", "openid", "account"} {
		if _, ok := a[name]; ok {
			by = append(by, name)
		}
	}
	const identified = "objectType name mbox mbox_sha1sum openid account"
	switch kind {
	case "Agent":
		v.properties(path, a, identified)
		if len(by) != 1 {
			v.fault(path, "exactly one of mbox, mbox_sha1sum, openid and account must be there, not %d", len(by))
		}
	case "Group":
		v.properties(path, a, identified+" member")
		if len(by) > 1 {
			v.fault(path, "at most one of mbox, mbox_sha1sum, openid and account must be there, not %d", len(by))
		}
		v.members(path, a, len(by) == 0)
	default:
		v.fault(path+".objectType", "must be Agent or Group")
		return
	}
	v.text(path, a, "name", nil, "a text")
	v.text(path, a, "mbox", func(s string) bool { return mailto.MatchString(s) }, "mailto: and an address")
	v.text(path, a, "mbox_sha1sum", func(s string) bool { return sha1sum.MatchString(s) }, "40 hexadecimal digits")
	v.text(path, a, "openid", isIRI, "an address")
	if account := v.object(path, a, "account"); account != nil {
		v.properties(path+".account", account, "homePage name", "homePage", "name")
		v.text(path+".account", account, "homePage", isIRI, "an address")
		v.text(path+".account", account, "name", nil, "a text")
	}
}

func (v *validator) members(path string, group object, required bool) {
	value, ok := group["member"]
	if !ok {
		if required {
			v.fault(path+".member", "required of a group that is not identified")
		}
		return
	}
	list, ok := value.([]any)
	if !ok {
		v.fault(path+".member", "must be a list")
	}
	for i, item := range list {
		at := fmt.Sprintf("%s.member[%d]", path, i)
		if m, ok := item.(object); !ok {
			v.fault(at, "must be an Agent")
		} else if v.actor(at, m); m["objectType"] == "Group" {
			v.fault(at, "a group must not hold groups")
		}
	}
}

var interactions = strings.Fields("true-false choice fill-in long-fill-in matching performance sequencing likert numeric other")

func (v *validator) activity(path string, a object) {
	v.properties(path, a, "objectType id definition", "id")
	if t, ok := a["objectType"]; ok && t != "Activity" {
		v.fault(path+".objectType", "must be Activity")
	}
	v.text(path, a, "id", isIRI, "an IRI")
	d := v.object(path, a, "definition")
	if d == nil {
		return
	}
	path += ".definition"
	v.properties(path, d, "name description type moreInfo extensions interactionType correctResponsesPattern choices scale source target steps")
	v.languages(path, d, "name")
	v.languages(path, d, "description")
	v.text(path, d, "type", isIRI, "an IRI")
	v.text(path, d, "moreInfo", isIRI, "an address")
	v.text(path, d, "interactionType", func(s string) bool { return slices.Contains(interactions, s) }, "one of "+strings.Join(interactions, ", "))
	v.extensions(path, d)
}

// attachments are checked as far as their required properties; Steward sends none.
func (v *validator) attachments(path string, s object) {
	value, ok := s["attachments"]
	if !ok || value == nil {
		return
	}
	list, ok := value.([]any)
	if !ok {
		v.fault(path+".attachments", "must be a list")
	}
	for i, item := range list {
		at := fmt.Sprintf("%s.attachments[%d]", path, i)
		a, ok := item.(object)
		if !ok {
			v.fault(at, "must be an object")
			continue
		}
		v.properties(at, a, "usageType display description contentType length sha2 fileUrl", "usageType", "display", "contentType", "length", "sha2")
		v.text(at, a, "usageType", isIRI, "an IRI")
		v.languages(at, a, "display")
		v.languages(at, a, "description")
		v.text(at, a, "fileUrl", isIRI, "an address")
		if n, ok := a["length"].(json.Number); !ok || strings.ContainsAny(n.String(), ".-eE") {
			v.fault(at+".length", "must be a whole number")
		}
	}
}

func (v *validator) languages(path string, o object, name string) {
	m := v.object(path, o, name)
	for _, tag := range sorted(m) {
		if !isLanguage(tag) {
			v.fault(path+"."+name, "%q is not a language tag", tag)
		}
		if _, ok := m[tag].(string); !ok {
			v.fault(path+"."+name+"."+tag, "must be a text")
		}
	}
}

// extensions may hold anything, null included, under IRIs.
func (v *validator) extensions(path string, o object) {
	m := v.object(path, o, "extensions")
	for _, name := range sorted(m) {
		if !isIRI(name) {
			v.fault(path+".extensions", "the key %q is not an IRI", name)
		}
	}
}

var (
	uuid     = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$`)
	mailto   = regexp.MustCompile(`^mailto:[^@\s]+@[^@\s]+$`)
	sha1sum  = regexp.MustCompile(`^[0-9a-fA-F]{40}$`)
	language = regexp.MustCompile(`^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*|[xi](-[A-Za-z0-9]{1,8})+)$`)
	duration = regexp.MustCompile(`^P(\d+([.,]\d+)?W|(\d+([.,]\d+)?Y)?(\d+([.,]\d+)?M)?(\d+([.,]\d+)?D)?(T(\d+([.,]\d+)?H)?(\d+([.,]\d+)?M)?(\d+([.,]\d+)?S)?)?)$`)
	scheme   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)
)

func isUUID(s string) bool     { return uuid.MatchString(s) }
func isLanguage(s string) bool { return language.MatchString(s) }

// isDuration wants at least one figure, and one after the T if there is a T.
func isDuration(s string) bool {
	return duration.MatchString(s) && s != "P" && !strings.HasSuffix(s, "T")
}

// isIRI is an absolute one: a relative one means something else wherever it is read.
func isIRI(s string) bool {
	before, rest, ok := strings.Cut(s, ":")
	if !ok || rest == "" || !scheme.MatchString(before) || strings.ContainsAny(s, " \t\r\n<>\"{}|\\^`") {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Host != "" || u.Opaque != "" || u.Path != "") && (u.Scheme != "http" && u.Scheme != "https" || u.Host != "")
}

// isTime is the profile of ISO 8601 in RFC 3339. The specification takes more of ISO 8601, but
// what has no zone would be another moment in every reader.
func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339Nano, s)
	return err == nil && !strings.HasSuffix(s, "-00:00")
}
