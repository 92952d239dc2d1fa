package signin

import (
	"slices"
	"strings"
	"testing"
)

func TestPerson(t *testing.T) {
	for in, want := range map[string]string{
		"Ada@Example.ORG": "ada@example.org", " ada@example.org ": "ada@example.org", "U123": "U123", "jörg@example.org": "jörg@example.org",
		"": "", "a b@c": "", "a@b,c@d": "", "a@b\n": "a@b", "a\nb@c": "", "\u202ea@b": "", "a@\u212A.org": "", "\u017Fam@b.org": "", "a\xff@b": "",
		strings.Repeat("a", 255): "",
	} {
		got, err := person(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q became %q, %v", in, got, err)
		}
		if err != nil && len(in) > 3 && strings.Contains(err.Error(), in) {
			t.Errorf("%q is repeated", in)
		}
	}
}

func TestGroupsAndClaims(t *testing.T) {
	if got := groups([]string{" b", "a", "", "b", strings.Repeat("x", 999)}); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %v", got)
	}
	claims := map[string]any{
		"groups": []any{"a", 7, "b"}, "one": "a", "https://example.org/groups": []any{"dotted"},
		"realm_access": map[string]any{"roles": []any{"r"}, "x.y": "z"},
	}
	for path, want := range map[string][]string{
		"groups": {"a", "b"}, "one": {"a"}, "https://example.org/groups": {"dotted"}, "realm_access.roles": {"r"}, "realm_access.x.y": {"z"},
		"realm_access": nil, "realm_access.nothing": nil, "groups.a": nil, "nothing": nil, "": nil, ".": nil,
	} {
		if got := texts(claim(claims, path)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}
