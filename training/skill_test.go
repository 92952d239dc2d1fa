package training

import (
	"slices"
	"strings"
	"testing"
)

func TestSkills(t *testing.T) {
	skills, err := Skills()
	if err != nil {
		t.Fatal(err)
	}
	if len(skills) != 25 {
		t.Errorf("%d skills", len(skills))
	}
	s := skills[14]
	if s.ID != "queue-stream-ops" || s.Sign(0) != "" || s.Sign(1) != "" || s.Sign(2) != "drill" || s.Sign(3) != "2 solo resolves" || s.Sign(4) != "designs replay tooling" {
		t.Errorf("%+v", s)
	}
	platform, err := PlatformSkills()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range platform {
		got = append(got, s.ID)
	}
	slices.Sort(got)
	if s := strings.Join(got, " "); s != "backup-restore change-mitigation container-platform datastore-ops host-debugging network-dns-tls overload-capacity queue-stream-ops" {
		t.Errorf("platform skills: %s", s)
	}
}

func TestSkillsNameLineAndField(t *testing.T) {
	const good = "- id: reading\n  name: Reading\n  definition: read\n  signs:\n    assisted: a\n    independent: b\n    multiplier: c\n"
	if _, err := parseSkills("f", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{edit(t, good, "name:", "colour: red\n  name:"), "f:2: [0].colour: unknown; the fields are id, name, definition, signs, platform"},
		{edit(t, good, "assisted: a", "assited: a"), "f:5: [0].signs.assited: unknown; the fields are assisted, independent, multiplier"},
		{edit(t, good, "name: Reading", "name: [Reading]"), "f:2: [0].name: must be a text"},
		{edit(t, good, "name: Reading", "platform: yes please\n  name: Reading"), "f:2: [0].platform: must be true or false"},
		{edit(t, good, "id: reading", "id: Reading"), "f:1: [0].id: must be lower-case words"},
		{edit(t, good, "independent: b", "independent: ''"), "f:6: [0].signs.independent: missing"},
		{good + good, "f:8: [1].id: reading is there twice"},
		{"", "f:1: YAML: there is nothing in it"},
		{"a: [", "f:1: YAML: "},
		{good + "---\n" + good, "f:1: YAML: the file holds more than one document"},
	} {
		_, err := parseSkills("f", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}
